/**
 * A leader host in virtual time: the real Raft core over a log that loses what was not yet durable, and an MQTT broker's end of
 * every board's connection, in the bytes of mqtt-packet.
 */
import { generate, type Packet, type Parser, parser } from "mqtt-packet";
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { nextVoters } from "../../host-tools/leader/raft/voter-policy.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { healthFromWire, helloFromWire } from "../../protocols/messages/codec.ts";
import { messageFromWire, messageToWire } from "../../protocols/raft/codec.ts";
import { changesTo } from "../../protocols/raft/confchange.ts";
import { Node } from "../../protocols/raft/node.ts";
import {
  type Entry,
  EntryKind,
  type HardState,
  type HostLog,
  type MemberId,
  type RaftOutput,
} from "../../protocols/raft/types.ts";

export interface LeaderSurroundings {
  readonly voterNames: readonly string[];
  nowMs(): number;
  random(): number;
  /** Runs `what` later, in the order of the times. */
  after(delayMs: number, what: () => void): void;
  /** The committed entries, once each, in order; an index that was committed before with something else is a lost promise. */
  onCommitted(entry: Entry): void;
}

const id = "host.00000001";

export class VirtualLeader {
  readonly #around: LeaderSurroundings;
  readonly #log = new VolatileLog();
  readonly #sessions = new Map<string, Session>();
  #hardState: HardState = { term: 1, vote: undefined };
  #node: Node | undefined;
  #committed = 0;
  /** Counts the lives of the process: what an earlier one began must not reach a later one. */
  #life = 0;

  constructor(around: LeaderSurroundings) {
    this.#around = around;
    const founding = { index: 1, term: 1, kind: EntryKind.membership, version: 1 };
    this.#log.append([{ ...founding, data: encodeCbor([id]) }]);
    this.#log.durableIndex = 1;
    this.start();
  }

  get node(): Node | undefined {
    return this.#node;
  }

