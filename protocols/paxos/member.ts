/**
 * A board's part in the registers of its group, without I/O, clock or randomness of its own: it hears of the group and of what the log has recorded, takes what other members send, and hands it to
 * whom it concerns: its acceptor in its memory (`member-memory.ts`), the changes that are on their way here (`changes.ts`), what it knows to be chosen (`known-states.ts`). Members that have missed something
 * get it by digests, which go round. Every step gives a `MemberOutput`, and the driver owes it this order:
 *
 * 1. make `keep` durable in place of what was kept, then say `onKept`;
 * 2. send `messages`, tell `outcomes`.
 *
 * Where the first is not possible, it does none of the second, which is as if datagrams were lost: the next step gives `keep` again. So no promise, no
 * acceptance and no outcome leaves the board before it is durable, and no ballot is used twice: a proposer's own acceptor promises it first.
 */
import { nameOf } from "../messages/member-name.ts";
import type { MemberId } from "../raft/types.ts";
import { Changes } from "./changes.ts";
import type { Copy } from "./copy.ts";
import { KnownStates } from "./known-states.ts";
import { MemberMemory } from "./member-memory.ts";
import { Membership } from "./membership.ts";
import type { Decided, Digest, PaxosMessage } from "./messages.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import type { ClosedReport, RecordedState } from "./report.ts";
import type { Change, Chosen, Group, Outcome } from "./types.ts";

export interface MemberOptions {
  readonly memberId: MemberId;
  /** Below 1, from 0. */
  random(): number;
}

export interface MemberOutput {
  /** undefined where nothing has changed. */
  readonly keep: Uint8Array | undefined;
  readonly messages: readonly Outgoing[];
  readonly outcomes: readonly Outcome[];
}

export const digestPeriods = Object.freeze({
  /** Between digests, each to another member. */
  digestMs: 5_000,
  /** Between digests to members that know more. */
  digestMsMin: 1_000,
});

export class Member {
  readonly #options: MemberOptions;
  readonly #memory: MemberMemory;
  readonly #membership: Membership;
  readonly #known = new KnownStates();
  readonly #outbox = new Outbox();
  readonly #changes: Changes;
  #digestMs = Infinity;
  #lastDigestMs = -Infinity;
  #nextPeer = 0;

  /** With what was kept before the power failed. */
  constructor(options: MemberOptions, kept: Uint8Array | undefined) {
    const { memberId, random } = options;
    const membership = new Membership(memberId);
    const memory = new MemberMemory(memberId, kept);
    const known = this.#known;
    const outbox = this.#outbox;
    for (const chosen of memory.untold) known.learn(chosen);
    this.#options = options;
    this.#membership = membership;
    this.#memory = memory;
    this.#changes = new Changes({ board: nameOf(memberId), random, membership, memory, known, outbox });
  }

  /** It votes in the group that it knows, open or closing. */
  get isMember(): boolean {
    return this.#membership.place >= 0;
  }

  /** Names of the other members; none where it is no member itself. */
  get peers(): readonly string[] {
    return this.#membership.peers;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return Math.min(this.#memory.dueMs, this.#changes.dueMs, this.#digestMs);
  }

  /** The latest that is known to be chosen; undefined for a register that it never heard of. */
  known(register: string): Chosen | undefined {
    return this.#known.of(register);
  }

  /** What the leader is to be told, until `onRecorded`. */
  get untold(): readonly Chosen[] {
    return this.#memory.untold;
  }

  /** How many chosen states fell out of `untold`. */
  get lost(): number {
    return this.#memory.lost;
  }

  /** What the leader is to be told of a group that is closing; undefined while there is nothing, or it is not durable yet. */
  closed(): ClosedReport | undefined {
    const { acceptor, isDirty } = this.#memory;
    const { group, place } = this.#membership;
    if (isDirty || place < 0 || group?.isClosing !== true) return undefined;
    if (acceptor?.isClosed !== true || acceptor.epoch !== group.epoch) return undefined;
    const { memberId } = this.#options;
    return { kind: "closed", member: memberId, epoch: acceptor.epoch, accepted: acceptor.accepted() };
  }

