import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import {
  type Action,
  actionLimits,
  type OutputValue,
  slotKey,
  slotOf,
  watchedKey,
} from "../../protocols/two-phase-commit/action.ts";
import { actionFromWire } from "../../protocols/two-phase-commit/codec.ts";
import { Participant, type ParticipantPorts } from "../../protocols/two-phase-commit/participant.ts";
import { promisesFromBytes } from "../../protocols/two-phase-commit/promises.ts";
import { watchedFromWire } from "../../protocols/two-phase-commit/watched.ts";
import type { Acting, Sensing } from "../sensing/sensing.ts";
import type { BoardStore } from "../storage/board-store.ts";
import { RecordKind } from "../storage/record.ts";
import type { BoardLog } from "./board-log.ts";
import type { CrashLoop } from "./crash-loop.ts";
import type { Links } from "./links.ts";
import type { Member } from "./member.ts";
import type { Messenger } from "./messenger.ts";
import type { WallTime } from "./wall-time.ts";

export interface ActionsParts {
  readonly board: string;
  readonly store: BoardStore;
  readonly sensing: Sensing;
  readonly time: WallTime;
  readonly member: Member;
  readonly links: Links;
  readonly crashLoop: CrashLoop;
  readonly messenger: Messenger;
  readonly log: BoardLog;
}

interface Latest {
  value: number;
  takenMs: number;
}

/** Whether the agreed state, or what the board kept, speaks of actions. */
export function speaksOfActions(store: BoardStore): boolean {
  if (store.own(RecordKind.promises) !== undefined || store.get(watchedKey) !== undefined) return true;
  for (let slot = 0; slot < actionLimits.slots; slot++)
    if (store.get(slotKey(slot)) !== undefined) return true;
  return false;
}

/**
 * The board's part in actions (`protocols/two-phase-commit/participant.ts`), on its flash, its outputs and its latest readings. There only while the agreed
 * state speaks of actions: a board of a swarm that has none keeps nothing of this.
 */
export class Actions implements Acting, ParticipantPorts {
  readonly #parts: ActionsParts;
  readonly #participant: Participant;
  /** The latest good reading of each metric that actions ask for; NaN before the first. */
  readonly #latest = new Map<string, Latest>();
  readonly #held = new Map<string, number>();
  /** Bit i: what the agreed state says of slot i has not been looked at. */
  #unseen = 2 ** actionLimits.slots - 1;
  #term = 0;
  #wasJoined = false;

  constructor(parts: ActionsParts, nowMs: number) {
    this.#parts = parts;
    const kept = parts.store.own(RecordKind.promises);
    const promises = (kept && promisesFromBytes(kept)) ?? [];
    this.watch();
    this.#participant = new Participant(parts.board, this, promises, nowMs);
    parts.sensing.acting = this;
  }

  /** Nothing is left to do, to hold or to remember. */
  get isIdle(): boolean {
    return this.#unseen === 0 && this.#latest.size === 0 && this.#participant.isIdle;
  }

