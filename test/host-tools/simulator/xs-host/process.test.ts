import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { compileModule, ModuleSyntaxError } from "../../../../host-tools/simulator/xs-host/bytecode.ts";
import { MESSAGE_BYTES_MAX } from "../../../../host-tools/simulator/xs-host/frames.ts";
import {
  BoardGone,
  TooManyTurns,
  WAITING_TURNS_MAX,
  XsProcess,
  type XsProcessOptions,
} from "../../../../host-tools/simulator/xs-host/process.ts";
import { BUILD_TIMEOUT_MS, sharedHost } from "./probe.ts";

beforeAll(sharedHost, BUILD_TIMEOUT_MS);

const boards: XsProcess[] = [];
afterEach(async () => {
  await Promise.all(boards.splice(0).map((board) => board.kill()));
});

const noReply = () => new Uint8Array(0);

/** A parent that notes each call and answers with nothing. */
function listen<T>(heard: T[], read: (request: Uint8Array) => T): XsProcessOptions["onCall"] {
  return (request) => {
    heard.push(read(request));
    return noReply();
  };
}

const asText = (bytes: Uint8Array) => Buffer.from(bytes).toString();

async function start(
  main: string,
  options: Partial<XsProcessOptions> & { coreSource?: string } = {},
): Promise<XsProcess> {
  const host = await sharedHost();
  const board = new XsProcess({
    host,
    core: await compileModule(host, "core", options.coreSource ?? "export const nothing = 0;"),
    main: await compileModule(host, "main", main),
    onCall: noReply,
    ...options,
  });
  boards.push(board);
  return board;
}

async function reasonOf(turn: Promise<unknown>): Promise<BoardGone> {
  const reason = await turn.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(reason).toBeInstanceOf(BoardGone);
  return reason as BoardGone;
}

