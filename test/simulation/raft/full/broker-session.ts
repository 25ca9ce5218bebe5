/** The broker's end of one board's connection: real MQTT bytes both ways, read and written by the library that the leader's broker uses. */
import type { Packet, Parser } from "mqtt-packet";
import { generate, parser } from "mqtt-packet";
import { boardTopics } from "../../../../protocols/messages/topics.ts";
import type { HostileBroker } from "./hostile-broker.ts";
import type { FarEnd, TcpLink } from "./tcp-link.ts";

export interface BrokerEvents {
  /** Whether to let it in, for whom it says it is and what it shows for it. */
  onConnect(session: BrokerSession, password: Uint8Array): boolean;
  onPublish(session: BrokerSession, channel: string, payload: Uint8Array): void;
  onGone(session: BrokerSession): void;
}

export class BrokerSession implements FarEnd {
  /** As it said in CONNECT. */
  board = "";
  readonly #swarm: string;
  readonly #link: TcpLink;
  readonly #events: BrokerEvents;
  readonly #hostile: HostileBroker;
  readonly #parser: Parser = parser({ protocolVersion: 4 });
  readonly #filters: string[] = [];
  #isOpen = true;

  constructor(swarm: string, link: TcpLink, hostile: HostileBroker, events: BrokerEvents) {
    this.#swarm = swarm;
    this.#link = link;
    this.#hostile = hostile;
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
    this.#hostile.pass(payload, (passed) => {
      this.#answer({
        cmd: "publish",
        topic,
        payload: Buffer.from(passed),
        qos: 0,
        dup: false,
        retain: false,
      });
    });
  }

  #onPacket(packet: Packet): void {
    if (!this.#isOpen) return;
    switch (packet.cmd) {
      case "connect":
        this.board = packet.clientId;
        if (this.#events.onConnect(this, Uint8Array.from(packet.password ?? []))) {
          this.#answer({ cmd: "connack", returnCode: 0, sessionPresent: false });
        } else this.hangUp();
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
        this.#hostile.pass(Uint8Array.from(packet.payload as Buffer), (passed) => {
          if (this.#isOpen) this.#events.onPublish(this, channel, passed);
        });
      }
    }
  }

  #answer(packet: Packet): void {
    if (this.#isOpen) this.#link.send(Uint8Array.from(generate(packet)));
  }
}
