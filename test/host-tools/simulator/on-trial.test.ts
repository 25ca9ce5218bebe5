/** Firmware that lies in a simulated board's update slot, in the real XS engine: the boot ROM gives it one chance. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { writeAppDescriptor, writeAppImage } from "../../../host-tools/images/app-image.ts";
import { readOtaData } from "../../../host-tools/images/ota-data.ts";
import { BoardSupervisor } from "../../../host-tools/simulator/board-supervisor.ts";
import { SimulatedChip } from "../../../host-tools/simulator/chip/chip.ts";
import { giveSettings } from "../../../host-tools/simulator/chip/settings.ts";
import { writeSimulatorImage } from "../../../host-tools/simulator/chip/simulator-image.ts";
import { bytecodeOf, XsEngine } from "../../../host-tools/simulator/engines/xs-engine.ts";
import type { BoardSensors } from "../../../host-tools/simulator/sensors/board-sensors.ts";
import { buildXsHost, type XsHost } from "../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../host-tools/simulator/xs-host/bytecode.ts";
import { memberOf } from "../leader/test-swarm.ts";

const board = loadBoards().get("esp32c3-devkit")!;
/** Calls of `calls.ts`, in CBOR by hand: 13 log, 14 restart, 34 markValid. */
const prelude = `
function call(...bytes) { host.call(Uint8Array.from(bytes)); }
const text = (of) => [0x60 + of.length, ...Array.from(of, (c) => c.charCodeAt(0))];
const say = (words) => call(0x83, 13, ...text("warn"), ...text(words));
`;
const crashes = `host.turn = () => { say("I am here"); throw new RangeError("not ready"); };`;
const restarts = `host.turn = () => { say("I am here"); call(0x82, 14, ...text("no swarm")); return Infinity; };`;
const works = `host.turn = () => { say("I am here"); call(0x81, 0x18, 34); return Infinity; };`;

let host: XsHost;
let engine: XsEngine;
let folder: string;
let told: string[];
let supervisor: BoardSupervisor;

beforeAll(async () => {
  host = await buildXsHost();
  engine = await XsEngine.make(() => {});
}, 180_000);

beforeEach(() => {
  folder = join(fs.mkdtempSync(join(tmpdir(), "covey-trial-")), "gate");
  told = [];
  const contact = { number: 0, wifi: undefined, hosts: [], timeServer: undefined };
  const member = memberOf("garden", "board", "gate");
  giveSettings(folder, board, { member, contactKey: new Uint8Array(16), contact });
});

afterEach(async () => {
  await supervisor.powerOff();
  fs.rmSync(join(folder, ".."), { recursive: true });
});

async function imageOf(source: string): Promise<Uint8Array> {
  const core = await compileModule(host, "core", "export const version = 1;");
  const main = await compileModule(host, "main", prelude + source);
  const program = await bytecodeOf({ host, core, main });
  return writeSimulatorImage({ program, board, version: "0.2.0", builtAt: new Date(0) });
}

/** As an update leaves it: in the slot that does not run, and selected. */
function select(image: Uint8Array): void {
  const chip = new SimulatedChip({ folder, board, ownFirmware: engine.ownFirmware });
  const { update } = chip.boot()!;
  const padded = new Uint8Array(Math.ceil(image.length / 16) * 16).fill(0xff);
  padded.set(image);
  update.region.write(0, padded);
  update.select();
  chip.close();
}

function powerOn(): void {
  supervisor = new BoardSupervisor({
    name: "gate",
    model: board,
    engine,
    folder,
    hasOwnFirmware: true,
    sensors: new Map() as unknown as BoardSensors,
    tell: (_level, text) => told.push(text),
  });
  supervisor.powerOn();
}

async function until(accept: () => boolean): Promise<void> {
  for (let i = 0; i < 1500 && !accept(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(told.join("\n")).toSatisfy(accept);
}

const selection = () => readOtaData(fs.readFileSync(join(folder, "otadata")), 2);
const timesHere = () => told.filter((text) => text === "I am here").length;

describe("firmware on trial", () => {
  it.each([
    ["crashes", crashes],
    ["restarts before it has said that it works", restarts],
  ])(
    "that %s gives way to the one before it",
    async (_what, source) => {
      select(await imageOf(source));
      powerOn();
      await until(() => supervisor.restarts === 1 && supervisor.pid !== undefined);
      expect(timesHere()).toBe(1);
      expect(selection()).toMatchObject({ slot: 0, state: "valid" });
    },
    30_000,
  );

  it("that has said that it works comes back when the power does", async () => {
    select(await imageOf(works));
    powerOn();
    await until(() => selection()?.state === "valid" && selection()?.slot === 1);
    process.kill(supervisor.pid!, "SIGKILL");
    await until(() => timesHere() === 2);
    expect(selection()).toMatchObject({ slot: 1, state: "valid" });
  }, 30_000);

  it("that was built for a chip is told as such, and gives way", async () => {
    const descriptor = writeAppDescriptor({
      ...{ version: "1", project: "xs_esp32", built: "Nov 23 2026 04:54:03", idfVersion: "v6.0" },
      ...{ secureVersion: 0, elfSha256: new Uint8Array(32) },
    });
    const flash = { mode: 2, frequency: 0, sizeBytes: board.flashBytes };
    const segments = [{ address: 0x3c00_0020, data: descriptor }];
    select(writeAppImage({ chipId: 5, entry: 0x4038_0000, flash, segments }));
    powerOn();
    await until(() => supervisor.restarts === 1 && supervisor.pid !== undefined);
    expect(told[0]).toBe("can't run what is in its flash: it was built for a chip, not for the simulator");
    expect(selection()).toMatchObject({ slot: 0, state: "valid" });
  }, 30_000);
});
