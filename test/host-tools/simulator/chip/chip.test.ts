/** A simulated board's flash, and what starts from it, over updates that work, that don't, and that are none. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBoards } from "../../../../host-tools/boards/boards.ts";
import { SimulatedChip, type Started } from "../../../../host-tools/simulator/chip/chip.ts";
import {
  simulatorProgram,
  writeSimulatorImage,
} from "../../../../host-tools/simulator/chip/simulator-image.ts";

const board = loadBoards().get("esp32c3-devkit")!;
const ownFirmware = new Uint8Array(32).fill(7);
let folder: string;
let chip: SimulatedChip;
const opened: SimulatedChip[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-chip-"));
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  fs.rmSync(folder, { recursive: true });
});

function powerOn(hasOwn = true): Started | undefined {
  const own = hasOwn ? ownFirmware : undefined;
  chip = new SimulatedChip({ folder: join(folder, "north-1"), board, ownFirmware: own });
  opened.push(chip);
  return chip.boot();
}

function imageOf(version: string, forBoard = board): Uint8Array {
  const program = { slotBytes: 16, core: new Uint8Array(5000).fill(1), main: Uint8Array.of(2, 3) };
  return writeSimulatorImage({ program, board: forBoard, version, builtAt: new Date(0) });
}

/** As an update does: sector by sector, in multiples of 16. */
function write({ update: { region } }: Started, image: Uint8Array): void {
  const padded = new Uint8Array(Math.ceil(image.length / 16) * 16).fill(0xff);
  padded.set(image);
  for (let at = 0; at < padded.length; at += 4096) {
    region.eraseSector(at / 4096);
    region.write(at, padded.subarray(at, at + 4096));
  }
}

const versionOf = (started: Started | undefined) => started?.app?.image.app?.version;

describe("a simulated chip", () => {
  it("runs Covey's own firmware while nothing lies in its flash, which takes next to no room", () => {
    const started = powerOn()!;
    expect(started).toMatchObject({ app: undefined, partition: "ota_0" });
    expect(started.update).toMatchObject({ isOnTrial: false, running: ownFirmware });
    expect(started.update.region.sizeBytes).toBe(1_769_472);
    expect(fs.readdirSync(join(folder, "north-1"))).toEqual(["otadata"]);
  });

  it("without firmware of its own starts nothing, and says so", () => {
    expect(powerOn(false)).toBeUndefined();
    expect(chip.trouble).toBe("ota_0: it is empty; ota_1: it is empty");
  });

  it("starts an update on trial, and keeps it once it has proved to work", () => {
    const first = powerOn()!;
    write(first, imageOf("0.2.0"));
    first.update.select();
    const second = powerOn()!;
    expect(versionOf(second)).toBe("0.2.0");
    expect(second.partition).toBe("ota_1");
    expect(second.update.isOnTrial).toBe(true);
    expect(second.update.running).toEqual(imageOf("0.2.0").subarray(-32));
    chip.markValid();
    const third = powerOn()!;
    expect(third.update.isOnTrial).toBe(false);
    expect(simulatorProgram(third.app!)).toMatchObject({ slotBytes: 16, main: Uint8Array.of(2, 3) });

    // The next one goes to the first slot, where nothing of Covey's own is left then.
    write(third, imageOf("0.3.0"));
    third.update.select();
    expect(versionOf(powerOn())).toBe("0.3.0");
    expect(versionOf(powerOn())).toBe("0.2.0");
  });

  it("comes back to Covey's own firmware from an update that says nothing", () => {
    const first = powerOn()!;
    write(first, imageOf("0.2.0"));
    first.update.select();
    expect(versionOf(powerOn())).toBe("0.2.0");
    expect(powerOn()).toMatchObject({ app: undefined, partition: "ota_0", update: { isOnTrial: false } });
  });

  it.each<[string, (image: Uint8Array) => Uint8Array, string]>([
    ["is torn", (image) => image.subarray(0, 4096), "its checksum is wrong"],
    ["has a bit wrong", (image) => image.with(1000, image[1000]! ^ 4), "its checksum is wrong"],
    ["has another hash", (image) => image.with(-1, image.at(-1)! ^ 1), "its SHA-256 does not fit"],
    ["is for another chip", () => imageOf("1", loadBoards().get("esp32s3-devkit")), "it is for an ESP32-S3"],
    ["is nothing", () => new Uint8Array(4096).fill(0xff), "it begins with 0xff"],
  ])("refuses an update that %s", (_what, change, problem) => {
    const started = powerOn()!;
    write(started, change(imageOf("0.2.0")));
    expect(() => started.update.select()).toThrow(problem);
    expect(powerOn()?.app).toBeUndefined();
  });

  it("starts its other slot when the one that is to start was torn", () => {
    const started = powerOn()!;
    write(started, imageOf("0.2.0"));
    started.update.select();
    started.update.region.eraseSector(0);
    expect(powerOn()).toMatchObject({ app: undefined, partition: "ota_0" });
  });

  it("counts writes to what was not erased", () => {
    const { update } = powerOn()!;
    update.region.write(0, new Uint8Array(16));
    update.region.write(0, new Uint8Array(16));
    expect(chip.wornWrites).toBe(1);
  });
});
