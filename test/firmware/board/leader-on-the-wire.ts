/**
 * A leader as a board meets it: a TCP port, MQTT in the bytes of mqtt-packet, Raft by the host's own core, CBOR by cbor-x.
 * All in this process and in virtual time; every byte that passes is kept.
 */
import { Encoder } from "cbor-x";
import { generate, type Packet, type Parser, parser } from "mqtt-packet";
import type { Network, TcpConnection, TcpEvents } from "../../../firmware/platform/ports.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Health, Hello, Report } from "../../../protocols/messages/board-messages.ts";
import {
  healthFromWire,
  helloFromWire,
  reportFromWire,
  timeAnswerToWire,
} from "../../../protocols/messages/codec.ts";
import { messageFromWire, messageToWire } from "../../../protocols/raft/codec.ts";
import { Node } from "../../../protocols/raft/node.ts";
import type { Entry, HardState, HostLog, Message, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });
const id = "host.00000001";

export class LeaderOnTheWire implements Network {
  readonly hellos: Hello[] = [];
  readonly reports: Report[] = [];
  readonly healths: Health[] = [];
  /** Raft messages as they passed, in both directions. */
  readonly raft: Message[] = [];
  /** Wills published, because a connection ended without farewell. */
  wills = 0;
  connects = 0;
  /** False: connections are refused. */
  listening = true;
  /** False: nothing is answered, not even a CONNECT. */
  answering = true;
  /** Bytes that the board's send buffer takes before it is full; set to 0 to stop all writes. */
  sendBufferBytes = Infinity;
  /** Each packet comes in two pieces, so that packets straddle them; 0: in one. */
  firstPieceBytes = 3;
  nowMs = 0;
  /** Unix milliseconds at 0 of the tests' time, told with every health message; undefined: the time is not told. */
  epochMs: number | undefined = Date.UTC(2027, 0, 1);
  readonly #heartbeatMs: number;
  readonly #log = new LogInMemory();
  #node: Node;
  #onNetwork: (up: boolean) => void = () => {};
  #connection: Connection | undefined;
  #member: string | undefined;

  constructor(voters: readonly string[] = [id], heartbeatMs = 250) {
    this.#heartbeatMs = heartbeatMs;
    this.#log.append({
      index: 1,
      term: 1,
      kind: EntryKind.membership,
      version: 1,
      data: cbor.encode(voters),
    });
    this.#node = this.#newNode({ term: 1, vote: undefined }, 0);
    this.#perform(this.#node.campaign(0));
  }

  get commitIndex(): number {
    return this.#node.commitIndex;
  }

  get term(): number {
    return this.#node.term;
  }

  /** When `tick` has something to do. */
  get deadlineMs(): number {
    return this.#node.deadlineMs;
  }

  /** Its process ends and comes back on its log, and leads in a later term. */
  restart(): void {
    this.cut();
    const { term, vote, commitIndex } = this.#node;
    this.#node = this.#newNode({ term, vote }, commitIndex);
    this.#perform(this.#node.campaign(this.nowMs));
  }

  put(key: string, value: CborValue): void {
    this.#perform(this.#node.propose(EntryKind.put, Uint8Array.from(cbor.encode([key, value]))).output);
  }

  propose(kind: number, data: Uint8Array, version: number): void {
    this.#perform(this.#node.propose(kind, data, version).output);
  }

  tick(nowMs: number): void {
    this.nowMs = nowMs;
    if (nowMs >= this.#node.deadlineMs) this.#perform(this.#node.tick(nowMs));
  }

  // The network.

  start(onChange: (up: boolean) => void): void {
    this.#onNetwork = onChange;
    onChange(true);
  }

  setNetwork(up: boolean): void {
    if (!up) this.#connection?.breakOff(undefined);
    this.#onNetwork(up);
  }

  connect(_host: string, _port: number, events: TcpEvents): TcpConnection {
    this.connects++;
    if (!this.listening) {
      events.onClose("connection refused");
      return { write: () => false, close() {} };
    }
    this.#connection?.breakOff(undefined);
    this.#connection = new Connection(this, events);
    events.onOpen();
    return this.#connection;
  }

  /** Ends the connection as a crashed broker does. */
  cut(): void {
    this.#connection?.breakOff("connection reset");
  }

  /** Sends bytes that nobody asked for. */
  sendBytes(bytes: Uint8Array): void {
    this.#connection?.events.onData(bytes);
  }

  sendPayload(channel: string, payload: Uint8Array): void {
    this.#connection?.publish(channel, payload);
  }

  // For the connection.

  onPublish(channel: string, payload: Uint8Array): void {
    const value = cbor.decode(payload);
    switch (channel) {
      case "hello": {
        const hello = helloFromWire(value);
        this.hellos.push(hello);
        if (this.#member !== undefined) this.#node.removeMember(this.#member);
        this.#member = hello.memberId;
        this.#perform(this.#node.addMember(hello.memberId));
        break;
      }
      case "raft": {
        const message = messageFromWire(value);
        this.raft.push(message);
        this.#perform(this.#node.step(message, this.nowMs));
        break;
      }
      case "report":
        this.reports.push(reportFromWire(value));
        break;
      case "health": {
        const health = healthFromWire(value);
        this.healths.push(health);
        if (this.epochMs === undefined) break;
        const answer = timeAnswerToWire({ askedMs: health.sentMs, toldMs: this.epochMs + this.nowMs });
        this.#connection?.publish("time", Uint8Array.from(cbor.encode(answer)));
        break;
      }
      default:
        throw new Error(`The board published on ${channel}.`);
    }
  }

  onGone(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#member !== undefined) this.#node.removeMember(this.#member);
    this.#member = undefined;
  }

  #newNode(hardState: HardState, commitIndex: number): Node {
    return new Node({
      id,
      hardState,
      log: this.#log,
      commitIndex,
      timing: {
        heartbeatMs: this.#heartbeatMs,
        electionMinMs: 4 * this.#heartbeatMs,
        electionMaxMs: 8 * this.#heartbeatMs,
      },
      random: () => 0.5,
      nowMs: this.nowMs,
    });
  }

  #perform(output: RaftOutput): void {
    if (output.violation !== undefined) throw new Error(output.violation);
    for (const entry of output.entries) this.#log.append(entry);
    this.#node.setApplied(output.commitIndex);
    for (const message of output.messages) {
      this.raft.push(message);
      this.#connection?.publish("raft", Uint8Array.from(cbor.encode(messageToWire(message))));
    }
    if (output.entries.length > 0) {
      const { lastIndex } = this.#log;
      this.#perform(this.#node.persisted(lastIndex, this.#log.termAt(lastIndex)!));
    }
  }
}

