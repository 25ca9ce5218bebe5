/** Sets of whole numbers as ranges, both ends included: ascending, and no two that touch. */

export type Range = readonly [first: number, last: number];
export type Ranges = readonly Range[];

export const noRanges: Ranges = [];

/** All that is in one of them. */
export function unite(...sets: readonly Iterable<Range>[]): Ranges {
  const sorted = sets.flatMap((set) => [...set]).sort((a, b) => a[0] - b[0]);
  const united: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = united.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else united.push([first, last]);
  }
  return united;
}

/** What is in `ranges` and not in `less`. */
export function without(ranges: Ranges, less: Ranges): Ranges {
  const left: Range[] = [];
  let at = 0;
  for (const [first, last] of ranges) {
    let next = first;
    while (at < less.length && less[at]![1] < next) at++;
    for (let i = at; i < less.length && less[i]![0] <= last; i++) {
      if (less[i]![0] > next) left.push([next, less[i]![0] - 1]);
      next = less[i]![1] + 1;
    }
    if (next <= last) left.push([next, last]);
  }
  return left;
}

/** What is in both. */
export function common(a: Ranges, b: Ranges): Ranges {
  return without(a, without(a, b));
}

export function countOf(ranges: Ranges): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

export function has(ranges: Ranges, number: number): boolean {
  return ranges.some(([first, last]) => number >= first && number <= last);
}

/** The highest `count` of them. */
export function highest(ranges: Ranges, count: number): Ranges {
  const kept: Range[] = [];
  let left = count;
  for (let i = ranges.length - 1; i >= 0 && left > 0; i--) {
    const [first, last] = ranges[i]!;
    kept.unshift([Math.max(first, last - left + 1), last]);
    left -= last - first + 1;
  }
  return kept;
}
