/**
 * `npm run bench`: every figure that the documentation quotes, measured on this machine in one run, printed as tables
 * and written to `build/bench.json`. Times are of this machine and vary; bytes, messages and heap repeat.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { greenhouse, repository, runCovey, temporaryFolder } from "../test/end-to-end/running-swarm.ts";
import { measureFirmwareSize } from "./firmware-size.ts";
import { learnerCounts, measureLeaderCost, printLeaderCost } from "./raft/leader-cost.ts";
import { measureSetCost } from "./set-cost.ts";
import { measureSetLatency } from "./set-latency.ts";
import { measureScale, type SwarmScale, withSwarm } from "./swarm-scale.ts";
import { bytes, megabytes, milliseconds, percentOfCore, printTable } from "./table.ts";

/** What one board may take of its arena at its peak: the rest is for what comes after this slice. */
const heapPeakLimitBytes = 65_536;

const firmware = await measureFirmwareSize();
printTable(`The firmware (XS, ${firmware.slotBytes}-byte slots)`, [
  {
    what: "core, minified",
    figure: bytes(firmware.coreMinifiedBytes),
    how: "protocols and platform-free firmware",
  },
  { what: "core, bytecode", figure: bytes(firmware.coreBytecodeBytes), how: "with its symbols; in flash" },
  {
    what: "main, minified",
    figure: bytes(firmware.mainMinifiedBytes),
    how: "the desktop's platform adapter",
  },
  { what: "main, bytecode", figure: bytes(firmware.mainBytecodeBytes), how: "with its symbols; in flash" },
  { what: "heap, empty machine", figure: bytes(firmware.emptyHeapBytes), how: "no firmware" },
  {
    what: "heap, core loaded",
    figure: bytes(firmware.coreLoadedHeapBytes),
    how: "preloaded; aim under 2,048",
  },
  {
    what: "heap, booted",
    figure: bytes(firmware.bootHeapBytes),
    how: "on blank flash, before it has a program",
  },
  { what: "stack, booted", figure: `${firmware.bootStackSlots} slots`, how: "peak; 800 are there" },
]);

const cost = measureSetCost(5, 2);
printTable("One set on five boards, two of them voting (counted, no clock)", [
  {
    what: "messages to boards",
    figure: `${cost.messagesToBoards}`,
    how: "one publication, an append to each voter, the commit to each",
  },
  {
    what: "messages from boards",
    figure: `${cost.messagesFromBoards}`,
    how: "an answer to each but the publication",
  },
  { what: "Raft payload", figure: bytes(cost.payloadBytes), how: "CBOR, both ways" },
  { what: "on the sockets", figure: bytes(cost.mqttBytes), how: "sealed, with MQTT's header and topic" },
]);

const leaderCost = learnerCounts.map((learners) => measureLeaderCost(learners));
const leaderCostOf64 = learnerCounts.map((learners) => measureLeaderCost(learners, 64));
printLeaderCost(leaderCost, leaderCostOf64);

console.log("\nFive boards for 60 s ...");
const minute = await runMinute();
const peak = Math.max(...minute.boards.map((board) => board.heapPeakBytes));
printTable("Five boards in XS for 60 s", [
  {
    what: "heap peak, worst board",
    figure: bytes(peak),
    how: `of ${bytes(minute.boards[0]!.arenaBytes)}; limit ${bytes(heapPeakLimitBytes)}`,
  },
  ...minute.boards.map((board) => ({
    what: `heap peak, ${board.id}`,
    figure: bytes(board.heapPeakBytes),
    how: `${board.samplesIn} samples in, ${board.reportsOut} reports out`,
  })),
]);

console.log("\nFive boards: cost and latency ...");
const five = await withSwarm(5, async (swarm, joinedMs) => ({
  scale: await measureScale(swarm, joinedMs, 20_000),
  latency: await measureSetLatency(swarm, 300),
}));
printScale(five.scale);
printTable(`A set over HTTP, ${five.latency.sets} in a row`, [
  {
    what: "committed, p50",
    figure: milliseconds(five.latency.committedMs.p50),
    how: "fsynced by host, flashed by a majority of voters",
  },
  { what: "committed, p99", figure: milliseconds(five.latency.committedMs.p99), how: "" },
  {
    what: "applied on all five, p50",
    figure: milliseconds(five.latency.appliedEverywhereMs.p50),
    how: "and known to the leader",
  },
  { what: "applied on all five, p99", figure: milliseconds(five.latency.appliedEverywhereMs.p99), how: "" },
]);

console.log("\nFifty boards ...");
const fifty = await withSwarm(50, (swarm, joinedMs) => measureScale(swarm, joinedMs, 20_000));
printScale(fifty);

const file = join(repository, "build/bench.json");
mkdirSync(join(repository, "build"), { recursive: true });
const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
const results = { machine, firmware, cost, leaderCost, leaderCostOf64, minute, five, fifty };
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\nWritten to ${file}`);
if (peak > heapPeakLimitBytes) {
  console.error(
    `The worst board took ${bytes(peak)} of heap at its peak; the limit is ${bytes(heapPeakLimitBytes)}.`,
  );
  process.exitCode = 1;
}

interface Minute {
  readonly boards: readonly {
    readonly id: string;
    readonly arenaBytes: number;
    readonly heapPeakBytes: number;
    readonly samplesIn: number;
    readonly reportsOut: number;
  }[];
}

async function runMinute(): Promise<Minute> {
  const { folder, remove } = temporaryFolder();
  try {
    const ports = ["--http-port", "0", "--mqtt-port", "0"];
    const { code, stdout, stderr } = await runCovey(
      ["sim", greenhouse, "--for", "60s", "--json", ...ports],
      folder,
    );
    if (code !== 0) throw new Error(`covey sim ended with code ${code}: ${stderr}${stdout}`);
    return JSON.parse(stdout) as Minute;
  } finally {
    remove();
  }
}

function printScale(scale: SwarmScale): void {
  const seconds = Math.round(scale.observedMs / 1000);
  printTable(`${scale.boards} boards in XS on ${cpus().length} cores`, [
    {
      what: "start to all joined",
      figure: milliseconds(scale.joinedMs),
      how: "engine and bytecode already built",
    },
    {
      what: "memory, one board",
      figure: megabytes(scale.boardMemoryBytes),
      how: "PSS, the arena and the flash image in it",
    },
    { what: "memory, all boards", figure: megabytes(scale.boardsMemoryBytes), how: "PSS" },
    { what: "memory, leader", figure: megabytes(scale.leaderMemoryBytes), how: "PSS" },
    { what: "memory, simulator", figure: megabytes(scale.simulatorMemoryBytes), how: "PSS" },
    {
      what: "CPU, all boards",
      figure: percentOfCore(scale.boardsCpuPercent),
      how: `of one core, over ${seconds} s`,
    },
    { what: "CPU, leader", figure: percentOfCore(scale.leaderCpuPercent), how: "" },
    {
      what: "CPU, simulator",
      figure: percentOfCore(scale.simulatorCpuPercent),
      how: "sockets, flash files, sensors",
    },
  ]);
}
