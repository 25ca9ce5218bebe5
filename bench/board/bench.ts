/**
 * `npm run bench:board`: what a board's work costs, counted on the chip's instruction set (QEMU). Every figure repeats
 * exactly. Written to `build/bench-board.json`; with `--update` also into docs/budget.md, whose figures are the limits that
 * the tests hold.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bytes, printTable } from "../table.ts";
import { excesses, readLimits, writeTables } from "./budget-page.ts";
import { type CodecCost, measureCodecs } from "./codec-costs.ts";
import { measureBudget, measureGrowth, type WorkCost } from "./measure.ts";

const budget = await measureBudget();
printTable("One piece of work (rv32imac instructions)", budget.work.map(workRow));
printTable(
  `RAM, of an arena of ${bytes(budget.arenaBytes)}`,
  budget.ram.map(({ name, amount, unit }) => ({ what: name, figure: count(amount), how: unit })),
);
printTable(
  "Code, minified",
  budget.code.map((part) => ({ what: part.name, figure: bytes(part.bytes), how: "" })),
);
printTable(
  "A secure session",
  budget.session.map(({ name, instructions, allocatedBytes }) => ({
    what: name,
    figure: count(instructions),
    how: `instructions, ${bytes(allocatedBytes)} allocated`,
  })),
);
printTable(
  "An operator, a sample",
  budget.operators.map(({ name, instructions, allocatedBytes }) => ({
    what: name,
    figure: count(instructions),
    how: `instructions, ${bytes(allocatedBytes)} allocated`,
  })),
);
const { idleTurnInstructions, sensorReadInstructions, flashWriteInstructions } = budget.adapter;
printTable("Of it, what only a simulated board pays", [
  { what: "a turn that does nothing", figure: count(idleTurnInstructions), how: "instructions" },
  { what: "reading a sensor by a call", figure: count(sensorReadInstructions), how: "encode, decode" },
  { what: "writing 112 B of flash by a call", figure: count(flashWriteInstructions), how: "encode, decode" },
]);

/** What manifest.json could ask of the SDK instead of its defaults. */
const growth = { chunkBytes: 16_384, chunkStepBytes: 2048, slots: 2048, slotsStep: 128 };
const grown = await measureGrowth(growth);
printTable(
  "The same with 16,384 B of chunks and 2,048 slots at first, growing by 2,048 B and 128",
  grown.map(({ name, chipInstructions, collections, heapPeakBytes }) => ({
    what: name,
    figure: count(chipInstructions),
    how: `${count(collections)} collections; heap peak ${bytes(heapPeakBytes)}`,
  })),
);

const codecs = await measureCodecs();
for (const codec of codecs) printTable(codec.name, codecRows(codec));

const folder = fileURLToPath(new URL("../../build/", import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(
  `${folder}bench-board.json`,
  `${JSON.stringify({ ...budget, growth, grown, codecs }, null, 2)}\n`,
);
console.log(`\nWritten to ${folder}bench-board.json`);

if (process.argv.includes("--update")) {
  writeTables(budget);
  console.log("docs/budget.md has these figures now: look at the difference before you commit it.");
} else {
  const told = excesses(budget, readLimits());
  for (const sentence of told) console.error(sentence);
  if (told.length > 0) process.exitCode = 1;
}

function count(figure: number): string {
  return figure.toLocaleString("en-US");
}

function workRow({ name, workInstructions, allocatedBytes, chipInstructions, collections, calls }: WorkCost) {
  const chip = `${count(chipInstructions)} with ${count(collections)} collections in the chip's arena`;
  const how = `${bytes(allocatedBytes)} allocated; ${chip}; ${calls} calls`;
  return { what: name, figure: count(workInstructions), how };
}

function codecRows(codec: CodecCost) {
  const { loadedBytes, loadedCollectedBytes, preloaded } = codec;
  return [
    { what: "minified", figure: bytes(codec.minifiedBytes), how: "" },
    {
      what: "heap when loaded",
      figure: bytes(loadedBytes),
      how: `${bytes(loadedCollectedBytes)} after a collection`,
    },
    {
      what: "heap when preloaded and used",
      figure: typeof preloaded === "number" ? bytes(preloaded) : "none",
      how: typeof preloaded === "number" ? "after a collection" : preloaded,
    },
    ...codec.operations.map(({ name, instructions, allocatedBytes }) => ({
      what: name,
      figure: count(instructions),
      how: `instructions, ${bytes(allocatedBytes)} allocated`,
    })),
  ];
}
