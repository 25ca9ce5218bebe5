/** Durations as people write them, in `swarm.ts` and on the command line: `250ms`, `1.5s`, `2m`, `1h`. */
export type Duration = `${number}${DurationUnit}`;
export type DurationUnit = "ms" | "s" | "m" | "h";

const millisecondsOf = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** In the largest unit of which it is a whole number: `90s`, `2m`, `1h`. */
export function durationText(ms: number): string {
  for (const unit of ["h", "m", "s"] as const) {
    if (ms % millisecondsOf[unit] === 0) return `${ms / millisecondsOf[unit]}${unit}`;
  }
  return `${ms}ms`;
}

/** Whole milliseconds, or undefined when `text` is no duration. */
export function parseDuration(text: unknown): number | undefined {
  const match = typeof text === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) : null;
  if (match === null) return undefined;
  const ms = Math.round(Number(match[1]) * millisecondsOf[match[2] as DurationUnit]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
