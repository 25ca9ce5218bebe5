/**
 * Each strategy at 10, 100 and 1,000 boards, four tasks a board: how even it is (the most that a board holds over what it would hold if all were even) and how many tasks
 * move when a board is lost, and when it returns. Counted over every tenth board, so it repeats exactly; the time is of one whole placing.
 *
 *     npx node bench/balancing.ts [--json]
 */
import { place } from "../protocols/balancing/place.ts";
import { type Holder, type Strategy, strategies, type Work } from "../protocols/balancing/types.ts";

const tasksPerBoard = 4;

interface Figures {
  readonly strategy: Strategy;
  readonly boards: number;
  readonly maxOverMean: number;
  /** Of the boards that were taken away in turn, on average: what they had, and what was moved. */
  readonly lost: number;
  readonly movedAfterLoss: number;
  readonly maxOverMeanAfterLoss: number;
  readonly movedAfterReturn: number;
  readonly ms: number;
}

const figures = [10, 100, 1_000].flatMap((boards) => strategies.map((strategy) => measure(strategy, boards)));
if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
else print(figures);

function measure(strategy: Strategy, boards: number): Figures {
  const holders = Array.from({ length: boards }, (_, i) => board(`board-${i}`));
  const work = Array.from({ length: tasksPerBoard * boards }, (_, i) => task(`task-${i}`, strategy));
  const startMs = performance.now();
  const before = place(work, holders, new Map(), 0);
  const ms = performance.now() - startMs;
  const sums = { lost: 0, loss: 0, back: 0, worst: 0 };
  const trials = 10;
  for (let i = 0; i < trials; i++) {
    const lost = holders[Math.floor((i * boards) / trials)]!.name;
    const left = holders.filter(({ name }) => name !== lost);
    const after = place(work, left, before, work.length);
    const back = place(work, holders, after, 2 * work.length);
    sums.lost += [...before.values()].filter((at) => at === lost).length;
    sums.loss += differences(before, after);
    sums.back += differences(after, back);
    sums.worst = Math.max(sums.worst, maxOverMean(after, left.length));
  }
  return {
    ...{ strategy, boards, maxOverMean: maxOverMean(before, boards) },
    ...{ lost: sums.lost / trials, movedAfterLoss: sums.loss / trials },
    ...{ maxOverMeanAfterLoss: sums.worst, movedAfterReturn: sums.back / trials, ms },
  };
}

function maxOverMean(placing: ReadonlyMap<string, string>, boards: number): number {
  const counts = new Map<string, number>();
  for (const at of placing.values()) counts.set(at, (counts.get(at) ?? 0) + 1);
  return Math.max(...counts.values()) / (placing.size / boards);
}

function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): number {
  return [...a].filter(([name, at]) => b.get(name) !== at).length;
}

function task(name: string, strategy: Strategy): Work {
  return {
    ...{ name, strategy, load: 1, size: 1 },
    ...{ needs: [], zones: [], mains: false, apartFrom: [] },
  };
}

function board(name: string): Holder {
  return { ...{ name, weight: 1, load: 0, room: 64 }, ...{ has: [], zone: undefined, onBattery: false } };
}

function print(all: readonly Figures[]): void {
  console.log(
    "| boards | strategy | max over mean | after a loss | the lost one had | moved after a loss | moved after its return | time |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const one of all) {
    const cells = [
      one.boards.toLocaleString("en-US"),
      one.strategy,
      ...[one.maxOverMean, one.maxOverMeanAfterLoss].map((value) => value.toFixed(2)),
      ...[one.lost, one.movedAfterLoss, one.movedAfterReturn].map((value) => value.toFixed(1)),
      `${one.ms.toFixed(1)} ms`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
