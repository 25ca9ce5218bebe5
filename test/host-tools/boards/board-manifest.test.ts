import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { boardManifest, linStandIns } from "../../../host-tools/boards/board-manifest.ts";
import { type BoardDescription, type BoardSensor, loadBoards } from "../../../host-tools/boards/boards.ts";
import { sensorModule } from "../../../host-tools/boards/sensor-module.ts";
import { bundleDriver } from "../../../host-tools/bundler/bundle.ts";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "covey-manifest-"));
afterAll(() => rmSync(folder, { recursive: true }));

const boards = loadBoards();

interface Manifest {
  readonly include: readonly string[];
  readonly modules: Readonly<Record<string, unknown>>;
  readonly preload: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly creation: {
    readonly static: number;
    readonly chunk: { readonly initial: number };
    readonly heap: { readonly initial: number };
    readonly stack: number;
  };
}

function manifestOf(
  board: BoardDescription,
  options: { platform?: "lin"; tls?: boolean; bluetooth?: boolean } = {},
): Manifest {
  const { platform = "chip", tls = false, bluetooth = false } = options;
  return boardManifest(board, { platform, tls, bluetooth, root: "../.." }) as Manifest;
}

function withSensors(...sensors: readonly BoardSensor[]): BoardDescription {
  return { ...boards.get("esp32c3-devkit")!, sensors };
}

describe("a board's manifest", () => {
  test.for([...boards.values()])("pins the arena of $name", (board) => {
    const { static: arena, chunk, heap, stack } = manifestOf(board).creation;
    expect(arena === 0 ? chunk.initial + heap.initial * 16 : arena).toBe(board.arenaBytes);
    expect(stack).toBe(board.stackSlots);
  });

  test("is what manifest.json says of the board that it stands for", () => {
    const { platforms } = JSON.parse(readFileSync(join(root, "manifest.json"), "utf8"));
    for (const [platform, pinned] of Object.entries<Manifest>(platforms)) {
      if (platform === "...") continue;
      const board = boards.get(pinned.config.model as string)!;
      const made = manifestOf(board, platform === "lin" ? { platform } : {});
      expect(pinned.creation).toEqual(made.creation);
      expect(made.config).toEqual(pinned.config);
      if (platform === "lin") expect(Object.keys(pinned.modules)).toEqual(["*", ...Object.keys(linStandIns)]);
      else expect(platform).toBe(board.moddableTarget);
    }
  });

  test("brings the drivers of the board's sensors and no other", () => {
    const none = manifestOf(boards.get("m5stack-core2")!);
    expect(none.include.filter((path) => path.includes("drivers"))).toEqual([]);
    const both = manifestOf(
      withSensors({ name: "air", driver: "sht3x", bus: "i2c" }, { name: "gas", driver: "scd4x", bus: "i2c" }),
    );
    expect(both.include).toContain("$(MODDABLE)/modules/drivers/sensors/sht3x/manifest.json");
    expect(both.modules["covey/drivers/scd4x"]).toBe("./drivers/scd4x");
    expect(both.preload).toContain("covey/drivers/scd4x");
  });

  test("brings TLS only when it is asked for", () => {
    const board = boards.get("esp32-devkit")!;
    expect(JSON.stringify(manifestOf(board))).not.toContain("tls_419");
    expect(JSON.stringify(manifestOf(board))).not.toContain("ble/server");
    const radio = "$(MODDABLE)/modules/io/ble/server/manifest.json";
    expect(manifestOf(board, { bluetooth: true }).include).toContain(radio);
    expect(manifestOf(board, { tls: true }).include).toContain("$(MODDABLE)/modules/crypt/tls_419.json");
  });
});

describe("the table of a board's sensors", () => {
  /** The module as the firmware imports it, with what the SDK would give it in place of the SDK. */
  async function tableOf(board: BoardDescription, sdk: Readonly<Record<string, string>>) {
    let source = sensorModule(board);
    // Node keeps what it imported by its path.
    const place = mkdtempSync(join(folder, "table-"));
    for (const [specifier, text] of Object.entries(sdk)) {
      const file = join(place, `${specifier.replaceAll(/\W/g, "-")}.mjs`);
      writeFileSync(file, text);
      source = source.replaceAll(JSON.stringify(specifier), JSON.stringify(file));
    }
    const file = join(place, "table.mjs");
    writeFileSync(file, source);
    return (await import(file)).default;
  }

  test("opens a driver on its bus and address, and is frozen throughout", async () => {
    const table = await tableOf(withSensors({ name: "air", driver: "sht3x", bus: "i2c", address: 0x45 }), {
      "embedded:io/i2c": "export default class I2C {}",
      "embedded:sensor/Humidity-Temperature/SHT3x":
        "export default class { constructor(options) { this.options = options; } }",
    });
    const { sensor, clock } = table[0].open({ clock: "the clock" }).options;
    expect({ ...sensor, io: sensor.io.name, clock }).toEqual({
      io: "I2C",
      data: 2,
      clock: "the clock",
      address: 0x45,
    });
    expect(sensor.clock).toBe(3);
    expect(table[0].readings[1]).toEqual({ sensor: "humidity", path: ["hygrometer", "humidity"], scale: 1 });
    for (const value of [table, table[0], table[0].readings, table[0].readings[0], table[0].readings[0].path])
      expect(Object.isFrozen(value)).toBe(true);
  });

  test("runs the firmware's own drivers, which import nothing", async () => {
    const source = await bundleDriver("bme280.ts");
    expect(source).not.toMatch(/\bimport\b/);
    const table = await tableOf(withSensors({ name: "air", driver: "bme280", bus: "i2c" }), {
      "embedded:io/i2c": "export default class I2C { constructor() { throw new Error('no bus here'); } }",
      "covey/drivers/bme280": source,
    });
    const clock = { nowMs: () => 0, setTimer: () => ({ cancel() {} }) };
    expect(() => table[0].open({ clock })).toThrow("BME280 at I2C address 0x76: open failed");
  });
});
