/** What a client asks for when it has an action carried out: `{boards?, timeoutMs?, startMs?}`. */
import { actionLimits } from "../../../protocols/two-phase-commit/action.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";

export interface ActionRequest {
  readonly name: string;
  /** Undefined: as declared. */
  readonly boards: readonly string[] | undefined;
  /** From begun to aborted, where not all have answered. */
  readonly timeoutMs: number;
  /** Unix milliseconds; undefined for at once. */
  readonly startMs: number | undefined;
}

export const requestLimits = {
  timeoutMs: 5_000,
  timeoutMsMin: 100,
  timeoutMsMax: 600_000,
  /** From now. */
  startMsMax: 7 * 24 * 3_600_000,
} as const;

/** @throws {ApiFailure} */
export function parseActionRequest(name: string, body: string, nowMs: number): ActionRequest {
  const example = '{"boards": ["north-1"], "timeoutMs": 5000}';
  const { boards, timeoutMs = requestLimits.timeoutMs, startMs } = parseObject(body, example);
  const { timeoutMsMin, timeoutMsMax, startMsMax } = requestLimits;
  if (boards !== undefined && !areNames(boards)) {
    throw new ApiFailure("bad-request", `Name boards as in ${example}.`);
  }
  if (!isIntegerWithin(timeoutMs, timeoutMsMin, timeoutMsMax)) {
    const range = `from ${timeoutMsMin} to ${timeoutMsMax}`;
    throw new ApiFailure("bad-request", `timeoutMs must be a whole number ${range}.`);
  }
  if (startMs !== undefined && !isIntegerWithin(startMs, 0, nowMs + startMsMax)) {
    throw new ApiFailure("bad-request", "startMs must be Unix milliseconds, within a week from now.");
  }
  return { name, boards, timeoutMs, startMs };
}

export function areNames(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > actionLimits.boardsMax) return false;
  return value.every((name) => typeof name === "string");
}

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
