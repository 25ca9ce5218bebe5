/** The broker's end of one board's connection: real MQTT bytes both ways, read and written by the library that the leader's broker uses. */
import type { Packet, Parser } from "mqtt-packet";
import { generate, parser } from "mqtt-packet";
import { boardTopics } from "../../../../protocols/messages/topics.ts";
import type { MemberId } from "../../../../protocols/raft/types.ts";
import type { FarEnd, TcpLink } from "./tcp-link.ts";

export interface BrokerEvents {
  onPublish(session: BrokerSession, channel: string, payload: Uint8Array): void;
  onGone(session: BrokerSession): void;
}

export class BrokerSession implements FarEnd {
  /** As it said in CONNECT. */
  board = "";
  /** As it said in its hello. */
  member: MemberId | undefined;
  readonly #swarm: string;
  readonly #link: TcpLink;
  readonly #events: BrokerEvents;
  readonly #parser: Parser = parser({ protocolVersion: 4 });
  readonly #filters: string[] = [];
  #isOpen = true;

  constructor(swarm: string, link: TcpLink, events: BrokerEvents) {
    this.#swarm = swarm;
    this.#link = link;
    this.#events = events;
    this.#parser.on("packet", (packet) => this.#onPacket(packet));
  }

  receive(bytes: Uint8Array): void {
    if (this.#isOpen) this.#parser.parse(Buffer.from(bytes));
  }

  onGone(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events.onGone(this);
  }

  /** The broker ends the connection. */
  hangUp(): void {
    this.#link.hangUp();
    this.onGone();
  }

  /** The broker's process is no more: with notice from its computer's TCP, or without a word. */
  die(withNotice: boolean): void {
    this.#isOpen = false;
    if (withNotice) this.#link.hangUp();
    else this.#link.die();
  }

  /** Sends a message if the board subscribed to its topic. */
  publish(topic: string, payload: Uint8Array): void {
    const isWanted = this.#filters.some(
      (filter) => filter === topic || (filter.endsWith("/#") && topic.startsWith(filter.slice(0, -1))),
    );
    if (!isWanted) return;
    this.#answer({ cmd: "publish", topic, payload: Buffer.from(payload), qos: 0, dup: false, retain: false });
  }

  #onPacket(packet: Packet): void {
    if (!this.#isOpen) return;
    switch (packet.cmd) {
      case "connect":
        this.board = packet.clientId;
        this.#answer({ cmd: "connack", returnCode: 0, sessionPresent: false });
        break;
      case "subscribe":
        for (const { topic } of packet.subscriptions) this.#filters.push(topic);
        this.#answer({
          cmd: "suback",
          messageId: packet.messageId!,
          granted: packet.subscriptions.map(() => 0),
        });
        break;
      case "pingreq":
        this.#answer({ cmd: "pingresp" });
        break;
      case "publish": {
        const channel = packet.topic.slice(boardTopics(this.#swarm, this.board).up.length);
        this.#events.onPublish(this, channel, Uint8Array.from(packet.payload as Buffer));
      }
    }
  }

  #answer(packet: Packet): void {
    if (this.#isOpen) this.#link.send(Uint8Array.from(generate(packet)));
  }
}