  start(): void {
    this.#node = new Node({
      id,
      hardState: this.#hardState,
      log: this.#log,
      commitIndex: 0,
      timing: { heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 },
      random: () => this.#around.random(),
      nowMs: this.#around.nowMs(),
    });
    this.#perform(this.#node.campaign(this.#around.nowMs()));
  }

  /** SIGKILL: connections break, and of the log remains what was durable. */
  crash(): void {
    this.#life++;
    this.#node = undefined;
    this.#committed = 0;
    this.#log.loseVolatile();
    for (const session of [...this.#sessions.values()]) session.breakOff();
  }

  tick(): void {
    const node = this.#node;
    if (node === undefined) return;
    const nowMs = this.#around.nowMs();
    this.#perform(node.tick(nowMs));
    if (node.role !== "leader" || !node.isMembershipSettled) return;
    const { voters, members, commitIndex } = node;
    const names = { hostNames: ["host"], voterNames: this.#around.voterNames };
    const next = nextVoters({ self: id, voters, members, commitIndex, ...names, nowMs, aliveMs: 1000 });
    if (next !== undefined) this.#perform(node.change(changesTo(next, node.configuration)).output);
  }

  /** Proposes a setting where there is a leader that can. */
  put(key: string, value: CborValue): void {
    if (this.#node?.role !== "leader") return;
    this.#perform(this.#node.propose(EntryKind.put, encodeCbor([key, value])).output);
  }

  /** The broker's end of a new connection; undefined when nothing listens. */
  accept(board: string, send: (bytes: Uint8Array) => void, onBroken: () => void): Session | undefined {
    if (this.#node === undefined) return undefined;
    this.#sessions.get(board)?.breakOff();
    const session = new Session(board, this, send, onBroken);
    this.#sessions.set(board, session);
    return session;
  }

  onPublish(session: Session, channel: string, payload: Uint8Array): void {
    const node = this.#node!;
    const value = decodeCbor(payload);
    if (channel === "hello") {
      session.member = helloFromWire(value).memberId;
      this.#perform(node.addMember(session.member));
    } else if (channel === "raft") {
      this.#perform(node.step(messageFromWire(value), this.#around.nowMs()));
    } else if (channel === "health") {
      healthFromWire(value);
    }
  }

  onGone(session: Session): void {
    if (this.#sessions.get(session.board) === session) this.#sessions.delete(session.board);
    if (session.member !== undefined) this.#node?.removeMember(session.member);
  }

  /** The contract of `protocols/raft/types.ts`, with a disk that takes its time. */
  #perform(output: RaftOutput): void {
    if (output.violation !== undefined) throw new Error(output.violation);
    if (output.hardState !== undefined) this.#hardState = output.hardState;
    if (output.truncateFrom > 0) this.#log.truncate(output.truncateFrom);
    this.#log.append(output.entries);
    this.#apply(output.commitIndex);
    const life = this.#life;
    const finish = () => {
      if (life !== this.#life) return;
      for (const message of output.messages)
        this.#sessionOf(message.to)?.publish(encodeCbor(messageToWire(message)));
      const last = output.entries.at(-1);
      if (last === undefined) return;
      this.#log.durableIndex = Math.max(this.#log.durableIndex, last.index);
      this.#perform(this.#node!.persisted(last.index, last.term));
    };
    if (output.entries.length > 0) this.#around.after(1 + Math.floor(this.#around.random() * 20), finish);
    else finish();
  }

  #apply(commitIndex: number): void {
    while (this.#committed < commitIndex) this.#around.onCommitted(this.#log.entry(++this.#committed));
    this.#node?.setApplied(this.#committed);
  }

  #sessionOf(member: MemberId): Session | undefined {
    return [...this.#sessions.values()].find((session) => session.member === member);
  }
}

/** The broker's end of one board's connection. */
export class Session {
  readonly board: string;
  member: MemberId | undefined;
  readonly #leader: VirtualLeader;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #onBroken: () => void;
  readonly #parser: Parser = parser({ protocolVersion: 4 });
  #isOpen = true;

  constructor(board: string, leader: VirtualLeader, send: (bytes: Uint8Array) => void, onBroken: () => void) {
    this.board = board;
    this.#leader = leader;
    this.#send = send;
    this.#onBroken = onBroken;
    this.#parser.on("packet", (packet) => this.#onPacket(packet));
  }

  receive(bytes: Uint8Array): void {
    if (this.#isOpen) this.#parser.parse(Buffer.from(bytes));
  }

  breakOff(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leader.onGone(this);
    this.#onBroken();
  }

  publish(payload: Uint8Array): void {
    const topic = `covey/garden/down/${this.board}/raft`;
    this.#answer({ cmd: "publish", topic, payload: Buffer.from(payload), qos: 0, dup: false, retain: false });
  }

  #onPacket(packet: Packet): void {
    if (packet.cmd === "connect") this.#answer({ cmd: "connack", returnCode: 0, sessionPresent: false });
    if (packet.cmd === "subscribe")
      this.#answer({ cmd: "suback", messageId: packet.messageId!, granted: [0] });
    if (packet.cmd === "pingreq") this.#answer({ cmd: "pingresp" });
    if (packet.cmd !== "publish") return;
    const channel = packet.topic.slice(`covey/garden/up/${this.board}/`.length);
    this.#leader.onPublish(this, channel, Uint8Array.from(packet.payload as Buffer));
  }

  #answer(packet: Packet): void {
    if (this.#isOpen) this.#send(Uint8Array.from(generate(packet)));
  }
}

class VolatileLog implements HostLog {
  readonly firstIndex = 1;
  durableIndex = 0;
  #entries: Entry[] = [];

  get lastIndex(): number {
    return this.#entries.length;
  }

  append(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
  }

  truncate(from: number): void {
    this.#entries.length = from - 1;
    this.durableIndex = Math.min(this.durableIndex, from - 1);
  }

  loseVolatile(): void {
    this.#entries.length = this.durableIndex;
  }

  termAt(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entry(index: number): Entry {
    return this.#entries[index - 1]!;
  }
}
