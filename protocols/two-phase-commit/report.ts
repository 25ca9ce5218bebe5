/**
 * What a board tells of the actions that it takes part in, on the channel `action`, until it learns that they have ended.
 *
 * ```
 * [version, [[slot, id, stage, reason, wallMs | null, boundMs | null], ...]]
 * ```
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { actionLimits } from "./action.ts";

/**
 * `no`: it can't. `yes`: it has promised, and keeps that over a power cut. `armed`: it knows the time, and will act at the action's. `acted`. `released`: it knows that the action
 * was aborted, or that it was given up before it had acted, and is bound by nothing. `heuristic`: it heard no decision in time, or could not act, and went to its safe values on its own. `settled`: that, and by now it knows
 * the decision.
 */
export type Stage = "no" | "yes" | "armed" | "acted" | "released" | "heuristic" | "settled";

export interface ActionReport {
  readonly slot: number;
  readonly id: number;
  readonly stage: Stage;
  /** Of `no`, `heuristic` and `settled`; "" otherwise. */
  readonly reason: string;
  /** Of `acted`: when, in Unix milliseconds as the board knew them; undefined where it did not. */
  readonly wallMs: number | undefined;
  /** `wallMs` is off by this at most. */
  readonly boundMs: number | undefined;
}

export const reportVersion = 1;

export function reportsToWire(reports: readonly ActionReport[]): CborValue {
  const items: CborValue[] = [];
  for (const { slot, id, stage, reason, wallMs, boundMs } of reports) {
    items.push([slot, id, stages.indexOf(stage), reason, wallMs ?? null, boundMs ?? null]);
  }
  return [reportVersion, items];
}

/** Throws `ShapeError`. */
export function reportsFromWire(value: CborValue): ActionReport[] {
  const items = new ItemReader(value, "action report", "", 2);
  items.version(reportVersion);
  const reports: ActionReport[] = [];
  for (const item of items.array("the actions", actionLimits.slots)) reports.push(reportFrom(item));
  return reports;
}

function reportFrom(value: CborValue): ActionReport {
  const items = new ItemReader(value, "action report", "an action", 6);
  return {
    slot: items.integer("the slot", 0, actionLimits.slots - 1),
    id: items.integer("the id", 0, actionLimits.idMax),
    stage: stages[items.integer("the stage", 0, stages.length - 1)]!,
    reason: items.text("the reason", actionLimits.reasonBytesMax),
    wallMs: items.integerOrNone("wallMs", 0, Number.MAX_SAFE_INTEGER),
    boundMs: items.integerOrNone("boundMs", 0, Number.MAX_SAFE_INTEGER),
  };
}

/** The place of a stage is its number on the wire. */
const stages: readonly Stage[] = Object.freeze([
  "no",
  "yes",
  "armed",
  "acted",
  "released",
  "heuristic",
  "settled",
] as const);
