/**
 * A board made of bytes: MQTT packets written and read with mqtt-packet over a plain TCP socket, the real session and the real follower core behind
 * them, its log in memory. What it is sent it keeps, so that a test can look.
 */
import { connect, type Socket } from "node:net";
import mqtt from "mqtt-packet";
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import { MemoryLog, sha256 } from "../../../host-tools/raft-shell/memory-log.ts";
import type { MemberSecrets } from "../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Health, Reading, TimeAnswer, UpChannel } from "../../../protocols/messages/board-messages.ts";
import {
  goneToWire,
  healthToWire,
  helloToWire,
  reportToWire,
  timeAnswerFromWire,
} from "../../../protocols/messages/codec.ts";
import { type BoardQuery, queryFromWire } from "../../../protocols/query/messages.ts";
import { messageFromWire, messageToWire, publicationFromWire } from "../../../protocols/raft/codec.ts";
import { Follower } from "../../../protocols/raft/follower.ts";
import { limits, type Message, type Publication, type RaftOutput } from "../../../protocols/raft/types.ts";
import { GroupReceiver } from "../../../protocols/security/group/group-records.ts";
import { type SenderKey, senderKeyFromWire } from "../../../protocols/security/group/sender-key.ts";
import { Roster } from "../../../protocols/security/identity/roster.ts";
import { SessionInitiator } from "../../../protocols/security/session/initiator.ts";
import type { SecureSession } from "../../../protocols/security/session/secure-session.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { type Chunk, chunkFromWire, wantToWire } from "../../../protocols/update/messages.ts";
import { memberOf } from "./test-swarm.ts";

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
  /** It leaves what comes on `edhoc` unanswered. */
  readonly isHalfOpen?: boolean;
  /** Hears each publication as it came. */
  onPublication?(payload: Uint8Array): void;
  /** If not the one that this board has by rights. */
  readonly member?: MemberSecrets;
  /** Of an earlier connection, to be refreshed. */
  readonly kept?: SecureSession | undefined;
  /** As drawn when its firmware started. */
  readonly startId?: number;
  /** Where it connects from. */
  readonly localAddress?: string;
}

export class RawBoard {
  readonly memberId: string;
  readonly memory: MemoryLog;
  readonly state = new StateMap();
  readonly received: Message[] = [];
  readonly publications: Publication[] = [];
  readonly timesTold: TimeAnswer[] = [];
  readonly chunks: Chunk[] = [];
  /** Hears each query. */
  onQuery: (query: BoardQuery) => void = () => {};
  /** As it was handed them. */
  readonly senderKeys: SenderKey[] = [];
  /** What came and did not open, by what was wrong. */
  readonly unopened: string[] = [];
  /** Frames of the handshake and records of the session as they came, and all as it was sent. */
  readonly frames: Uint8Array[] = [];
  readonly sealedIn: Uint8Array[] = [];
  readonly sent: { readonly topic: string; readonly payload: Uint8Array }[] = [];
  readonly roster: Roster;
  readonly initiator: SessionInitiator;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  appliedIndex = 0;
  readonly #options: RawBoardOptions;
  readonly #socket: Socket;
  readonly #follower: Follower;
  readonly #member: MemberSecrets;
  readonly #group: GroupReceiver;
  readonly #parser = mqtt.parser();
  readonly #packets: mqtt.Packet[] = [];
  #onPacket: (() => void) | undefined;
  #onUp: (() => void) | undefined;
  #sequence = 0;

