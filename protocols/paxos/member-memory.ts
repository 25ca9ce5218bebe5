/**
 * What a member keeps over a power cut, and how soon: the latest epoch that it knew of, its acceptor in that epoch, and the chosen states that no leader has recorded.
 *
 * What it has promised, accepted or found to be chosen binds: it is durable before anything else leaves the board (`isDirty`). What it only heard, others know as well:
 * that is kept within `keepMs`, or with the next thing that binds, and so costs no write of its own while changes go on.
 */
import type { MemberId } from "../raft/types.ts";
import { Acceptor } from "./acceptor.ts";
import { memberFromBytes, memberToBytes } from "./kept.ts";
import type { Answer, Decided, Question } from "./messages.ts";
import type { RecordedState } from "./report.ts";
import type { Chosen, RegisterState } from "./types.ts";
import { Untold } from "./untold.ts";

export const memoryPeriods = Object.freeze({
  /** What was heard to be chosen is kept by then, if nothing else is before. */
  keepMs: 5_000,
});

export class MemberMemory {
  /** What was kept is not understood: it may have promised anything, and so takes part in nothing. */
  readonly isMute: boolean;
  readonly #memberId: MemberId;
  readonly #untold: Untold;
  #epoch = 0;
  #acceptor: Acceptor | undefined;
  #isDirty = false;
  #keepMs = Infinity;

  /** With what was kept before the power failed. */
  constructor(memberId: MemberId, kept: Uint8Array | undefined) {
    const before = kept === undefined ? undefined : memberFromBytes(kept);
    this.isMute = kept !== undefined && before === undefined;
    this.#memberId = memberId;
    this.#untold = new Untold(before?.untold ?? [], before?.lost ?? 0);
    // Whoever has another id is somebody else, even where the flash was kept.
    if (before === undefined || before.memberId !== memberId) return;
    this.#epoch = before.epoch;
    this.#acceptor = before.acceptor;
  }

  /** The latest that it knew of; 0 for none. */
  get epoch(): number {
    return this.#epoch;
  }

  /** undefined where it is no member in its epoch. */
  get acceptor(): Acceptor | undefined {
    return this.#acceptor;
  }

  /** What no leader has recorded, as far as it knows. */
  get untold(): readonly Chosen[] {
    return this.#untold.states;
  }

  /** How many states fell out of `untold`. */
  get lost(): number {
    return this.#untold.lost;
  }

  /** Something changed that must be durable before anything leaves. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.#keepMs;
  }

  /** A later epoch has begun, with these states; undefined where it is no member of it. */
  enter(epoch: number, base: readonly RegisterState[] | undefined): void {
    this.#epoch = epoch;
    this.#acceptor = base === undefined ? undefined : new Acceptor(epoch, base);
    this.#isDirty = true;
  }

  /** Its epoch is closing. */
  close(): void {
    if (this.#acceptor?.close() === true) this.#isDirty = true;
  }

  /** What the acceptor answers; undefined for nothing. */
  ask(question: Question): Answer | undefined {
    const taken = { isChanged: false };
    const answer = this.#acceptor?.take(question, taken);
    if (taken.isChanged) this.#isDirty = true;
    return answer;
  }

  /** This board has found it to be chosen: it is durable before it is said, and before anything is built on it. */
  addFound(chosen: Chosen): void {
    if (this.#untold.add(chosen)) this.#isDirty = true;
  }

  /** Another board says that it is chosen. */
  addHeard(chosen: Chosen, nowMs: number): void {
    if (this.#untold.add(chosen)) this.keepSoon(nowMs);
  }

  /** The acceptor is told what is chosen. */
  learn(decided: Omit<Decided, "kind">, nowMs: number): void {
    if (this.#acceptor?.learn(decided) === true) this.keepSoon(nowMs);
  }

  /** A leader has recorded it. */
  remove(recorded: RecordedState, nowMs: number): void {
    if (this.#untold.remove(recorded)) this.keepSoon(nowMs);
  }

  run(nowMs: number): void {
    if (nowMs < this.#keepMs) return;
    this.#isDirty = true;
    // Where there is no room for it, again after a while.
    this.#keepMs = nowMs + memoryPeriods.keepMs;
  }

  /** What is to be made durable now; undefined for nothing. */
  toKeep(): Uint8Array | undefined {
    if (!this.#isDirty) return undefined;
    return memberToBytes(this.#memberId, this.#epoch, this.#acceptor, this.#untold);
  }

  /** The last `toKeep` is durable. */
  onKept(): void {
    this.#isDirty = false;
    this.#keepMs = Infinity;
  }

  private keepSoon(nowMs: number): void {
    if (this.#keepMs === Infinity) this.#keepMs = nowMs + memoryPeriods.keepMs;
  }
}
