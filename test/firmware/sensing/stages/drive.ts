/** Feeds a filter as a pipeline does: each due moment before the value that comes at or after it. */
import type { Filter } from "../../../../firmware/sensing/stages/filter.ts";

/** A value and its time in milliseconds. */
export type Sample = readonly [atMs: number, value: number];

/** All that leaves, and when; what falls due after the last sample up to `untilMs` too. */
export function drive(
  filter: Filter,
  samples: readonly Sample[],
  untilMs = samples.at(-1)?.[0] ?? 0,
): Sample[] {
  const left: Sample[] = [];
  const until = (atMs: number) => {
    while (filter.dueMs <= atMs) {
      const { dueMs } = filter;
      const value = filter.advance();
      if (!Number.isNaN(value)) left.push([dueMs, value]);
    }
  };
  for (const [atMs, value] of samples) {
    until(atMs);
    const out = filter.push(value, atMs);
    if (!Number.isNaN(out)) left.push([atMs, out]);
  }
  until(untilMs);
  return left;
}

/** What leaves for values a second apart. */
export function responses(filter: Filter, values: readonly number[]): number[] {
  return drive(
    filter,
    values.map((value, i) => [1000 * i, value]),
  ).map(([, value]) => value);
}