  constructor(options: RawBoardOptions) {
    this.#options = options;
    this.#member = options.member ?? memberOf(options.swarm, "board", options.name);
    this.roster = new Roster(nodeCiphers, this.#member.root, options.swarm, 8);
    const own = { ciphers: nodeCiphers, own: this.#member, roster: this.roster };
    const end = {
      ...own,
      admits: ({ identity }: { identity: { role: string } }) => identity.role === "host",
    };
    this.initiator = new SessionInitiator(end, options.kept);
    this.#group = new GroupReceiver(nodeCiphers, `covey/${options.swarm}/all/raft`);
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
    const { port, localAddress } = options;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.#socket.once("close", () => resolve()));
    this.#parser.on("packet", (packet) => this.#take(packet));
    this.#socket.on("data", (bytes) => this.#parser.parse(bytes));
  }

  /** Connects, subscribes, proves who it is and says hello: a board as it should be. */
  static async join(options: RawBoardOptions): Promise<RawBoard> {
    const board = await RawBoard.secured(options);
    board.hello();
    return board;
  }

  /** The same without the hello. */
  static async secured(options: RawBoardOptions): Promise<RawBoard> {
    const board = new RawBoard(options);
    await board.connect();
    await board.subscribe();
    await board.secure();
    return board;
  }

  async connect(
    clientId = this.#options.name,
    credentials: { username?: string; password?: Buffer } = {
      username: this.#options.name,
      password: Buffer.from(this.#member.signed),
    },
  ): Promise<mqtt.IConnackPacket> {
    const will = { topic: this.topic("gone"), payload: Buffer.from(encodeCbor(goneToWire(this.memberId))) };
    this.write({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId,
      keepalive: 30,
      ...credentials,
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

  /** A refresh of the session from before, or a handshake. */
  async secure(): Promise<void> {
    const up = new Promise<void>((resolve) => {
      this.#onUp = resolve;
    });
    this.publishBytes(this.topic("edhoc"), this.initiator.refresh() ?? this.initiator.start());
    const cut = () => Promise.reject(new Error("closed before the session was up"));
    await Promise.race([up, this.closed.then(cut)]);
  }

  hello(): void {
    const { memberId, memory, appliedIndex } = this;
    const { lastIndex, hardState } = memory;
    const about = { memberId, model: "esp32c3-devkit", firmware: "0.1.0", term: hardState.term };
    const { startId = 1 } = this.#options;
    this.publish("hello", helloToWire({ ...about, lastIndex, appliedIndex, startId }));
  }

  report(sentMs: number, readings: readonly Reading[], sequence = this.#sequence++): void {
    this.publish("report", reportToWire({ sentMs, sequence, readings, blocks: [] }));
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

  want(image: Uint8Array, chunk: number, count: number): void {
    this.publish("update", wantToWire({ image, chunk, count }));
  }

  publish(channel: UpChannel, value: CborValue): void {
    this.publishSealed(channel, encodeCbor(value));
  }

  publishSealed(channel: UpChannel, payload: Uint8Array): void {
    const topic = this.topic(channel);
    this.publishBytes(topic, this.initiator.seal(topic, channel, payload) ?? payload);
  }

  /** As it stands. */
  publishBytes(topic: string, payload: Uint8Array, options: Partial<mqtt.IPublishPacket> = {}): void {
    this.sent.push({ topic, payload });
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

  topic(channel: UpChannel): string {
    return `covey/${this.#options.swarm}/up/${this.#options.name}/${channel}`;
  }

  #take(packet: mqtt.Packet): void {
    if (packet.cmd === "publish") {
      this.#takePublish(packet.topic, new Uint8Array(packet.payload as Buffer));
      return;
    }
    this.#packets.push(packet);
    this.#onPacket?.();
  }

  #takePublish(topic: string, payload: Uint8Array): void {
    const channel = topic.slice(topic.lastIndexOf("/") + 1);
    if (channel === "edhoc") {
      this.#takeFrame(payload);
      return;
    }
    const isShared = topic.endsWith("/all/raft");
    if (isShared) this.#options.onPublication?.(payload);
    else this.sealedIn.push(payload);
    const opened = isShared ? this.#group.open(payload) : this.initiator.open(topic, channel, payload);
    if (opened === undefined || "fault" in opened) {
      this.unopened.push(opened?.fault ?? "no session");
      return;
    }
    const value = decodeCbor(opened.payload);
    if (isShared) this.#hear(publicationFromWire(value));
    else if (channel === "time") this.timesTold.push(timeAnswerFromWire(value));
    else if (channel === "update") this.chunks.push(chunkFromWire(value));
    else if (channel === "query") this.onQuery(queryFromWire(value));
    else if (channel === "group") this.#hold(senderKeyFromWire(value));
    else this.#step(messageFromWire(value));
  }

  #takeFrame(frame: Uint8Array): void {
    this.frames.push(frame);
    if (this.#options.isHalfOpen === true) return;
    const { send, isUp, failure } = this.initiator.take(frame);
    if (send !== undefined) this.publishBytes(this.topic("edhoc"), send);
    if (isUp) this.#onUp?.();
    if (failure !== undefined) this.cut();
  }

  #hold(key: SenderKey): void {
    this.senderKeys.push(key);
    this.#group.hold(key);
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