  /** The group as the agreed state has it, once that is durable here; undefined for none. The same may be said again. */
  onGroup(group: Group | undefined, nowMs: number): MemberOutput {
    if (group === undefined) this.leave();
    else if (group.epoch >= this.#memory.epoch && !this.#memory.isMute) this.enter(group, nowMs);
    return this.output();
  }

  /** What the log's copy of a register says, once that is durable here. */
  onCopy(register: string, copy: Copy, nowMs: number): MemberOutput {
    const { epoch, version, value, by, atMs } = copy;
    this.#known.learn({ register, epoch, state: { version, value, by, request: 0, atMs } });
    this.#memory.remove({ register, epoch, version }, nowMs);
    return this.output();
  }

  /** The leader has recorded these. */
  onRecorded(states: readonly RecordedState[], nowMs: number): MemberOutput {
    for (const state of states) this.#memory.remove(state, nowMs);
    return this.output();
  }

  /**
   * A change or a reading is wanted. It waits while the group is closing, and for others of the same register here. One that is asked for again gets the outcome that it had, as
   * long as that is among the last `registerLimits.outcomesMax`.
   */
  propose(change: Change, nowMs: number): MemberOutput {
    this.#changes.propose(change, nowMs);
    return this.output();
  }

  /** A message of a board that has proved to be `from`. */
  take(from: string, message: PaxosMessage, nowMs: number): MemberOutput {
    const membership = this.#membership;
    const place = membership.placeOf(from);
    if (!this.isMember || place < 0 || message.epoch !== membership.group!.epoch) return this.output();
    const isSound = !("state" in message) || membership.isSound(message.register, message.state);
    if (message.kind === "digest") this.onDigest(from, message, nowMs);
    else if (isSound) {
      switch (message.kind) {
        case "prepare":
        case "accept":
        case "look": {
          const answer = this.#memory.ask(message);
          if (answer !== undefined) this.#outbox.send(from, answer);
          break;
        }
        case "decided":
          this.onDecided(message, nowMs);
          break;
        default:
          this.#changes.take(place, message, nowMs);
      }
    }
    this.#changes.watch(nowMs);
    return this.output();
  }

  /** A session with a member has come up: it is told what is known here. */
  onPeerUp(name: string, nowMs: number): MemberOutput {
    if (this.#changes.isOpen && this.peers.includes(name)) this.digest(name, nowMs);
    return this.output();
  }

  /** Does what is due by the clock. */
  run(nowMs: number): MemberOutput {
    this.#memory.run(nowMs);
    this.#changes.run(nowMs);
    if (nowMs >= this.#digestMs) {
      this.#digestMs = nowMs + digestPeriods.digestMs;
      if (this.peers.length > 0) this.digest(this.peers[this.#nextPeer++ % this.peers.length]!, nowMs);
    }
    this.#changes.watch(nowMs);
    return this.output();
  }

  /** The last `keep` is durable. */
  onKept(): void {
    this.#memory.onKept();
  }

  private enter(group: Group, nowMs: number): void {
    const { epoch, registers, base, isClosing } = group;
    const before = this.#membership.group;
    this.#membership.onGroup(group);
    if (epoch > this.#memory.epoch) {
      const isNext = epoch === this.#memory.epoch + 1;
      this.#memory.enter(epoch, this.isMember ? base : undefined);
      this.#changes.onEpoch(group, isNext);
    }
    for (let i = 0; i < registers.length; i++) {
      const { name } = registers[i]!;
      this.#known.learn({ register: name, epoch, state: base[i]! });
      const decided = this.#memory.acceptor?.decided(i);
      if (decided !== undefined) this.#known.learn({ register: name, epoch, state: decided.state });
    }
    if (isClosing) this.#memory.close();
    if (!this.#changes.isOpen) this.#digestMs = Infinity;
    else if (before?.epoch !== epoch || before.isClosing !== isClosing) {
      this.#digestMs = nowMs + Math.ceil(digestPeriods.digestMs * this.#options.random());
    }
    this.#changes.startNext(nowMs);
    this.#changes.watch(nowMs);
  }

  private leave(): void {
    this.#membership.onGroup(undefined);
    this.#changes.leave();
    this.#digestMs = Infinity;
  }

  private onDecided({ epoch, register, ballot, state }: Decided, nowMs: number): void {
    const { registers, base } = this.#membership.group!;
    const chosen = { register: registers[register]!.name, epoch, state };
    this.#memory.learn({ epoch, register, ballot, state }, nowMs);
    this.#known.learn(chosen);
    if (state.version > base[register]!.version) this.#memory.addHeard(chosen, nowMs);
    this.#changes.learn(chosen.register, state, nowMs);
  }

  /** Whoever knows less is sent what is chosen; who knows more is asked, by a digest in turn. */
  private onDigest(from: string, { versions }: Digest, nowMs: number): void {
    const { registers } = this.#membership.group!;
    let isBehind = false;
    for (let i = 0; i < Math.min(registers.length, versions.length); i++) {
      const decided = this.#memory.acceptor?.decided(i);
      if (decided !== undefined && decided.state.version > versions[i]!) this.#outbox.send(from, decided);
      if (this.#known.version(registers[i]!.name) < versions[i]!) isBehind = true;
    }
    const isTime = nowMs - this.#lastDigestMs >= digestPeriods.digestMsMin;
    if (isBehind && isTime && this.#changes.isOpen) this.digest(from, nowMs);
  }

  private digest(to: string, nowMs: number): void {
    const { epoch, registers } = this.#membership.group!;
    this.#lastDigestMs = nowMs;
    const versions = registers.map(({ name }) => this.#known.version(name));
    this.#outbox.send(to, { kind: "digest", epoch, versions });
  }

  private output(): MemberOutput {
    const outbox = this.#outbox;
    return {
      keep: this.#memory.toKeep(),
      messages: outbox.takeMessages(),
      outcomes: outbox.takeOutcomes(),
    };
  }
}
