/** The bare-metal host under QEMU: the same board as the desktop's, and every instruction counted. */
import { afterEach, beforeAll, expect, test } from "vitest";
import type { XsHost } from "../../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../../host-tools/simulator/xs-host/bytecode.ts";
import type { Done } from "../../../../host-tools/simulator/xs-host/frames.ts";
import { type BoardGone, XsProcess } from "../../../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../../../host-tools/simulator/xs-host/rv32.ts";
import { BUILD_TIMEOUT_MS, sharedHost } from "./probe.ts";

let desktop: XsHost;
let chip: XsHost;
beforeAll(async () => {
  [desktop, chip] = [await sharedHost(), await buildRv32Host()];
}, BUILD_TIMEOUT_MS);

const boards: XsProcess[] = [];
afterEach(async () => {
  await Promise.all(boards.splice(0).map((board) => board.kill()));
});

/** Bytecode is compiled by the desktop's host, whichever runs it. */
async function start(host: XsHost, core: string, main: string, answer: Uint8Array = new Uint8Array(0)) {
  const board = new XsProcess({
    host,
    core: await compileModule(desktop, "core", core),
    main: await compileModule(desktop, "main", main),
    onCall: () => answer,
  });
  boards.push(board);
  return board;
}

const core = `
  export class Counter {
    #counts = new Map();
    count(word) { this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1); return this.#counts.get(word); }
  }
`;
const main = `
  import { Counter } from "core";
  const counter = new Counter();
  host.turn = (message) => {
    const bytes = new Uint8Array(message ?? 0);
    host.call(bytes);
    counter.count(String.fromCharCode(...bytes));
    return Math.sqrt(host.now()) + counter.count("turns");
  };
`;

async function threeTurns(host: XsHost, answer?: Uint8Array): Promise<Done[]> {
  const board = await start(host, core, main, answer);
  const turns = [await board.turn(0)];
  for (const text of ["apple", "pear"]) turns.push(await board.turn(1e12, Buffer.from(text)));
  expect((await board.stop()).reason).toBe("stopped");
  return turns;
}

test("runs the desktop's bytecode to the same results and the same heap", async () => {
  const here = await threeTurns(desktop);
  const there = await threeTurns(chip);
  const uncounted = there.map(({ nextDeadlineMs, heap }) => ({
    nextDeadlineMs,
    heap: { ...heap, machineInstructions: 0 },
  }));
  expect(there[2]!.nextDeadlineMs).toBe(1e6 + 3);
  if (desktop.slotBytes === 16) expect(uncounted).toEqual(here);
});

test("counts a turn's instructions exactly, without what the parent does meanwhile", async () => {
  const count = ({ heap }: Done) => heap.machineInstructions;
  const counts = (await threeTurns(chip)).map(count);
  expect(counts.every((each) => each > 1000)).toBe(true);
  expect((await threeTurns(chip)).map(count)).toEqual(counts);
  // A longer answer costs nothing to receive; it must only be copied into the heap, four bytes at a time.
  const longer = (await threeTurns(chip, new Uint8Array(400))).map(count);
  expect(longer[1]! - counts[1]!).toBeLessThan(800);
});

async function endOf(core: string, main: string): Promise<BoardGone["exit"]> {
  const board = await start(chip, core, main);
  const gone = (await board.turn(0).catch((error: unknown) => error)) as BoardGone;
  return gone.exit;
}

test("ends a board that writes to flash, as the desktop does", async () => {
  const exit = await endOf(
    "export const date = new Date(0);",
    'import { date } from "core"; host.turn = () => date.setTime(5);',
  );
  expect(exit).toMatchObject({ reason: "flash write", code: 12 });
  expect(exit.message).toContain("in setTime");
});

test("tells each other end by its reason too", async () => {
  const none = "export const nothing = 0;";
  expect(await endOf(none, 'throw new Error("so it is");')).toMatchObject({ reason: "uncaught exception" });
  expect(await endOf(none, "const a = []; for (;;) a.push({});")).toMatchObject({ reason: "memory full" });
  expect(await endOf(none, "const deeper = () => deeper() + 1; deeper();")).toMatchObject({
    reason: "stack overflow",
  });
});
