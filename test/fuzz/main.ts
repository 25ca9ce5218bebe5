/**
 * `npm run fuzz`: coverage-guided fuzzing of every decoder that faces the network.
 *
 *   --seconds N   how long, over all targets; 60 when neither is said
 *   --runs N      inputs of each target, instead of a time
 *   --seed N      of all chance: the same run again, but for the keys of handshakes
 *   --target TEXT only targets whose name has this in it
 *   --json        the outcome as JSON
 *
 * Exits with 1 when there is a finding, each printed with the smallest input that shows it, as hex. The decoders run in a thread of their own, watched from here:
 * one that does not return is a finding too.
 */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { inputBytesMax } from "./mutate.ts";
import type { FuzzingOutcome, FuzzingPlan } from "./worker.ts";

/** No input may take so long. */
const hangMs = 20_000;

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    runs: { type: "string" },
    seed: { type: "string" },
    target: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const plan: FuzzingPlan = {
  seconds: values.runs === undefined ? numberOf("seconds", values.seconds ?? "60") : Infinity,
  runs: values.runs === undefined ? Infinity : numberOf("runs", values.runs),
  seed: values.seed === undefined ? Date.now() >>> 0 : numberOf("seed", values.seed),
  target: values.target ?? "",
  // Count of inputs, length of the latest, which target; then the input itself.
  watch: new SharedArrayBuffer(12 + inputBytesMax),
};

const outcome = await run(plan);
if (values.json) console.log(JSON.stringify(outcome));
else print(outcome);
process.exitCode = outcome.findings.length > 0 ? 1 : 0;

function run(plan: FuzzingPlan): Promise<FuzzingOutcome> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: plan });
  return new Promise((resolve, reject) => {
    let last = -1;
    const watch = setInterval(() => {
      const [count, length] = new Int32Array(plan.watch, 0, 2);
      if (count !== last || count === 0) {
        last = count!;
        return;
      }
      clearInterval(watch);
      const input = Buffer.from(new Uint8Array(plan.watch, 12, length)).toString("hex");
      const target = `target ${new Int32Array(plan.watch, 8, 1)[0]} of those asked for`;
      void worker.terminate();
      const findings = [{ target, what: `did not return within ${hangMs} ms`, input }];
      resolve({ seed: plan.seed, findings, targets: [], functions: 0, charactersLeft: 0 });
    }, hangMs);
    worker.once("message", (outcome: FuzzingOutcome) => {
      clearInterval(watch);
      resolve(outcome);
    });
    worker.once("error", (error) => {
      clearInterval(watch);
      reject(error);
    });
  });
}

function print({ seed, findings, targets, functions, charactersLeft }: FuzzingOutcome): void {
  for (const { name, runs, kept } of targets) {
    console.log(`${name.padEnd(40)} ${String(runs).padStart(9)} inputs ${String(kept).padStart(5)} kept`);
  }
  console.log(
    `Seed ${seed}: ${functions} functions ran; ${charactersLeft} characters of them never did. Findings: ${findings.length}.`,
  );
  for (const { target, what, input } of findings)
    console.log(`\n${target}: ${what}\n  ${input || "(empty)"}`);
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!(number >= 0)) throw new RangeError(`--${name} must be a number, not ${text}.`);
  return number;
}
