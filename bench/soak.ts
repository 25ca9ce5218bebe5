/**
 * `npm run soak [-- HOURS [SEED]]`: a board lives through a virtual day of faults in the real XS engine. Ends with what was seen, and
 * with 1 when the board did what it must not.
 */
import { loadBoards } from "../host-tools/boards/boards.ts";
import { probeFirmware } from "../test/simulation/soak/probe-firmware.ts";
import { type SoakProgress, type SoakResult, soak, soakLimits } from "../test/simulation/soak/soak.ts";
import { SoakFailure } from "../test/simulation/soak/soak-failure.ts";
import { verdictOn } from "../test/simulation/soak/verdict.ts";
import { bytes, printTable, type Row } from "./table.ts";

const intervalMs = 600_000;
const hourMs = 3_600_000;

const hours = positive(process.argv[2], 24);
const seed = positive(process.argv[3], 1);
const startedMs = performance.now();
const elapsedSeconds = () => `${((performance.now() - startedMs) / 1000).toFixed(0)} s`;

try {
  const result = await soak({
    firmware: await probeFirmware(),
    stackSlots: loadBoards().get("esp32c3-devkit")!.stackSlots,
    seed,
    intervals: Math.max(16, Math.round((hours * hourMs) / intervalMs)),
    intervalMs,
    onProgress: tell,
  });
  const { problems, steady, starts } = verdictOn(result);
  printTable(`A board under soak, seed ${seed}`, [
    {
      what: "heap after collection, one power cycle",
      figure: `${bytes(steady.firstBytes)} -> ${bytes(steady.lastBytes)}`,
      how: `medians of the first and last quarter of ${steady.samples} samples; may grow by ${bytes(soakLimits.growthBytesMax)}`,
    },
    {
      what: "heap after collection, start to start",
      figure: `${bytes(starts.firstBytes)} -> ${bytes(starts.lastBytes)}`,
      how: `the same of ${starts.samples} starts`,
    },
    ...rowsOf(result),
  ]);
  for (const problem of problems) console.error(`Failed: ${problem}.`);
  process.exitCode = problems.length > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof SoakFailure)) throw error;
  console.error(`Failed with seed ${seed} ${error.message}.`);
  process.exitCode = 1;
}

function tell({ interval, intervals, sample, totals }: SoakProgress): void {
  const hour = (sample.atMs / hourMs).toFixed(1).padStart(4);
  const done = `${interval + 1}/${intervals}`.padStart(7);
  console.log(
    `${done}  hour ${hour}  heap ${bytes(sample.usedBytes)}  starts ${totals.boots}  ${elapsedSeconds()}`,
  );
}

function rowsOf({ virtualMs, totals, entries, terms, faults, connects, markWrites }: SoakResult): Row[] {
  const count = (value: number) => value.toLocaleString("en-US");
  const all = [...faults.values()].reduce((sum, times) => sum + times, 0);
  return [
    { what: "virtual time", figure: `${(virtualMs / hourMs).toFixed(1)} h`, how: `in ${elapsedSeconds()}` },
    {
      what: "faults",
      figure: count(all),
      how: [...faults].map(([name, times]) => `${name} ${times}`).join(", "),
    },
    { what: "starts", figure: count(totals.boots), how: "each a new process on the same flash" },
    { what: "connections", figure: count(connects), how: "attempts, never two at a time" },
    { what: "entries committed", figure: count(entries), how: `in ${count(terms)} terms; all applied` },
    { what: "settings at a pin", figure: count(markWrites), how: "each once, in order" },
    { what: "sectors erased", figure: count(totals.erases), how: "of 16" },
    {
      what: "readings reported",
      figure: count(totals.reported),
      how: `${count(totals.dropped)} dropped and counted, none unaccounted for`,
    },
    { what: "collections", figure: count(totals.collections), how: `in ${count(totals.turns)} turns` },
    { what: "instructions", figure: count(totals.instructions), how: "of bytecode" },
    {
      what: "heap at its peak",
      figure: bytes(totals.peakBytes),
      how: `${bytes(totals.claimedBytes)} of the arena claimed`,
    },
    { what: "stack at its peak", figure: count(totals.stackPeakSlots), how: "slots" },
  ];
}

function positive(word: string | undefined, otherwise: number): number {
  if (word === undefined) return otherwise;
  const value = Number(word);
  if (value > 0) return value;
  throw new RangeError(`${word} is no number above 0: npm run soak -- HOURS SEED`);
}
