/**
 * `node bench/preloading.ts`: what preloading saves, and what a board's process costs this machine. The figures of
 * docs/decisions/preloading.md. Heap repeats exactly; times are of this machine.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFirmware } from "../host-tools/bundler/bundle.ts";
import { buildXsHost, type XsHost } from "../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../host-tools/simulator/xs-host/bytecode.ts";
import { findChangeable } from "../host-tools/simulator/xs-host/check.ts";
import type { HeapFigures } from "../host-tools/simulator/xs-host/frames.ts";
import { XsProcess } from "../host-tools/simulator/xs-host/process.ts";
import {
  sampleCore,
  sampleMain,
  sampleMainWithCore,
} from "../test/host-tools/simulator/xs-host/sample-core.ts";
import { processTree } from "./process-tree.ts";
import { bytes, megabytes, milliseconds, printTable } from "./table.ts";

const emptyCore = "export const nothing = undefined;";
const idle = "host.turn = () => { host.collect(); };";
/** Room for what does not fit a chip, so that it can be measured at all. */
const roomy = { arenaBytes: 4 * 1024 * 1024, stackSlots: 4096 };

const host = await buildXsHost();

interface Boot {
  readonly heap: HeapFigures;
  readonly startMs: number;
}

/** A board's first turn; `startMs` from spawning its process to the turn's end, the middle one of nine. */
async function boot(
  core: string,
  main: string,
  options: { arenaBytes?: number; stackSlots?: number } = {},
): Promise<Boot> {
  const modules = {
    core: await compileModule(host, "core", core),
    main: await compileModule(host, "main", main),
  };
  const times: number[] = [];
  let heap: HeapFigures | undefined;
  for (let run = 0; run < 9; run++) {
    const started = performance.now();
    const board = new XsProcess({ host, ...modules, ...options, onCall: (request) => request });
    heap = (await board.turn(0)).heap;
    times.push(performance.now() - started);
    await board.stop();
  }
  return { heap: heap!, startMs: times.sort((a, b) => a - b)[4]! };
}

const empty = await boot(emptyCore, idle);
const sample = await boot(sampleCore(), sampleMain());
const sampleInRam = await boot(emptyCore, sampleMainWithCore(), roomy);
const firmware = await bundleFirmware({ main: "desktop" });
const core = await boot(firmware.core, `import * as core from "core"; ${idle}`);
const coreInRam = await boot(emptyCore, `${firmware.core}\n${idle}`, roomy);

const row = (what: string, { heap }: Boot, how: string) => ({
  what,
  figure: bytes(heap.usedBytes),
  how: `${how}; stack ${heap.stackPeakSlots} of ${heap.stackSlots} slots`,
});
printTable(
  `Heap after boot and a collection (XS, ${host.slotBytes}-byte slots; the chip's arena is 94,208 B)`,
  [
    row("no firmware", empty, "a main that does nothing"),
    row("70 sample classes, preloaded", sample, "and one instance"),
    row("the same, not preloaded", sampleInRam, "does not fit: measured in a larger arena"),
    row("the firmware's core, preloaded", core, `${bytes(firmware.coreBytes)} minified`),
    row("the same, not preloaded", coreInRam, "measured in a larger arena"),
  ],
);

const changeable = await findChangeable(host, await compileModule(host, "core", firmware.core));
printTable("The firmware's core in flash", [
  {
    what: "left changeable",
    figure: `${changeable.length}`,
    how: changeable.map(({ path }) => path).join(", "),
  },
  {
    what: "tables beside the arena",
    figure: bytes(core.heap.tableBytes),
    how: "names, keys and aliases, in RAM",
  },
]);

printTable("A board's process", [
  {
    what: "start, no firmware",
    figure: milliseconds(empty.startMs),
    how: "spawn to the end of the first turn",
  },
  {
    what: "start, the firmware's core",
    figure: milliseconds(core.startMs),
    how: "preloads and freezes it each time",
  },
  ...(await measureFifty()),
]);

printTable("The host", [
  {
    what: "build",
    figure: milliseconds(await timeBuild(host)),
    how: `${host.slotBytes === 16 ? "32" : "64"}-bit, once a machine`,
  },
]);

async function measureFifty() {
  const modules = {
    core: await compileModule(host, "core", firmware.core),
    main: await compileModule(host, "main", `import * as core from "core"; ${idle}`),
  };
  const started = performance.now();
  const boards = Array.from(
    { length: 50 },
    () => new XsProcess({ host, ...modules, onCall: (request) => request }),
  );
  try {
    await Promise.all(boards.map((board) => board.turn(0)));
    const startedMs = performance.now() - started;
    const pids = new Set(boards.map((board) => board.pid));
    const memory = processTree(process.pid)
      .filter(({ pid }) => pids.has(pid))
      .reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    const turnsStarted = performance.now();
    for (let turn = 1; turn <= 100; turn++) await Promise.all(boards.map((board) => board.turn(turn)));
    const turnMs = (performance.now() - turnsStarted) / 5000;
    return [
      { what: "fifty started at once", figure: milliseconds(startedMs), how: "all first turns ended" },
      { what: "memory of one of fifty", figure: megabytes(memory / 50), how: "PSS" },
      {
        what: "a turn that does nothing",
        figure: `${Math.round(turnMs * 1000)} us`,
        how: "wall, fifty boards at it",
      },
    ];
  } finally {
    await Promise.all(boards.map((board) => board.kill()));
  }
}

async function timeBuild({ slotBytes }: XsHost): Promise<number> {
  const cache = await mkdtemp(join(tmpdir(), "covey-bench-"));
  try {
    const started = performance.now();
    const built = await buildXsHost({ environment: { ...process.env, COVEY_CACHE: cache } });
    if (built.slotBytes !== slotBytes) throw new Error("the second build differs from the first");
    return performance.now() - started;
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}
