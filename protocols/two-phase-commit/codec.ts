/**
 * An action between struct and CBOR value: the value of a slot's key.
 *
 * ```
 * [1, id, name, h'boards', [[output, value], ...], [[metric, min, max, maxAgeMs], ...], forMs, safetyMs, deadlineMs, startMs | null, phase, isEnded, reason, [[who gave up, h'boards'], ...]]
 * ```
 *
 * Exactly so many items: a board must not take part in half of an action that says more than it understands.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { stateLimits } from "../state/command.ts";
import {
  type Action,
  actionLimits,
  type GivenUp,
  type OutputValue,
  type Phase,
  type Requirement,
} from "./action.ts";
import { checkNames } from "./names.ts";

export const actionVersion = 1;

export function actionToWire(action: Action): CborValue {
  const { id, name, boards, set, require, forMs, safetyMs, deadlineMs, startMs, phase, isEnded, reason } =
    action;
  return [
    actionVersion,
    id,
    name,
    boards,
    outputsToWire(set),
    require.map(({ metric, min, max, maxAgeMs }) => [metric, min, max, maxAgeMs]),
    forMs,
    safetyMs,
    deadlineMs,
    startMs ?? null,
    phases.indexOf(phase),
    isEnded,
    reason,
    action.givenUp.map((one) => [one.by, one.boards]),
  ];
}

/** Throws `ShapeError`. */
export function actionFromWire(value: CborValue): Action {
  const items = new ItemReader(value, format, "", 14);
  items.version(actionVersion);
  const id = items.integer("the id", 0, actionLimits.idMax);
  const name = items.text("the name", actionLimits.nameLengthMax);
  const boards = items.bytes("the boards", stateLimits.valueBytesMax);
  checkNames(boards, format);
  const set = outputsFromWire(items.array("the outputs", actionLimits.outputsMax), format);
  const require: Requirement[] = [];
  for (const item of items.array("the requirements", actionLimits.requirementsMax)) {
    require.push(requirementFrom(item));
  }
  const forMs = items.integer("forMs", 0, msMax);
  const safetyMs = items.integer("safetyMs", 0, msMax);
  const deadlineMs = items.integer("deadlineMs", 0, msMax);
  const startMs = items.integerOrNone("startMs", 0, msMax);
  const phase = phases[items.integer("the phase", 0, phases.length - 1)]!;
  const isEnded = items.boolean("isEnded");
  const reason = items.text("the reason", actionLimits.reasonBytesMax);
  const givenUp = items.array("who was given up", actionLimits.giversMax).map(givenUpFrom);
  items.end();
  const what = { id, name, boards, set, require };
  return { ...what, forMs, safetyMs, deadlineMs, startMs, phase, isEnded, reason, givenUp };
}

export function outputsToWire(set: readonly OutputValue[]): CborValue {
  return set.map(({ output, value }) => [output, value]);
}

/** Throws `ShapeError`. */
export function outputsFromWire(items: readonly CborValue[], what: string): OutputValue[] {
  return items.map((item) => {
    const one = new ItemReader(item, what, "an output", 2);
    const output = one.text("the name", actionLimits.nameLengthMax);
    return { output, value: one.number("the value", 0, 100) };
  });
}

const format = "action";
const msMax = Number.MAX_SAFE_INTEGER;
const phases: readonly Phase[] = Object.freeze(["begun", "committed", "aborted"] as const);

function requirementFrom(value: CborValue): Requirement {
  const items = new ItemReader(value, format, "a requirement", 4);
  const metric = items.text("the metric", actionLimits.nameLengthMax);
  const min = items.number("min", -Number.MAX_VALUE, Number.MAX_VALUE);
  const max = items.number("max", min, Number.MAX_VALUE);
  return { metric, min, max, maxAgeMs: items.integer("maxAgeMs", 0, msMax) };
}

function givenUpFrom(value: CborValue): GivenUp {
  const items = new ItemReader(value, format, "boards given up", 2);
  const by = items.text("by whom", actionLimits.giverBytesMax);
  const boards = items.bytes("which", stateLimits.valueBytesMax);
  checkNames(boards, format);
  return { by, boards };
}
