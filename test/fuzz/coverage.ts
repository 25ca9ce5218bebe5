/**
 * Which blocks of the code have run, from V8's own block coverage (node:inspector). It is asked for once for many runs, because asking costs thousands of
 * times what a run does.
 *
 * V8 says of each function that ran where blocks are in it that did not. So what is kept is the text that never ran, of each function as intervals, and
 * coverage is new when a function runs for the first time or its text that never ran gets less.
 */
import { Session } from "node:inspector";

type Interval = readonly [from: number, to: number];

/** What one span of time has run: of each function its blocks that did not. */
export type Coverage = ReadonlyMap<string, readonly Interval[]>;

export class CoverageRecorder {
  readonly #session = new Session();
  readonly #isOurs: (url: string) => boolean;
  readonly #neverRan = new Map<string, readonly Interval[]>();

  /** @param isOurs whether the code at this URL counts. Start it before that code is loaded. */
  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Functions that have run. */
  get functions(): number {
    return this.#neverRan.size;
  }

  /** Characters in them that have not. */
  get charactersLeft(): number {
    let sum = 0;
    for (const intervals of this.#neverRan.values()) sum += lengthOf(intervals);
    return sum;
  }

  /** What has run since the last call. */
  take(): Coverage {
    const coverage = new Map<string, readonly Interval[]>();
    // The inspector answers before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, answer) => {
      if (error) throw error;
      for (const { url, functions } of answer.result) {
        if (!this.#isOurs(url)) continue;
        for (const { ranges } of functions) {
          const [whole, ...blocks] = ranges;
          if (whole === undefined || whole.count === 0) continue;
          const idle = blocks.filter(({ count }) => count === 0);
          coverage.set(
            `${url}:${whole.startOffset}`,
            idle.map(({ startOffset, endOffset }) => [startOffset, endOffset]),
          );
        }
      }
    });
    return coverage;
  }

  isNew(coverage: Coverage): boolean {
    for (const [name, idle] of coverage) {
      const before = this.#neverRan.get(name);
      if (before === undefined || lengthOf(both(before, idle)) < lengthOf(before)) return true;
    }
    return false;
  }

  add(coverage: Coverage): void {
    for (const [name, idle] of coverage) {
      const before = this.#neverRan.get(name);
      this.#neverRan.set(name, before === undefined ? both(idle, idle) : both(before, idle));
    }
  }

  stop(): void {
    this.#session.disconnect();
  }
}

/** Where both are, without overlaps. */
function both(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const common: Interval[] = [];
  for (const [from, to] of a) {
    for (const [start, end] of b) {
      const [first, last] = [Math.max(from, start), Math.min(to, end)];
      const isInside = common.some((each) => each[0] <= first && last <= each[1]);
      if (first < last && !isInside) common.push([first, last]);
    }
  }
  return common;
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from, 0);
}
