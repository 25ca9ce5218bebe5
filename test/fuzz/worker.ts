/** The thread in which the decoders run. */
import { parentPort, workerData } from "node:worker_threads";
import { CoverageRecorder } from "./coverage.ts";
import { randomOf } from "./random.ts";

export interface FuzzingPlan {
  /** Over all targets; Infinity for as long as `runs` takes. */
  readonly seconds: number;
  /** Of each target. */
  readonly runs: number;
  readonly seed: number;
  /** In the names of the targets. */
  readonly target: string;
  /** Three 32-bit integers (inputs so far, bytes of the latest, number of its target), then the latest input. */
  readonly watch: SharedArrayBuffer;
}

export interface FuzzingOutcome {
  readonly seed: number;
  readonly findings: readonly { readonly target: string; readonly what: string; readonly input: string }[];
  readonly targets: readonly { readonly name: string; readonly runs: number; readonly kept: number }[];
  /** Of the code under test: functions that ran, and characters in them that did not. */
  readonly functions: number;
  readonly charactersLeft: number;
}

const plan = workerData as FuzzingPlan;
parentPort!.postMessage(await fuzz(plan));

async function fuzz({ seconds, runs, seed, target, watch }: FuzzingPlan): Promise<FuzzingOutcome> {
  const coverage = new CoverageRecorder((url) => /\/(protocols|host-tools)\//.test(url));
  // After the recorder, which counts only what is loaded then.
  const { Fuzzer } = await import("./fuzzer.ts");
  const { targets } = await import("./targets/all.ts");
  const asked = targets.filter(({ name }) => name.includes(target));
  if (asked.length === 0) throw new RangeError(`No target has ${target} in its name.`);
  const random = randomOf(seed);
  const figures = new Int32Array(watch, 0, 3);
  const latest = new Uint8Array(watch, 12);
  const fuzzers = asked.map((each, number) => {
    const onInput = (input: Uint8Array) => {
      latest.set(input.subarray(0, latest.length));
      figures[1] = Math.min(input.length, latest.length);
      figures[2] = number;
      figures[0]!++;
    };
    return new Fuzzer(each, coverage, random, onInput);
  });
  const endMs = performance.now() + seconds * 1000;
  for (const fuzzer of fuzzers) fuzzer.begin();
  for (let isOver = false; !isOver; ) {
    isOver = true;
    for (const fuzzer of fuzzers) {
      if (fuzzer.runs >= runs || performance.now() >= endMs) continue;
      fuzzer.batch();
      isOver = false;
    }
  }
  const { functions, charactersLeft } = coverage;
  coverage.stop();
  return {
    seed,
    findings: fuzzers.flatMap(({ findings }) =>
      findings.map((found) => ({
        target: found.target,
        what: found.what,
        input: Buffer.from(found.input).toString("hex"),
      })),
    ),
    targets: fuzzers.map((fuzzer) => ({
      name: fuzzer.target.name,
      runs: fuzzer.runs,
      kept: fuzzer.corpus.length - fuzzer.target.seeds.length - 1,
    })),
    functions,
    charactersLeft,
  };
}
