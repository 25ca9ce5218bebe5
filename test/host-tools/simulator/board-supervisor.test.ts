/** A board that is switched on again and again, in the real XS engine, by a few lines instead of the firmware. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { BoardSupervisor } from "../../../host-tools/simulator/board-supervisor.ts";
import { giveSettings } from "../../../host-tools/simulator/chip/settings.ts";
import type { Engine } from "../../../host-tools/simulator/engines/simulated-board.ts";
import { XsBoard } from "../../../host-tools/simulator/engines/xs-board.ts";
import type { BoardSensors } from "../../../host-tools/simulator/sensors/board-sensors.ts";
import { buildXsHost, type XsHost } from "../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../host-tools/simulator/xs-host/bytecode.ts";
import { memberOf } from "../leader/test-swarm.ts";

/** Says why it started, then ends in the next of four ways; the calls are those of `calls.ts`, in CBOR by hand. */
const source = `
function call(...bytes) { return String.fromCharCode(...new Uint8Array(host.call(Uint8Array.from(bytes)))); }
const text = (of) => [0x60 + of.length, ...Array.from(of, (c) => c.charCodeAt(0))];
const reasons = ["power", "restart", "crash", "watchdog", "sleep"];
host.turn = () => {
  const config = call(0x81, 0);
  const reason = reasons.find((each) => config.includes(each));
  call(0x83, 13, ...text("warn"), ...text("after " + reason));
  if (reason === "power") call(0x82, 14, ...text("tired"));
  if (reason === "restart") call(0x82, 19, 0x19, 0x01, 0x2c);
  if (reason === "sleep") throw new RangeError("no such sensor");
  return Infinity;
};
`;

const model = loadBoards().get("esp32c3-devkit")!;
let host: XsHost;
let folder: string;
let told: string[];
let supervisor: BoardSupervisor;

beforeAll(async () => {
  host = await buildXsHost();
}, 180_000);

beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-supervisor-"));
  told = [];
  const core = await compileModule(host, "core", "export const version = 1;");
  const main = await compileModule(host, "main", source);
  const engine: Engine = {
    name: "xs",
    description: "XS",
    ownFirmware: new Uint8Array(32),
    powerOn: (world, ram) => new XsBoard({ host, core, main }, world, ram),
  };
  const member = memberOf("garden", "board", "gate");
  const hosts = [{ name: "main", address: "h", port: 1 }];
  const contact = { number: 0, wifi: undefined, hosts, timeServer: undefined };
  giveSettings(join(folder, "gate"), model, { member, contactKey: new Uint8Array(16), contact });
  supervisor = new BoardSupervisor({
    name: "gate",
    model,
    engine,
    folder: join(folder, "gate"),
    hasOwnFirmware: true,
    sensors: new Map() as unknown as BoardSensors,
    tell: (_level, text) => told.push(text),
  });
});

afterEach(async () => {
  await supervisor.powerOff();
  fs.rmSync(folder, { recursive: true });
});

async function until(accept: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !accept(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(told.join("\n")).toSatisfy(accept);
}

it("a board is told why it started: power, restart, sleep, crash; and sleep takes its time and is nothing to tell", async () => {
  supervisor.powerOn();
  await until(() => told.includes("after restart"));
  const asleepMs = performance.now();
  await until(() => told.includes("after sleep"));
  expect(performance.now() - asleepMs).toBeGreaterThanOrEqual(280);
  await until(() => told.includes("after crash"));
  expect(told).toEqual([
    "after power",
    "restarts: tired",
    "after restart",
    "after sleep",
    expect.stringContaining("no such sensor"),
    "after crash",
  ]);
  expect(supervisor.restarts).toBe(2);
  expect(supervisor.violations).toEqual([expect.stringContaining("no such sensor")]);
  process.kill(supervisor.pid!, "SIGKILL");
  await until(() => told.lastIndexOf("after power") > 0);
}, 20_000);
