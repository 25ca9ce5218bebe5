/**
 * `npm run simulate`: runs seeds until one fails or all are done. A failing seed is shortened to the fewest steps that still fail, and printed with
 * the one command that replays it.
 */
import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { Command, InvalidArgumentError } from "commander";
import { coreEngine } from "./core/core-engine.ts";
import type { Engine } from "./engine.ts";
import { failureWord } from "./engine.ts";
import { fullEngine } from "./full/full-engine.ts";
import type { Schedule } from "./schedule.ts";
import { selectSteps, stepsToText } from "./schedule.ts";
import { shrink } from "./shrink.ts";

interface Options {
  readonly engine: string;
  readonly seeds: number;
  readonly seed: number;
  readonly steps?: string;
  readonly history?: string;
  readonly shrinkRuns: number;
  readonly json?: boolean;
}

interface Failure {
  readonly seed: number;
  readonly property: string;
  readonly message: string;
  readonly replay: string;
  readonly steps: readonly string[];
}

const engines: readonly Engine[] = [coreEngine as Engine, fullEngine as Engine];

new Command("simulate")
  .description("Raft under faults in virtual time: one seed, one run")
  .option("--engine <name>", "core: the protocol alone; full: whole boards and hosts", "full")
  .option("--seeds <n>", "how many seeds", positive, 100)
  .option("--seed <n>", "the first seed", positive, 1)
  .option("--steps <list>", "only these steps of the seed's schedule, as a failure names them")
  .option("--history <file>", "write what the clients of the last seed saw, one JSON event a line")
  .option("--shrink-runs <n>", "runs to spend on shortening a failure", positive, 300)
  .option("--json", "one JSON value on stdout")
  .action((options: Options) => {
    process.exitCode = simulate(options) ? 0 : 1;
  })
  .parse();

function simulate(options: Options): boolean {
  const engine = engines.find(({ name }) => name === options.engine);
  if (engine === undefined) {
    const names = engines.map(({ name }) => name).join(" or ");
    throw new Error(`There is no engine "${options.engine}": give ${names}.`);
  }
  const startMs = performance.now();
  const sums: Record<string, number> = {};
  const seeds = options.steps === undefined ? options.seeds : 1;
  const isProgressShown = options.json !== true && process.stderr.isTTY;
  let done = 0;
  let failure: Failure | undefined;
  for (; done < seeds && failure === undefined; done++) {
    if (isProgressShown) showProgress(engine, options.seed, done, seeds, startMs);
    failure = runSeed(engine, options.seed + done, options, sums);
  }
  if (isProgressShown) process.stderr.write("\r\x1b[K");
  report(engine, options, { done, sums, failure, seconds: (performance.now() - startMs) / 1000 });
  return failure === undefined;
}

function runSeed(
  engine: Engine,
  seed: number,
  options: Options,
  sums: Record<string, number>,
): Failure | undefined {
  const whole = engine.schedule(seed);
  const schedule = options.steps === undefined ? whole : selectSteps(whole, options.steps);
  const isReplay = options.steps !== undefined;
  const onNote = (atMs: number, text: string) =>
    process.stdout.write(`${`${atMs}`.padStart(7)} ms  ${text}\n`);
  const onHistory = (text: string) => {
    if (options.history !== undefined) writeFileSync(options.history, text);
  };
  try {
    const figures = engine.run(schedule, { onHistory, ...(isReplay && !options.json ? { onNote } : {}) });
    for (const [name, value] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + value;
    return undefined;
  } catch (error) {
    const shortest = isReplay ? schedule : shorten(engine, schedule, options.shrinkRuns);
    return {
      seed,
      property: failureWord(error),
      message: (error as Error).message,
      replay: `npm run simulate -- --engine ${engine.name} --seed ${seed} --steps ${stepsToText(shortest.steps, whole)}`,
      steps: shortest.steps.map(({ number, atMs, what }) => `${atMs} ms: ${what} (step ${number})`),
    };
  }
}

function shorten(engine: Engine, schedule: Schedule, runsMax: number): Schedule {
  const failure = (candidate: Schedule) => {
    try {
      engine.run(candidate, {});
      return undefined;
    } catch (error) {
      return failureWord(error);
    }
  };
  return shrink(schedule, { failure, runsMax });
}

interface Outcome {
  readonly done: number;
  readonly sums: Readonly<Record<string, number>>;
  readonly failure: Failure | undefined;
  readonly seconds: number;
}

function report(engine: Engine, options: Options, { done, sums, failure, seconds }: Outcome): void {
  if (options.json) {
    const { seed } = options;
    const value = {
      engine: engine.name,
      firstSeed: seed,
      seeds: done,
      seconds,
      sums,
      failure: failure ?? null,
    };
    process.stdout.write(`${JSON.stringify(value)}\n`);
    return;
  }
  if (failure !== undefined) {
    process.stdout.write(`Seed ${failure.seed} breaks ${failure.message}\n`);
    process.stdout.write(`The shortest schedule found has ${failure.steps.length} steps:\n`);
    for (const step of failure.steps) process.stdout.write(`  ${step}\n`);
    process.stdout.write(`Replay it with\n  ${failure.replay}\n`);
    return;
  }
  const figures = Object.entries(sums).map(([name, value]) => `${value} ${words(name)}`);
  process.stdout.write(
    `${done === 1 ? "1 seed holds" : `${done} seeds hold`} (${engine.name}, ${seconds.toFixed(1)} s): ${figures.join(", ")}.\n`,
  );
}

function showProgress(engine: Engine, first: number, done: number, seeds: number, startMs: number): void {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  process.stderr.write(
    `\r\x1b[K${engine.name}: seed ${first + done}, ${done} of ${seeds} hold, ${seconds} s`,
  );
}

/** `votersChanged` as `voters changed`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("Give an integer from 1 on.");
  return value;
}
