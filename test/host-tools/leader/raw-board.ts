/**
 * A board made of bytes: MQTT packets written and read with mqtt-packet over a plain TCP socket, the real follower core behind
 * them, its log in memory. What it is sent it keeps, so that a test can look.
 */
import { connect, type Socket } from "node:net";
import mqtt from "mqtt-packet";
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import { MemoryLog, sha256 } from "../../../host-tools/raft-shell/memory-log.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Health, Reading, TimeAnswer, UpChannel } from "../../../protocols/messages/board-messages.ts";
import {
  goneToWire,
  healthToWire,
  helloToWire,
  reportToWire,
  timeAnswerFromWire,
} from "../../../protocols/messages/codec.ts";
import { messageFromWire, messageToWire, publicationFromWire } from "../../../protocols/raft/codec.ts";
import { Follower } from "../../../protocols/raft/follower.ts";
import { limits, type Message, type Publication, type RaftOutput } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";

/** What a board keeps in flash: give it to a second `RawBoard` and that one is the first, restarted. */
export { MemoryLog as BoardMemory };

export interface RawBoardOptions {
  readonly swarm: string;
  readonly name: string;
  readonly port: number;
  readonly incarnation?: string;
  readonly memory?: MemoryLog;
  /** False for a board that takes messages and says nothing. */
  readonly answers?: boolean;
}

export class RawBoard {
  readonly memberId: string;
  readonly memory: MemoryLog;
  readonly state = new StateMap();
  readonly received: Message[] = [];
  readonly publications: Publication[] = [];
  readonly timesTold: TimeAnswer[] = [];
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  appliedIndex = 0;
  readonly #options: RawBoardOptions;
  readonly #socket: Socket;
  readonly #follower: Follower;
  readonly #parser = mqtt.parser();
  readonly #packets: mqtt.Packet[] = [];
  #onPacket: (() => void) | undefined;
  #sequence = 0;

  constructor(options: RawBoardOptions) {
    this.#options = options;
    this.memory = options.memory ?? new MemoryLog();
    this.memberId = `${options.name}.${options.incarnation ?? "0000000a"}`;
    const { hardState } = this.memory;
    this.#follower = new Follower({
      id: this.memberId,
      hardState,
      log: this.memory,
      sha256,
      commitIndex: 0,
      leaderHeardMs: hardState.term > 0 ? performance.now() : -Infinity,
      leaderSilenceMs: limits.leaderSilenceMs,
    });
    this.#socket = connect({ host: "127.0.0.1", port: options.port });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.#socket.once("close", () => resolve()));
    this.#parser.on("packet", (packet) => this.#take(packet));
    this.#socket.on("data", (bytes) => this.#parser.parse(bytes));
  }

  /** Connects, subscribes and says hello: a board as it should be. */
  static async join(options: RawBoardOptions): Promise<RawBoard> {
    const board = new RawBoard(options);
    await board.connect();
    await board.subscribe();
    board.hello();
    return board;
  }

  async connect(clientId = this.#options.name): Promise<mqtt.IConnackPacket> {
    const will = { topic: this.#topic("gone"), payload: Buffer.from(encodeCbor(goneToWire(this.memberId))) };
    this.write({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId,
      keepalive: 30,
      will: { ...will, qos: 0, retain: false },
    });
    return (await this.#next("connack")) as mqtt.IConnackPacket;
  }

  async subscribe(
    topics = [
      `covey/${this.#options.swarm}/down/${this.#options.name}/#`,
      `covey/${this.#options.swarm}/all/raft`,
    ],
  ): Promise<mqtt.ISubackPacket> {
    this.write({ cmd: "subscribe", messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 0 })) });
    return (await this.#next("suback")) as mqtt.ISubackPacket;
  }

  hello(): void {
    const { memberId, memory, appliedIndex } = this;
    const { lastIndex, hardState } = memory;
    const about = { memberId, model: "esp32c3-devkit", firmware: "0.1.0", term: hardState.term };
    this.publish("hello", helloToWire({ ...about, lastIndex, appliedIndex }));
  }

  report(sentMs: number, readings: readonly Reading[], sequence = this.#sequence++): void {
    this.publish("report", reportToWire({ sentMs, sequence, readings }));
  }

  health(changes: Partial<Health> = {}): void {
    const health = {
      sentMs: 0,
      uptimeMs: 0,
      term: this.#follower.term,
      lastIndex: this.memory.lastIndex,
      commitIndex: this.#follower.commitIndex,
      appliedIndex: this.appliedIndex,
      heapUsedBytes: 41_000,
      heapPeakBytes: 52_000,
      arenaBytes: 94_208,
      samplesIn: 0,
      reportsOut: 0,
      readingsDropped: 0,
      reconnects: 0,
      outputs: [],
    };
    this.publish("health", healthToWire({ ...health, ...changes }));
  }

  publish(channel: UpChannel, value: CborValue): void {
    this.publishBytes(this.#topic(channel), encodeCbor(value));
  }

  publishBytes(topic: string, payload: Uint8Array, options: Partial<mqtt.IPublishPacket> = {}): void {
    const packet = {
      cmd: "publish",
      topic,
      payload: Buffer.from(payload),
      dup: false,
      retain: false,
      qos: 0,
    };
    this.write({ ...packet, ...options } as mqtt.Packet);
  }

  write(packet: mqtt.Packet): void {
    this.writeBytes(mqtt.generate(packet));
  }

  writeBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Reads nothing more, as a board that hangs. */
  hang(): void {
    this.#socket.pause();
  }

  /** Ends the connection as a power cut does. */
  cut(): void {
    this.#socket.destroy();
  }

  #topic(channel: UpChannel): string {
    return `covey/${this.#options.swarm}/up/${this.#options.name}/${channel}`;
  }

  #take(packet: mqtt.Packet): void {
    if (packet.cmd === "publish") {
      const value = decodeCbor(packet.payload as Buffer);
      if (packet.topic.endsWith("/time")) this.timesTold.push(timeAnswerFromWire(value));
      else if (packet.topic.endsWith("/all/raft")) this.#hear(publicationFromWire(value));
      else this.#step(messageFromWire(value));
      return;
    }
    this.#packets.push(packet);
    this.#onPacket?.();
  }

  async #next(cmd: mqtt.Packet["cmd"]): Promise<mqtt.Packet> {
    for (;;) {
      const at = this.#packets.findIndex((packet) => packet.cmd === cmd);
      if (at >= 0) return this.#packets.splice(at, 1)[0]!;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#onPacket = resolve;
        }),
        this.closed.then(() => Promise.reject(new Error(`closed while waiting for ${cmd}`))),
      ]);
    }
  }

  #step(message: Message): void {
    this.received.push(message);
    if (this.#options.answers === false) return;
    this.#perform(this.#follower.step(message, performance.now()));
  }

  #hear(publication: Publication): void {
    this.publications.push(publication);
    if (this.#options.answers !== false) this.#perform(this.#follower.takePublication(publication));
  }

  #perform(output: RaftOutput): void {
    this.memory.write(output);
    this.memory.sync();
    if (output.snapshot?.isLast) {
      this.state.restore(this.memory.snapshotContents);
      this.appliedIndex = this.memory.firstIndex - 1;
    }
    while (this.appliedIndex < output.commitIndex) this.state.apply(this.memory.entry(++this.appliedIndex));
    this.#follower.setApplied(this.appliedIndex);
    for (const answer of output.messages) this.publish("raft", messageToWire(answer));
  }
}
