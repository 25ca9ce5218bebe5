/**
 * Where a task is, as the swarm has agreed: the value of `covey/task/<name>`, encoded.
 *
 * ```
 * placement [1, 0 stopped | 1 held | 2 released, holder | null, token, leaseMs, sinceMs, program]     program: `../pipeline/program-codec.ts`
 * ```
 *
 * The token grows with each placement and is never used again, so whoever was placed before is known as such, however late it speaks. A task that stops
 * keeps its key, for its token.
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { isProgramName } from "../pipeline/program-codec.ts";
import { reservedKeyPrefix } from "../state/command.ts";

/** `held`: `holder` is to run it. `released`: `holder` had it and is to let go, and somebody else is to have it. `stopped`: the same, and nobody is. */
export type PlacementMode = "stopped" | "held" | "released";

export interface Placement {
  readonly mode: PlacementMode;
  /** The board or the host that has it, or had it last; undefined for nobody yet. */
  readonly holder: string | undefined;
  /** 0 before the first placement. */
  readonly token: number;
  /** For so long after its holder asked the leader it may run the task, by its own clock. */
  readonly leaseMs: number;
  /** Unix milliseconds of the leader that placed it; for showing. */
  readonly sinceMs: number;
  /** As `programToWire` makes it: pipelines alone. */
  readonly program: CborValue;
}

export const taskLimits = Object.freeze({
  /** Of one swarm. */
  tasksMax: 32,
  /** Characters of a name: as long as a metric's. */
  nameLengthMax: 32,
  leaseMsMin: 2_000,
  leaseMsMax: 600_000,
  tokenMax: 9_999_999,
  /** Characters of a task's metric: with `#` and a token it is still as long as a metric may be. */
  metricLengthMax: 24,
  holderBytesMax: 64,
});

export const taskKeyPrefix = `${reservedKeyPrefix}task/`;
export const placementVersion = 1;

/**
 * From when the leader last heard a holder to when nobody runs what it had: the lease, and a quarter of it for clocks. If one is a tenth too slow and
 * the other a tenth too fast, the holder's lease takes 1.1 / 0.9 of it on the leader's clock, which is less.
 */
export function lapseMs(leaseMs: number): number {
  return leaseMs + Math.ceil(leaseMs / 4);
}

export function placementToWire(placement: Placement): CborValue {
  const { mode, holder, token, leaseMs, sinceMs, program } = placement;
  return [placementVersion, modes.indexOf(mode), holder ?? null, token, leaseMs, sinceMs, program];
}

/** The program is left as it is: only who runs it reads it. @throws {ShapeError} */
export function placementFromWire(value: CborValue): Placement {
  const items = new ItemReader(value, "placement", "", 7);
  items.version(placementVersion);
  const mode = modes[items.integer("the mode", 0, modes.length - 1)]!;
  const holder = items.isNone() ? undefined : items.text("the holder", taskLimits.holderBytesMax);
  const token = items.integer("the token", 0, taskLimits.tokenMax);
  const leaseMs = items.integer("leaseMs", taskLimits.leaseMsMin, taskLimits.leaseMsMax);
  const sinceMs = items.integer("sinceMs", 0, Number.MAX_SAFE_INTEGER);
  const program = items.any();
  items.end();
  if (mode === "held" && (holder === undefined || token === 0)) {
    throw new ShapeError(
      "placement",
      "the holder of a task that is held",
      "a name, with a token",
      holder ?? null,
    );
  }
  return { mode, holder, token, leaseMs, sinceMs, program };
}

/** What the readings of a task are called on their way: `temperature#7`, 7 being the token. A metric has no `#` of its own. */
export function fencedMetric(metric: string, token: number): string {
  return `${metric}#${token}`;
}

/** undefined for a metric that is none of a task's. */
export function readFencedMetric(text: string): { metric: string; token: number } | undefined {
  const at = text.indexOf("#");
  if (at < 0) return undefined;
  const metric = text.slice(0, at);
  const digits = text.slice(at + 1);
  const token = Number(digits);
  if (!isProgramName(metric) || !Number.isInteger(token) || `${token}` !== digits || token < 1)
    return undefined;
  return { metric, token };
}

const modes: readonly PlacementMode[] = Object.freeze(["stopped", "held", "released"] as const);
