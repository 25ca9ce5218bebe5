/**
 * A leader as a board meets it: a TCP port, MQTT in the bytes of mqtt-packet, Raft by the host's own core, CBOR by cbor-x.
 * All in this process and in virtual time; every byte that passes is kept.
 *
 * Every port is a host's broker, and a host that proves its name there (`host-trust.ts`). The leader is at home at the first that a board
 * connects to, unless told; where the board is not connected there, another host relays. When it moves, another host has taken over.
 */
import { Encoder } from "cbor-x";
import { generate, type IConnectPacket, type Packet, type Parser, parser } from "mqtt-packet";
import type { Network, TcpConnection, TcpEvents } from "../../../firmware/platform/ports.ts";
import { MemoryLog, sha256 } from "../../../host-tools/raft-shell/memory-log.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { type KeepAnswer, keepAnswerFromWire } from "../../../protocols/keeping/messages.ts";
import type { Health, Hello, Report } from "../../../protocols/messages/board-messages.ts";
import {
  healthFromWire,
  helloFromWire,
  reportFromWire,
  timeAnswerToWire,
} from "../../../protocols/messages/codec.ts";
import { nameOf } from "../../../protocols/messages/member-name.ts";
import { messageFromWire, messageToWire, publicationToWire } from "../../../protocols/raft/codec.ts";
import { Node } from "../../../protocols/raft/node.ts";
import type {
  HardState,
  Message,
  RaftOutput,
  SnapshotItem,
  SnapshotItems,
} from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { rosterKey } from "../../../protocols/security/identity/roster.ts";
import type { SessionResponder } from "../../../protocols/security/session/responder.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { type Turn, turnIn, turnKey, turnToBytes } from "../../../protocols/turns/turn.ts";
import { TurnDesk } from "../../../protocols/turns/turn-desk.ts";
import { type TurnMessage, turnMessageFromWire } from "../../../protocols/turns/turn-message.ts";
import { HostTrust } from "./host-trust.ts";
import { hostNameAt } from "./members.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });
/** As the leader's core knows itself; on the wire it has the name of the host that it is at. */
const id = "host.00000001";

export class LeaderOnTheWire implements Network {
  readonly hellos: Hello[] = [];
  readonly reports: Report[] = [];
  readonly healths: Health[] = [];
  readonly kept: KeepAnswer[] = [];
  /** Raft messages as they passed, in both directions. */
  readonly raft: Message[] = [];
  /** Wills published, because a connection ended without farewell. */
  wills = 0;
  /** Goodbyes that boards published themselves. */
  goodbyes = 0;
  connects = 0;
  /** The ports that were tried, in order. */
  readonly ports: number[] = [];
  /** For each Raft message that came from a board, in order: through which port. */
  readonly answeredTo: number[] = [];
  /** For each report and health message. */
  readonly toldTo: number[] = [];
  /** Ports that refuse connections. */
  readonly deafPorts = new Set<number>();
  /** Whether members listen to publications, from their next hello on. */
  listens = false;
  /** Publications that are lost on their way to everyone. */
  publicationsLost = 0;
  publications = 0;
  /** What the host at this port answers to a want of chunks. */
  onWant: (payload: Uint8Array, port: number) => readonly Uint8Array[] = () => [];
  /** Takes what a board says of registers. */
  onRegister: ((payload: Uint8Array) => void) | undefined;
  /** Takes what a board claims of tasks. */
  onClaim: ((payload: Uint8Array) => void) | undefined;
  /** Takes publications instead of the boards. */
  onPublication: ((payload: Uint8Array) => void) | undefined;
  readonly trust = new HostTrust();
  /** What the board said of its turn to be away. */
  readonly turnWords: TurnMessage[] = [];
  /** Whether it gets it when it asks, as if it could be spared. */
  givesTurns = true;
  readonly #desk = new TurnDesk(0);
  /** A broker that changes what passes down; undefined for what is to pass as it is. */
  inBetween: ((channel: string, bytes: Uint8Array, port: number) => Uint8Array | undefined) | undefined;
  /** Sees each record of a board, once it is opened. */
  onRecord: ((channel: string, bytes: Uint8Array) => void) | undefined;
  /** False: what is for a board that is not connected at home is lost. */
  relays = true;
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
  readonly log = new StateLog();
  #node: Node;
  #onNetwork: (up: boolean) => void = () => {};
  readonly #connections = new Map<number, Connection>();
  #member: string | undefined;
  #homePort: number | undefined;
  #name: string | undefined;

  constructor(voters: readonly string[] = [id], heartbeatMs = 250) {
    this.#heartbeatMs = heartbeatMs;
    const data = Uint8Array.from(cbor.encode(voters));
    this.log.write({
      ...nothing,
      hardState: { term: 1, vote: undefined },
      entries: [{ index: 1, term: 1, kind: EntryKind.membership, version: 1, data }],
    });
    this.log.sync();
    this.#node = this.#newNode({ term: 1, vote: undefined }, 0);
    this.#perform(this.#node.campaign(0));
  }