  /** When `run` has something to do though nothing has arrived; Infinity for never. */
  dueMs(nowMs: number): number {
    const reportMs = this.isJoined ? this.#participant.reportDueMs : Infinity;
    return Math.min(reportMs, this.#participant.dueMs(nowMs));
  }

  /** A committed entry has changed a key that begins with `actionKeyPrefix`. */
  onStateChange(key: string): void {
    const slot = slotOf(key);
    if (slot !== undefined) this.#unseen |= 1 << slot;
    else if (key === watchedKey) this.watch();
  }

  /** A snapshot has become the state. */
  onStateReplaced(): void {
    this.#unseen = 2 ** actionLimits.slots - 1;
    this.watch();
  }

  run(nowMs: number): void {
    const { member, messenger } = this.#parts;
    if (this.#unseen !== 0 && member.isCurrent) this.look(nowMs);
    this.#participant.run(nowMs);
    const { isJoined } = this;
    if (member.term !== this.#term || isJoined !== this.#wasJoined) this.#participant.onLeaderChange();
    this.#term = member.term;
    this.#wasJoined = isJoined;
    if (!isJoined || nowMs < this.#participant.reportDueMs) return;
    this.#participant.onReported(messenger.sendActions(this.#participant.reports()), nowMs);
  }

  // For the outputs.

  heldValue(output: string): number {
    return this.#held.get(output) ?? NaN;
  }

  onReading(metric: string, value: number, takenMs: number): void {
    const latest = this.#latest.get(metric);
    if (latest === undefined) return;
    latest.value = value;
    latest.takenMs = takenMs;
  }

  // For the participant.

  wallMs(nowMs: number): number {
    return this.#parts.time.wallMs(nowMs);
  }

  boundMs(nowMs: number): number {
    return this.#parts.time.boundMs(nowMs);
  }

  obstacle(action: Action, nowMs: number): string | undefined {
    const { sensing, crashLoop } = this.#parts;
    if (crashLoop.isSafe) return "it is in safe mode";
    for (const { output } of action.set) if (!sensing.hasOutput(output)) return `it has no output ${output}`;
    for (const { metric, min, max, maxAgeMs } of action.require) {
      const latest = this.#latest.get(metric);
      if (latest === undefined || Number.isNaN(latest.value)) return `it has no reading of ${metric}`;
      const { value, takenMs } = latest;
      if (nowMs - takenMs > maxAgeMs)
        return `its ${metric} is ${Math.round((nowMs - takenMs) / 1_000)} s old`;
      if (!(value >= min && value <= max)) return `${metric} is ${Math.round(value * 1_000) / 1_000}`;
    }
    return undefined;
  }

  keep(promises: Uint8Array): boolean {
    const isKept = this.#parts.store.keepOwn(RecordKind.promises, promises);
    if (!isKept) this.#parts.log.write("error", "promise-not-kept", "bytes", promises.length);
    return isKept;
  }

  canHold(set: readonly OutputValue[]): boolean {
    const { sensing, crashLoop } = this.#parts;
    return !crashLoop.isSafe && set.every(({ output }) => sensing.hasOutput(output));
  }

  hold(set: readonly OutputValue[]): void {
    for (const { output, value } of set) this.#held.set(output, value);
    this.decide("action-holds", set);
  }

  holdSafe(set: readonly OutputValue[]): void {
    for (const { output } of set) this.#held.set(output, Infinity);
    this.decide("action-safe", set);
  }

  release(set: readonly OutputValue[]): void {
    for (const { output } of set) this.#held.delete(output);
    this.decide("action-over", set);
  }

  private decide(what: string, set: readonly OutputValue[]): void {
    if (set.length === 0) return;
    this.#parts.log.write("info", what, "outputs", set.map(({ output }) => output).join(","));
    this.#parts.sensing.acting = this;
  }

  private get isJoined(): boolean {
    return this.#parts.links.state === "joined";
  }

  /** First what has been decided: it may let go of what another action begins on. */
  private look(nowMs: number): void {
    const begun: [number, Action][] = [];
    for (let slot = 0; slot < actionLimits.slots; slot++) {
      if ((this.#unseen & (1 << slot)) === 0) continue;
      const action = this.read(slot);
      if (action?.phase === "begun") begun.push([slot, action]);
      else this.#participant.onSlot(slot, action, nowMs);
    }
    this.#unseen = 0;
    for (let i = 0; i < begun.length; i++) this.#participant.onSlot(begun[i]![0], begun[i]![1], nowMs);
  }

  private read(slot: number): Action | undefined {
    const value = this.#parts.store.get(slotKey(slot));
    if (!(value instanceof Uint8Array)) return undefined;
    try {
      return actionFromWire(decodeCbor(value));
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#parts.log.write("error", "action-refused", "reason", error.message);
      return undefined;
    }
  }

  /** Which metrics are to be remembered. */
  private watch(): void {
    const value = this.#parts.store.get(watchedKey);
    let metrics: readonly string[] = noMetrics;
    try {
      if (value instanceof Uint8Array) metrics = watchedFromWire(decodeCbor(value));
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#parts.log.write("error", "watched-refused", "reason", error.message);
    }
    for (const metric of [...this.#latest.keys()]) if (!metrics.includes(metric)) this.#latest.delete(metric);
    for (const metric of metrics) {
      if (!this.#latest.has(metric)) this.#latest.set(metric, { value: NaN, takenMs: -Infinity });
    }
  }
}

const noMetrics: readonly string[] = Object.freeze([]);
