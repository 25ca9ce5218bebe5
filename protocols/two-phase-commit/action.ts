/**
 * An action that several boards carry out together or not at all, as the swarm agrees on it.
 *
 * It is the value of a key, `covey/act/00` to `covey/act/15`, and goes through three entries of the log: `begun`, then `committed` or `aborted`, then
 * the same with `isEnded`, which says that every board's outcome is known. Each is put only in place of the one before (compare-and-set), so of two
 * decisions the first in the log is the only one: the log is the coordinator's memory, and any leader goes on from it (Gray and Lamport, "Consensus on
 * Transaction Commit", 2006, section 3, with the log in place of one coordinator's disk).
 *
 * A board of a committed action that is lost for good is given up (`given-up.ts`): it moves from `boards` to `givenUp`, and nobody waits for it any more.
 *
 * An action that was aborted leaves no trace that a board must see: who finds another one in its place knows that it was aborted (presumed abort,
 * Mohan, Lindsay and Obermarck 1986). One that was committed stays until every board has told its outcome.
 */
import { reservedKeyPrefix } from "../state/command.ts";

export const actionKeyPrefix = `${reservedKeyPrefix}act/`;

/** Under which the swarm agrees on the metrics that actions ask for, so that boards remember their latest reading: `watched.ts`. */
export const watchedKey = `${actionKeyPrefix}metrics`;

export const actionLimits = Object.freeze({
  /** Actions at a time, ended ones included. */
  slots: 16,
  /** Boards of one action. */
  boardsMax: 250,
  /** Characters of a name: of an action, a board, an output, a metric. */
  nameLengthMax: 32,
  outputsMax: 8,
  requirementsMax: 8,
  /** Who gave boards of one action up. */
  giversMax: 8,
  /** UTF-8 bytes of such a one's name. */
  giverBytesMax: 48,
  /** UTF-8 bytes of why an action was aborted, or a board voted no. */
  reasonBytesMax: 120,
  idMax: 0xffff_ffff,
});

export type Phase = "begun" | "committed" | "aborted";

export interface OutputValue {
  readonly output: string;
  readonly value: number;
}

/** There is a good reading of `metric` from `min` to `max` that is no older than `maxAgeMs`. */
export interface Requirement {
  readonly metric: string;
  readonly min: number;
  readonly max: number;
  readonly maxAgeMs: number;
}

/** Boards of a committed action that somebody has said to be lost for good. They do not act on it any more. */
export interface GivenUp {
  readonly by: string;
  /** Packed. */
  readonly boards: Uint8Array;
}

export interface Action {
  /** Drawn at random by whoever began it: what is told of an action names it, since its key may be another's later. */
  readonly id: number;
  readonly name: string;
  /** Of its boards, packed (`names.ts`), without those that were given up; of one that has ended, of those that did not follow the decision. */
  readonly boards: Uint8Array;
  /** Empty once it has ended, as `require`. */
  readonly set: readonly OutputValue[];
  readonly require: readonly Requirement[];
  /** How long outputs are held; 0 until another action. */
  readonly forMs: number;
  /** A board that has promised and hears no decision for so long goes to its safe values; 0 for never. */
  readonly safetyMs: number;
  /** Unix milliseconds: not decided then, it is aborted. */
  readonly deadlineMs: number;
  /** Unix milliseconds at which all boards act; undefined for as soon as they learn that it is committed. */
  readonly startMs: number | undefined;
  readonly phase: Phase;
  readonly isEnded: boolean;
  /** Why it was aborted; "" otherwise. */
  readonly reason: string;
  /** Those of whom it is not known what they did; over the end of the action, until they are back and have told. */
  readonly givenUp: readonly GivenUp[];
}

/** `covey/act/07` for 7. */
export function slotKey(slot: number): string {
  return `${actionKeyPrefix}${slot < 10 ? "0" : ""}${slot}`;
}

/** undefined for a key that is no slot's. */
export function slotOf(key: string): number | undefined {
  if (key.length !== actionKeyPrefix.length + 2 || !key.startsWith(actionKeyPrefix)) return undefined;
  const slot = Number(key.slice(actionKeyPrefix.length));
  return slot >= 0 && slot < actionLimits.slots && slotKey(slot) === key ? slot : undefined;
}

/** As people see it: eight hexadecimal digits. */
export function actionIdText(id: number): string {
  return id.toString(16).padStart(8, "0");
}

/** Whether both drive an output that is the same by name. */
export function sharedOutput(a: readonly OutputValue[], b: readonly OutputValue[]): string | undefined {
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) if (a[i]!.output === b[j]!.output) return a[i]!.output;
  }
  return undefined;
}