/** The broker's end of one connection. */
class Connection implements TcpConnection {
  readonly events: TcpEvents;
  readonly #leader: LeaderOnTheWire;
  readonly #parser: Parser;
  #prefix = "";
  #isOpen = true;

  constructor(leader: LeaderOnTheWire, events: TcpEvents) {
    this.#leader = leader;
    this.events = events;
    this.#parser = parser({ protocolVersion: 4 });
    this.#parser.on("packet", (packet) => this.#onPacket(packet));
    this.#parser.on("error", (error) => {
      throw error;
    });
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#isOpen || bytes.length > this.#leader.sendBufferBytes) return false;
    if (this.#leader.answering) this.#parser.parse(Buffer.from(bytes));
    return true;
  }

  close(): void {
    this.breakOff(undefined);
  }

  breakOff(reason: string | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leader.wills++;
    this.#leader.onGone(this);
    if (reason !== undefined) this.events.onClose(reason);
  }

  publish(channel: string, payload: Uint8Array): void {
    const topic = `${this.#prefix.replace("/up/", "/down/")}${channel}`;
    this.#send({ cmd: "publish", topic, payload: Buffer.from(payload), qos: 0, dup: false, retain: false });
  }

  #onPacket(packet: Packet): void {
    switch (packet.cmd) {
      case "connect":
        this.#prefix = packet.will!.topic.slice(0, -"gone".length);
        this.#send({ cmd: "connack", returnCode: 0, sessionPresent: false });
        break;
      case "subscribe":
        this.#send({ cmd: "suback", messageId: packet.messageId!, granted: [0] });
        break;
      case "pingreq":
        this.#send({ cmd: "pingresp" });
        break;
      case "publish":
        if (!packet.topic.startsWith(this.#prefix)) throw new Error(`published on ${packet.topic}`);
        this.#leader.onPublish(
          packet.topic.slice(this.#prefix.length),
          Uint8Array.from(packet.payload as Buffer),
        );
    }
  }

  #send(packet: Packet): void {
    if (!this.#leader.answering) return;
    const bytes = Uint8Array.from(generate(packet));
    const { firstPieceBytes } = this.#leader;
    if (firstPieceBytes > 0) this.events.onData(bytes.subarray(0, firstPieceBytes));
    this.events.onData(bytes.subarray(firstPieceBytes));
  }
}

class LogInMemory implements HostLog {
  readonly #entries: Entry[] = [];
  readonly firstIndex = 1;

  get lastIndex(): number {
    return this.#entries.length;
  }

  append(entry: Entry): void {
    this.#entries.push(entry);
  }

  termAt(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entry(index: number): Entry {
    return this.#entries[index - 1]!;
  }
}