  /** Member id of the leader, on the wire. */
  get id(): string {
    return `${this.#name ?? "main"}.00000001`;
  }

  /** The leader's own broker; undefined: the first that a board connected to. */
  get homePort(): number | undefined {
    return this.#homePort;
  }

  set homePort(port: number | undefined) {
    this.#homePort = port;
    if (port === undefined || hostNameAt(port) === this.id.split(".")[0] || port < 1000) return;
    this.#name = hostNameAt(port);
    const { term, vote, commitIndex } = this.#node;
    this.#node = this.#newNode({ term, vote }, commitIndex);
    if (this.#member !== undefined) {
      this.#perform(this.#node.addMember(this.#member, { listens: this.listens }));
    }
    this.#perform(this.#node.campaign(this.nowMs));
    for (const connection of this.#connections.values()) connection.handKey();
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
    if (key === rosterKey) this.trust.roster.take(value as Uint8Array);
    this.#perform(this.#node.propose(EntryKind.put, Uint8Array.from(cbor.encode([key, value]))).output);
  }

  /** What is agreed on of the turn to be away. */
  get turn(): Turn {
    return turnIn(this.log.stateAt(this.#node.commitIndex).get(turnKey))!;
  }

  giveTurn(holder: NonNullable<Turn["holder"]>): void {
    this.put(turnKey, turnToBytes({ number: this.turn.number + 1, holder }));
  }

  propose(kind: number, data: Uint8Array, version: number): void {
    this.#perform(this.#node.propose(kind, data, version).output);
  }

  /** Makes the connected board a voter, or a learner again. */
  change(action: "promote" | "demote"): void {
    const kind = action === "promote" ? "voter" : "learner";
    this.#perform(this.#node.change([{ kind, id: this.#member! }]).output);
  }

  /** Forgets all but the state that is applied, so that who lacks more needs a snapshot. */
  compact(): void {
    this.log.compact(this.#node.commitIndex);
  }

  /** To whoever has subscribed, on every broker, under the leader's key. */
  publish(payload: Uint8Array): void {
    this.publishSealed(this.trust.sender(this.id.split(".")[0]!).seal(payload));
  }

  /** Bytes as they are. */
  publishSealed(bytes: Uint8Array): void {
    for (const connection of this.#connections.values()) connection.publishToAll(bytes);
  }

  /** What a board answered comes to the leader. */
  step(message: Message): void {
    this.#perform(this.#node.step(message, this.nowMs));
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
    if (!up) for (const connection of this.#connections.values()) connection.breakOff(undefined);
    this.#onNetwork(up);
  }

  connect(_host: string, port: number, events: TcpEvents): TcpConnection {
    this.connects++;
    this.ports.push(port);
    this.#name ??= hostNameAt(port);
    if (!this.listening || this.deafPorts.has(port)) {
      events.onClose("connection refused");
      return { write: () => false, close() {} };
    }
    this.#connections.get(port)?.breakOff(undefined);
    const connection = new Connection(this, port, events);
    this.#connections.set(port, connection);
    events.onOpen();
    return connection;
  }

  /** Ends the connections, or that to one port, as a crashed broker does. */
  cut(port?: number): void {
    for (const connection of this.#connections.values()) {
      if (port === undefined || connection.port === port) connection.breakOff("connection reset");
    }
  }

  /** Ports that have a connection. */
  get connected(): number[] {
    return [...this.#connections.keys()].sort();
  }

  /** Sends bytes that nobody asked for. */
  sendBytes(bytes: Uint8Array): void {
    this.#home?.events.onData(bytes);
  }

  /** Within the session. */
  sendPayload(channel: string, payload: Uint8Array, port?: number): void {
    const connection = port === undefined ? this.#home : this.#connections.get(port);
    connection?.publish(channel, payload);
  }

  /** As a broker that sends what it likes. */
  sendRaw(channel: string, bytes: Uint8Array, port?: number): void {
    const connection = port === undefined ? this.#home : this.#connections.get(port);
    connection?.publishRaw(channel, bytes);
  }

  get #home(): Connection | undefined {
    const { homePort } = this;
    const open = [...this.#connections.values()];
    const own = open.find(({ port }) =>
      homePort === undefined ? hostNameAt(port) === this.#name : port === homePort,
    );
    return own ?? (homePort === undefined || this.relays ? open[0] : undefined);
  }

  // For the connection.

  onPublish(connection: Connection, channel: string, payload: Uint8Array): void {
    const value = cbor.decode(payload);
    switch (channel) {
      case "hello": {
        const hello = helloFromWire(value);
        this.hellos.push(hello);
        if (this.#connections.size > 1 && this.#member === hello.memberId) break;
        if (this.#member !== undefined) this.#node.removeMember(this.#member);
        this.#member = hello.memberId;
        this.#perform(this.#node.addMember(hello.memberId, { listens: this.listens }));
        break;
      }
      case "raft": {
        const message = messageFromWire(value);
        this.raft.push(message);
        this.answeredTo.push(connection.port);
        this.step(message.to === this.id ? { ...message, to: id } : message);
        break;
      }
      case "report":
        this.reports.push(reportFromWire(value));
        this.toldTo.push(connection.port);
        break;
      case "gone":
        this.goodbyes++;
        break;
      case "health": {
        const health = healthFromWire(value);
        this.healths.push(health);
        this.toldTo.push(connection.port);
        if (this.epochMs === undefined) break;
        const answer = timeAnswerToWire({ askedMs: health.sentMs, toldMs: this.epochMs + this.nowMs });
        connection.publish("time", Uint8Array.from(cbor.encode(answer)));
        break;
      }
      case "turn": {
        const message = turnMessageFromWire(value);
        this.turnWords.push(message);
        this.#desk.hear(nameOf(this.#member!), message, this.turn, this.nowMs);
        const next = this.#desk.next(this.turn, () => this.givesTurns, this.nowMs);
        if (next !== undefined) this.put(turnKey, turnToBytes(next));
        break;
      }
      case "keep":
        this.kept.push(keepAnswerFromWire(value));
        break;
      case "lease":
        this.onClaim?.(payload);
        break;
      case "register":
        if (this.onRegister === undefined) throw new Error("The board votes on registers.");
        this.onRegister(payload);
        break;
      case "update":
        for (const answer of this.onWant(payload, connection.port)) connection.publish("update", answer);
        break;
      default:
        throw new Error(`The board published on ${channel}.`);
    }
  }

  onGone(connection: Connection): void {
    if (connection !== this.#connections.get(connection.port)) return;
    this.#connections.delete(connection.port);
    if (this.#connections.size > 0) return;
    if (this.#member !== undefined) this.#node.removeMember(this.#member);
    this.#member = undefined;
  }

  #newNode(hardState: HardState, commitIndex: number): Node {
    return new Node({
      id,
      hardState,
      log: this.log,
      sha256,
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
    this.log.write(output);
    this.log.sync();
    this.#node.setApplied(output.commitIndex);
    for (const publication of output.publications) {
      this.publications++;
      if (this.publicationsLost > 0) {
        this.publicationsLost--;
        continue;
      }
      const own = { ...publication, from: this.id };
      const payload = Uint8Array.from(cbor.encode(publicationToWire(own)));
      if (this.onPublication === undefined) this.publish(payload);
      else this.onPublication(payload);
    }
    for (const each of output.messages) {
      const message = { ...each, from: this.id };
      this.raft.push(message);
      this.#home?.publish("raft", Uint8Array.from(cbor.encode(messageToWire(message))));
    }
    if (output.entries.length > 0) {
      const { lastIndex } = this.log;
      this.#perform(this.#node.persisted(lastIndex, this.log.termAt(lastIndex)!));
    }
  }
}

/** The broker's and the host's end of one connection. */
class Connection implements TcpConnection {
  readonly events: TcpEvents;
  readonly port: number;
  readonly #leader: LeaderOnTheWire;
  readonly #parser: Parser;
  #prefix = "";
  #filters: readonly string[] = [];
  readonly #responder: SessionResponder;
  #isOpen = true;
  #isLeaving = false;

  constructor(leader: LeaderOnTheWire, port: number, events: TcpEvents) {
    this.#leader = leader;
    this.port = port;
    this.events = events;
    this.#responder = leader.trust.responder(port);
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
    if (!this.#isLeaving) this.#leader.wills++;
    this.#leader.onGone(this);
    if (reason !== undefined) this.events.onClose(reason);
  }

  /** Nothing while the session is not up. */
  publish(channel: string, payload: Uint8Array): void {
    const record = this.#responder.seal(this.#down + channel, channel, payload);
    if (record !== undefined) this.publishRaw(channel, record);
  }

  publishRaw(channel: string, bytes: Uint8Array): void {
    const sent = this.#leader.inBetween?.(channel, bytes, this.port) ?? bytes;
    this.#publish(this.#down + channel, sent);
  }

  publishToAll(bytes: Uint8Array): void {
    const topic = `${this.#prefix.split("/up/")[0]}/all/raft`;
    if (this.#filters.includes(topic)) this.#publish(topic, bytes);
  }

  /** Hands the board the key under which the leader publishes. */
  handKey(): void {
    const { trust, id } = this.#leader;
    this.publish("group", trust.keyOf(id.split(".")[0]!));
  }

  get #down(): string {
    return this.#prefix.replace("/up/", "/down/");
  }

  #onFrame(bytes: Uint8Array): void {
    const { trust } = this.#leader;
    trust.frames.push({ port: this.port, fromBoard: true, bytes });
    const { send, isUp, failure } = this.#responder.take(bytes);
    if (send !== undefined) {
      trust.frames.push({ port: this.port, fromBoard: false, bytes: send });
      this.publishRaw("edhoc", send);
    }
    if (isUp) {
      const session = this.#responder.session!;
      trust.kept.set(this.port, session);
      if (session.refreshes > 0) trust.refreshes++;
      else trust.handshakes++;
      this.handKey();
    }
    if (failure !== undefined) this.breakOff(failure);
  }

  #onRecord(channel: string, bytes: Uint8Array): void {
    const opened = this.#responder.open(this.#prefix + channel, channel, bytes);
    const { session } = this.#responder;
    if (session !== undefined && !this.#leader.trust.roster.belongs(session.peer)) {
      this.breakOff("revoked");
      return;
    }
    if (opened === undefined || !("payload" in opened)) {
      throw new Error(`What the board sealed on ${channel} does not open: ${JSON.stringify(opened)}`);
    }
    this.#leader.onRecord?.(channel, bytes);
    this.#leader.onPublish(this, channel, opened.payload);
  }

  #publish(topic: string, payload: Uint8Array): void {
    this.#send({ cmd: "publish", topic, payload: Buffer.from(payload), qos: 0, dup: false, retain: false });
  }

  #onPacket(packet: Packet): void {
    switch (packet.cmd) {
      case "connect":
        this.#prefix = packet.will!.topic.slice(0, -"gone".length);
        this.#send({ cmd: "connack", returnCode: this.#admits(packet) ? 0 : 5, sessionPresent: false });
        break;
      case "subscribe":
        this.#filters = packet.subscriptions.map(({ topic }) => topic);
        this.#send({ cmd: "suback", messageId: packet.messageId!, granted: this.#filters.map(() => 0) });
        break;
      case "pingreq":
        this.#send({ cmd: "pingresp" });
        break;
      case "disconnect":
        this.#isLeaving = true;
        break;
      case "publish":
        if (!packet.topic.startsWith(this.#prefix)) throw new Error(`published on ${packet.topic}`);
        this.#take(packet.topic.slice(this.#prefix.length), Uint8Array.from(packet.payload as Buffer));
    }
  }

  #take(channel: string, bytes: Uint8Array): void {
    if (channel === "edhoc") this.#onFrame(bytes);
    else if (channel === "gone") this.#leader.onPublish(this, channel, bytes);
    else this.#onRecord(channel, bytes);
  }

  /** As the broker does, so that the host knows whom a handshake refers to. */
  #admits({ clientId, username, password }: { clientId: string } & Partial<IConnectPacket>): boolean {
    if (this.#leader.trust.impostors.has(this.port)) return true;
    const known = this.#leader.trust.roster.admit(Uint8Array.from(password as Buffer));
    return known?.identity.role === "board" && known.identity.name === clientId && username === clientId;
  }

  #send(packet: Packet): void {
    if (!this.#leader.answering) return;
    const bytes = Uint8Array.from(generate(packet));
    const { firstPieceBytes } = this.#leader;
    if (firstPieceBytes > 0) this.events.onData(bytes.subarray(0, firstPieceBytes));
    this.events.onData(bytes.subarray(firstPieceBytes));
  }
}

/** A log whose snapshots hold the agreed state as boards take it: the configuration, then one put a key, sorted. */
class StateLog extends MemoryLog {
  readonly #state = new StateMap();
  #configuration: SnapshotItem | undefined;

  override compact(index: number): void {
    for (let i = this.firstIndex; i <= index; i++) {
      const entry = this.entry(i);
      this.#state.apply(entry);
      if (entry.kind === EntryKind.membership) this.#configuration = entry;
    }
    super.compact(index);
  }

  stateAt(index: number): StateMap {
    const state = new StateMap();
    state.restore(this.#state.sortedKeys().map((key) => this.#state.item(key)));
    for (let i = this.firstIndex; i <= index; i++) state.apply(this.entry(i));
    return state;
  }

  override snapshotItems(
    index: number,
    _to: string,
    first: number,
    bytesMax: number,
  ): SnapshotItems | undefined {
    if (this.snapshot?.index !== index) return undefined;
    const items = [this.#configuration!, ...this.#state.sortedKeys().map((key) => this.#state.item(key))];
    let end = first;
    for (let bytes = 0; end < items.length; end++) {
      bytes += items[end]!.data.length;
      if (bytes > bytesMax && end > first) break;
    }
    return { items: items.slice(first, end), isLast: end >= items.length };
  }
}

const nothing = { hardState: undefined, truncateFrom: 0, entries: [], snapshot: undefined } as const;
