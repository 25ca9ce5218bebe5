/** Boards in the real XS engine that run a few lines instead of the firmware. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FlashFile, nor } from "../../../host-tools/simulator/chip/flash-file.ts";
import { XsBoard } from "../../../host-tools/simulator/engines/xs-board.ts";
import { SimulatedWorld } from "../../../host-tools/simulator/world/simulated-world.ts";
import { buildXsHost, type XsHost } from "../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../host-tools/simulator/xs-host/bytecode.ts";

const config = {
  swarm: "garden",
  board: "gate",
  model: "esp32c3-devkit",
  hosts: [{ name: "main", address: "127.0.0.1", port: 1 }],
  credentials: { root: new Uint8Array(64), signed: new Uint8Array(9), privateKey: new Uint8Array(32) },
};
const ram = { arenaBytes: 94_208, stackSlots: 384 };
/** `say("hi")` is the log call of one text of up to 23 characters; `none` waits for messages only. */
const prelude = `
const none = Infinity;
function say(text) {
  const bytes = [0x83, 13, 0x64, 0x69, 0x6e, 0x66, 0x6f, 0x60 + text.length];
  for (let i = 0; i < text.length; i++) bytes.push(text.charCodeAt(i));
  host.call(Uint8Array.from(bytes));
}
`;

let host: XsHost;
let folder: string;
let said: string[];
let board: XsBoard | undefined;

beforeAll(async () => {
  host = await buildXsHost();
}, 180_000);

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-xs-board-"));
  said = [];
});

afterEach(async () => {
  await board?.powerOff();
  fs.rmSync(folder, { recursive: true });
});

async function powerOn(source: string, limits?: { silenceMs: number }): Promise<XsBoard> {
  const core = await compileModule(host, "core", "export const version = 1;");
  const main = await compileModule(host, "main", prelude + source);
  const world = new SimulatedWorld({
    config,
    flash: FlashFile.open(join(folder, "gate.flash"), { sizeBytes: 8192, ...nor }).flash,
    sensors: new Map(),
    onLog: (_level, text) => {
      if (text === "slow") blockFor(100);
      said.push(text);
    },
    onOutput: () => {},
    onRestart: () => {},
    onDeepSleep: () => {},
  });
  board = new XsBoard({ host, core, main }, world, ram, limits);
  return board;
}

/** As a simulator does that has a hundred other boards to answer. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function until(accept: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !accept(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(accept()).toBe(true);
}

describe("a board in XS", () => {
  it("gets its turns when its deadlines come", async () => {
    const startedMs = performance.now();
    await powerOn(`
      let turns = 0;
      host.turn = () => {
        if (++turns === 4) say("four");
        return turns < 4 ? host.now() + 100 : none;
      };
    `);
    await until(() => said.includes("four"));
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(295);
  });

  it("gets what happens in its world as messages, and has heap figures of the engine", async () => {
    const { figures } = await powerOn(`
      host.turn = (message) => {
        if (message === undefined) host.call(Uint8Array.of(0x81, 5));
        else say("told " + new Uint8Array(message).join(" "));
        return none;
      };
    `);
    expect(figures.arenaBytes).toBe(ram.arenaBytes);
    await until(() => said.length > 0);
    expect(said).toEqual(["told 129 0"]);
    await until(() => board!.figures.heapUsedBytes > 0);
    expect(board!.figures.slotBytes).toBe(host.slotBytes);
    expect(board!.figures.heapPeakBytes).toBeGreaterThanOrEqual(board!.figures.heapUsedBytes);
  });

  it("ends with what the firmware threw", async () => {
    const { ended } = await powerOn(`host.turn = () => { throw new RangeError("no such sensor"); };`);
    const end = await ended;
    expect(end.cause).toBe("failure");
    expect(end.text).toMatch(/uncaught exception.*no such sensor/);
  });

  it("ends when its heap is full", async () => {
    const { ended } = await powerOn(
      `host.turn = () => { const all = []; for (;;) all.push(new Uint8Array(100)); };`,
    );
    expect(await ended).toMatchObject({ cause: "failure", text: expect.stringContaining("memory full") });
  });

  it("is known to have been killed, and is known to have been switched off", async () => {
    const killed = await powerOn("host.turn = () => none;");
    process.kill(killed.pid!, "SIGKILL");
    expect(await killed.ended).toEqual({ cause: "killed", text: "was killed (SIGKILL)" });

    const switchedOff = await powerOn("host.turn = () => none;");
    await switchedOff.powerOff();
    expect((await switchedOff.ended).cause).toBe("power-off");
  });

  it("may be in a turn for long, as long as it is heard of", async () => {
    await powerOn(
      `host.turn = () => {
        for (let i = 0; i < 20; i++) say("slow");
        say("done");
        return none;
      };`,
      { silenceMs: 500 },
    );
    await until(() => said.includes("done"));
    expect(board?.pid).toBeDefined();
  });

  it("is ended when nothing is heard of it in the middle of a turn", async () => {
    const stopped = await powerOn(`host.turn = () => { say("turn"); return host.now() + 20; };`, {
      silenceMs: 200,
    });
    await until(() => said.includes("turn"));
    process.kill(stopped.pid!, "SIGSTOP");
    expect(await stopped.ended).toEqual({
      cause: "watchdog",
      text: "said nothing for 0.2 s of a turn (watchdog)",
    });
  });
});
