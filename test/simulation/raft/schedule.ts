/**
 * What is to happen in one run, drawn from its seed beforehand: faults, commands and changes, each at its time. Every step carries a seed of its
 * own for what it leaves open (which member, which links, how long), so that leaving one out changes no other: a schedule can be shortened.
 */
import type { Random } from "./random.ts";

export interface Step<Kind extends string = string> {
  /** Its place in the schedule that the seed gives, by which a replay names it. */
  readonly number: number;
  readonly atMs: number;
  readonly what: Kind;
  readonly seed: number;
}

export interface Schedule<Weather = unknown, Kind extends string = string> {
  readonly seed: number;
  readonly weather: Weather;
  /** In order of time. */
  readonly steps: readonly Step<Kind>[];
  /** When the last fault is mended. */
  readonly faultsEndMs: number;
}

/** One kind of step that comes again and again. */
export interface Recurring<Kind extends string> {
  readonly what: Kind;
  readonly everyMs: readonly [least: number, most: number];
  readonly untilMs: number;
}

/** Steps of all kinds, in order of time. */
export function drawSteps<Kind extends string>(
  random: Random,
  recurring: readonly Recurring<Kind>[],
): Step<Kind>[] {
  const steps: Omit<Step<Kind>, "number">[] = [];
  for (const { what, everyMs, untilMs } of recurring) {
    for (let atMs = random.between(...everyMs); atMs < untilMs; atMs += random.between(...everyMs)) {
      steps.push({ atMs, what, seed: random.seed() });
    }
  }
  steps.sort((a, b) => a.atMs - b.atMs);
  return steps.map((step, number) => ({ ...step, number }));
}

/** `12,40@1700`: step 12 at its time, step 40 at 1,700 ms; `-` for none. What `selectSteps` reads. */
export function stepsToText(steps: readonly Step[], original: Schedule): string {
  if (steps.length === 0) return "-";
  return steps
    .map(({ number, atMs }) => (original.steps[number]!.atMs === atMs ? `${number}` : `${number}@${atMs}`))
    .join(",");
}

/** The schedule of the same seed with these steps alone. Throws `RangeError` when the text names no such step. */
export function selectSteps<S extends Schedule>(schedule: S, text: string): S {
  const steps = (text === "-" ? [] : text.split(",")).map((part) => {
    const [number, atMs] = part.split("@").map(Number);
    const step = schedule.steps[number!];
    if (step === undefined || Number.isNaN(atMs)) {
      throw new RangeError(`Seed ${schedule.seed} has ${schedule.steps.length} steps, not "${part}".`);
    }
    return { ...step, atMs: atMs ?? step.atMs };
  });
  steps.sort((a, b) => a.atMs - b.atMs);
  return { ...schedule, steps };
}