describe("a turn", () => {
  test("runs main's top level first, and gives the message in later ones", async () => {
    const calls: string[] = [];
    const board = await start(
      `host.call(new Uint8Array([65]));
       host.turn = (message) => { host.call(message ?? new Uint8Array([66])); };`,
      { onCall: listen(calls, asText) },
    );
    await board.turn(0);
    await board.turn(1, Buffer.from("hello"));
    await board.turn(2);
    expect(calls).toEqual(["A", "B", "hello", "B"]);
  });

  test("ends when its promise jobs have run, and tells the next deadline", async () => {
    const board = await start(`
      let deadline = 5;
      const later = async () => { for (let i = 0; i < 10; i++) await null; deadline = 77.5; };
      host.turn = () => { later(); return deadline; };`);
    expect((await board.turn(0)).nextDeadlineMs).toBe(5);
    expect((await board.turn(1)).nextDeadlineMs).toBe(77.5);
  });

  test("has no deadline when host.turn returns none", async () => {
    const board = await start("host.turn = () => {};");
    expect((await board.turn(0)).nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("knows no time but the parent's", async () => {
    const board = await start("host.turn = () => host.now() === Date.now() ? Date.now() + 1000 : -1;");
    expect((await board.turn(0)).nextDeadlineMs).toBe(1000);
    expect((await board.turn(1_700_000_000_123)).nextDeadlineMs).toBe(1_700_000_001_123);
  });

  test("takes the same number of instructions on every run", async () => {
    const main =
      "let s = ''; host.turn = () => { for (let i = 0; i < 1000; i++) s = i + '' + Math.random(); };";
    const counts: number[] = [];
    for (let run = 0; run < 2; run++) {
      const board = await start(main, { seed: 7 });
      await board.turn(0);
      counts.push((await board.turn(1)).heap.instructions);
    }
    expect(counts[0]).toBeGreaterThan(1000);
    expect(counts[1]).toBe(counts[0]);
  });

  test("turns run one after another, in order, and only so many may wait", async () => {
    const order: number[] = [];
    const board = await start("host.turn = (m) => { if (m) host.call(m); };", {
      onCall: listen(order, (bytes) => bytes[0]!),
    });
    // One runs, the others wait.
    const turns = Array.from({ length: WAITING_TURNS_MAX + 1 }, (_, i) => board.turn(i, new Uint8Array([i])));
    await expect(board.turn(99)).rejects.toThrow(TooManyTurns);
    await Promise.all(turns);
    expect(order).toEqual(Array.from({ length: WAITING_TURNS_MAX }, (_, i) => i + 1));
  });

  test("carries a message of the greatest length both ways, and refuses a longer one", async () => {
    let returned = 0;
    const board = await start("host.turn = (m) => { if (m) host.call(host.call(m)); };", {
      arenaBytes: 400_000,
      onCall: (bytes) => {
        returned = bytes.length;
        return bytes;
      },
    });
    await board.turn(0);
    await board.turn(1, new Uint8Array(MESSAGE_BYTES_MAX).fill(7));
    expect(returned).toBe(MESSAGE_BYTES_MAX);
    await expect(board.turn(2, new Uint8Array(MESSAGE_BYTES_MAX + 1))).rejects.toThrow(RangeError);
  });
});

describe("host.call", () => {
  test("throws on the board what the parent's handler throws", async () => {
    const told: string[] = [];
    const board = await start(
      `host.turn = () => {
         try { host.call(new Uint8Array(3)); }
         catch (error) {
           const text = error.message + (error instanceof Error);
           host.call(new Uint8Array([...text].map((c) => c.charCodeAt(0))));
         }
       };`,
      {
        onCall: (bytes) => {
          if (bytes.length === 3) throw new Error("no such port");
          told.push(Buffer.from(bytes).toString());
          return noReply();
        },
      },
    );
    await board.turn(0);
    expect(told).toEqual(["no such porttrue"]);
  });

  test("takes a view's own bytes, not its whole buffer", async () => {
    const told: number[][] = [];
    const board = await start(
      "host.turn = () => { const b = new Uint8Array([1, 2, 3, 4]); host.call(b.subarray(1, 3)); host.call(b.buffer); };",
      { onCall: listen(told, (bytes) => [...bytes]) },
    );
    await board.turn(0);
    expect(told).toEqual([
      [2, 3],
      [1, 2, 3, 4],
    ]);
  });

  test("refuses what is no bytes", async () => {
    const board = await start("host.turn = () => { host.call('text'); };");
    expect((await reasonOf(board.turn(0))).exit).toMatchObject({ reason: "uncaught exception" });
  });
});

describe("figures", () => {
  test("an empty board takes less than a kilobyte of its arena, and the chip's stack", async () => {
    const board = await start("host.turn = () => { host.collect(); };");
    const { heap } = await board.turn(0);
    expect(heap.slotBytes).toBe((await sharedHost()).slotBytes);
    expect(heap.arenaBytes).toBe(94_208 * (heap.slotBytes / 16));
    expect(heap.usedBytes).toBeLessThan(1024 * (heap.slotBytes / 16));
    expect(heap.stackSlots).toBe(384);
    expect(heap.stackPeakSlots).toBeGreaterThan(10);
    expect(heap.stackPeakSlots).toBeLessThan(100);
  });

  test("the peak includes garbage that a collection has taken since", async () => {
    const board = await start(
      "host.turn = (m) => { if (m) { let a = new Uint8Array(30000); a = undefined; host.collect(); } };",
    );
    const before = (await board.turn(0)).heap;
    const after = (await board.turn(1, new Uint8Array(1))).heap;
    expect(after.usedBytes).toBeLessThan(before.peakBytes + 1000);
    expect(after.peakBytes).toBeGreaterThan(30_000);
    expect(after.collections).toBeGreaterThan(before.collections);
    const later = (await board.turn(2)).heap;
    expect(later.peakBytes).toBe(after.peakBytes);
  });

  test("the stack's peak is that of the deepest call so far", async () => {
    const board = await start(
      "const f = (n) => (n ? 1 + f(n - 1) : 0); host.turn = (m) => { if (m) f(m.byteLength); };",
    );
    const flat = (await board.turn(0)).heap.stackPeakSlots;
    const deep = (await board.turn(1, new Uint8Array(20))).heap.stackPeakSlots;
    expect(deep).toBeGreaterThan(flat + 20);
    expect((await board.turn(2)).heap.stackPeakSlots).toBe(deep);
  });

  test("the stack's peak leaves out what XS uses of it as scratch", async () => {
    const board = await start("host.turn = (m) => { if (m) String(1 / m.byteLength).replace(/3+/, ''); };");
    await board.turn(0);
    expect((await board.turn(1, new Uint8Array(3))).heap.stackPeakSlots).toBeLessThan(100);
  });

  test("the board reads its stack's peak in the middle of a turn", async () => {
    const board = await start(
      "const f = (n) => (n ? 1 + f(n - 1) : 0); host.turn = (m) => { f(m ? m.byteLength : 0); return host.stackPeak(); };",
    );
    const flat = (await board.turn(0)).nextDeadlineMs;
    const { nextDeadlineMs: deep, heap } = await board.turn(1, new Uint8Array(20));
    expect(deep).toBeGreaterThan(flat + 20);
    expect(deep).toBe(heap.stackPeakSlots);
  });

  test("the board reads its own", async () => {
    const board = await start(
      "host.turn = () => host.arena() * 1e6 + (host.heapPeak() >= host.heapUsed() && host.heapUsed() > 0 ? 1 : 0);",
    );
    const { nextDeadlineMs, heap } = await board.turn(0);
    expect(nextDeadlineMs).toBe(heap.arenaBytes * 1e6 + 1);
  });
});

describe("a board that fails says how", () => {
  const cases: { what: string; main: string; reason: string; message: RegExp }[] = [
    {
      what: "an arena that is exhausted",
      main: "const kept = []; host.turn = () => { for (let i = 0; ; i++) kept.push({ i }); };",
      reason: "memory full",
      message:
        /^memory full: \d+ bytes more were asked of an arena of 94208 that has \d+ left \(chunks \d+, slots \d+, stack 6144\)$/,
    },
    {
      what: "one object larger than the arena",
      main: "host.turn = () => { new ArrayBuffer(200000); };",
      reason: "memory full",
      message: /^memory full: \d+ bytes more/,
    },
    {
      what: "recursion without end",
      main: "function dig() { return dig() + 1; } host.turn = () => { dig(); };",
      reason: "stack overflow",
      message: /^stack overflow: the JavaScript stack of 384 slots .* in dig, called by dig/,
    },
    {
      what: "an exception in a turn",
      main: "function deep() { throw new RangeError('too far'); } host.turn = () => { deep(); };",
      reason: "uncaught exception",
      message: /^uncaught exception: RangeError: too far\n at deep/,
    },
    {
      what: "an exception in main's top level",
      main: "throw new TypeError('not today');",
      reason: "uncaught exception",
      message: /^uncaught exception: TypeError: not today/,
    },
    {
      what: "a rejection that nobody handles",
      main: "host.turn = () => { Promise.reject(new Error('lost')); };",
      reason: "uncaught exception",
      message: /^unhandled promise rejection: Error: lost/,
    },
    {
      what: "a main without host.turn",
      main: "export const nothing = 0;",
      reason: "uncaught exception",
      message: /main has set no function host\.turn/,
    },
    {
      what: "a deadline that is no number",
      main: "host.turn = () => 'soon';",
      reason: "uncaught exception",
      message: /host\.turn returned no deadline in milliseconds/,
    },
    {
      what: "names made without end",
      main: "host.turn = () => { const o = {}; for (let i = 0; ; i++) o['key' + i] = 0; };",
      reason: "names full",
      message: /^names full: more than 256 property names were made while running$/,
    },
    {
      what: "a turn without end",
      main: "function spin() { for (;;); } host.turn = () => spin();",
      reason: "endless turn",
      message: /^endless turn: \d+ instructions, and no end in spin/,
    },
  ];
  test.each(cases)("$what", { timeout: 30_000 }, async ({ main, reason, message }) => {
    const host = await sharedHost();
    const board = await start(main);
    const gone = await reasonOf(board.turn(0));
    expect(gone.exit.reason).toBe(reason);
    if (host.slotBytes === 16) expect(gone.exit.message).toMatch(message);
    await expect(board.turn(1)).rejects.toThrow(BoardGone);
  });
});

describe("the process", () => {
  test("stop lets asked turns finish, ends with code 0, and leaves no turn possible", async () => {
    const board = await start("host.turn = () => 3;");
    const asked = [board.turn(0), board.turn(1)];
    const stopped = board.stop();
    await expect(board.turn(2)).rejects.toThrow(BoardGone);
    expect((await Promise.all(asked)).map((done) => done.nextDeadlineMs)).toEqual([3, 3]);
    expect(await stopped).toEqual({ reason: "stopped", message: "", code: 0, signal: null });
    expect(board.exit).toEqual(await stopped);
    expect(await board.stop()).toEqual(await stopped);
  });

  test("kill ends it at once, as a power cut does", async () => {
    const board = await start("host.turn = () => {};");
    await board.turn(0);
    const exits: string[] = [];
    board.on("exit", ({ reason }) => exits.push(reason));
    expect(await board.kill()).toMatchObject({ reason: "killed", signal: "SIGKILL" });
    expect(exits).toEqual(["killed"]);
    expect((await reasonOf(board.turn(1))).exit.reason).toBe("killed");
  });

  test("ends by itself when its parent's end of the pipe is closed", async () => {
    const host = await sharedHost();
    const core = await compileModule(host, "core", "export const nothing = 0;");
    const child = spawn(host.binary, ["run", core, core], { stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test.each([
    ["a length that no frame has", Buffer.from([0, 0, 2, 0, 1])],
    ["a frame that is cut", Buffer.from([9, 0, 0, 0, 1, 0])],
    ["a frame that is no turn", Buffer.from([1, 0, 0, 0, 3])],
    ["a turn without a time", Buffer.from([3, 0, 0, 0, 1, 0, 0])],
  ])("refuses %s", async (_what, bytes) => {
    const host = await sharedHost();
    const core = await compileModule(host, "core", "export const nothing = 0;");
    const child = spawn(host.binary, ["run", core, core], { stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end(bytes);
    expect(await once(child, "exit")).toEqual([15, null]);
  });

  test.each([
    ["an arena that does not hold the stack", { arenaBytes: 4_000 }, "memory full"],
    ["an arena that does not hold the machine", { arenaBytes: 9_000 }, "memory full"],
    ["a stack that does not hold the machine's roots", { stackSlots: 10 }, "stack overflow"],
    ["a stack beyond reason", { stackSlots: 2 ** 24 }, "failure"],
  ])("says what is too small or too large: %s", async (_what, options, reason) => {
    const board = await start("host.turn = () => {};", options);
    expect((await reasonOf(board.turn(0))).exit.reason).toBe(reason);
  });

  test("refuses a file that is no bytecode of this host", async () => {
    const host = await sharedHost();
    const directory = await mkdtemp(join(tmpdir(), "covey-test-"));
    try {
      const file = join(directory, "broken.xsb");
      await writeFile(file, "CoveyXB1 but then nothing of the kind");
      const board = new XsProcess({ host, core: file, main: file, onCall: noReply });
      boards.push(board);
      const { exit } = await reasonOf(board.turn(0));
      expect(exit.reason).toBe("failure");
      expect(exit.message).toBe(`${file} is not bytecode that this host wrote: compile it again`);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("compiling a module", () => {
  test("tells the line of the first mistake", async () => {
    const mistake = compileModule(await sharedHost(), "main", "let a = 1;\nlet b = ;\nlet c = ;\n");
    await expect(mistake).rejects.toThrow(ModuleSyntaxError);
    await expect(mistake).rejects.toThrow("main:2: missing expression");
  });

  test("is done once for the same source", async () => {
    const host = await sharedHost();
    const source = `export const once = ${Date.now()};`;
    const first = await compileModule(host, "core", source);
    expect(await compileModule(host, "core", source)).toBe(first);
    expect(await compileModule(host, "core", `${source}\n`)).not.toBe(first);
  });
});
