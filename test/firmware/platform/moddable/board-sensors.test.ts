/** How the sensors of a board's file are read on a chip: the adapter, over drivers that fail in each way that drivers do. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Bme280 } from "../../../../firmware/drivers/bme280.ts";
import { Scd4x } from "../../../../firmware/drivers/scd4x.ts";
import type { SensorOptions } from "../../../../firmware/drivers/sensor.ts";
import type { Clock } from "../../../../firmware/platform/ports.ts";
import { sensorDrivers } from "../../../../host-tools/boards/sensor-drivers.ts";
import { SimulatedBme280 } from "../../drivers/simulated-bme280.ts";
import { SimulatedBus, SimulatedClock } from "../../drivers/simulated-i2c.ts";
import { SimulatedScd4x } from "../../drivers/simulated-scd4x.ts";
import { type Adapter, loadAdapter } from "./adapter.ts";

type OpenOptions = { readonly clock: Clock; onError(error: unknown): void };

let adapter: Adapter;
let clock: SimulatedClock;
let lines: string[];

beforeAll(async () => {
  adapter = await loadAdapter();
});

beforeEach(() => {
  clock = new SimulatedClock();
  lines = [];
});

/** A sensor as the generated module lists it, with what the table of drivers says that it reads. */
function sensor(name: string, driver: string, open: (options: OpenOptions) => unknown) {
  const readings = Object.entries(sensorDrivers[driver]!.readings).map(([of, { path, scale }]) => {
    return { sensor: of, path: path.split("."), scale };
  });
  return { name, readings, open };
}

function attach(...sensors: readonly object[]) {
  return new adapter.AttachedSensors(sensors, clock, (level, text) => lines.push(`${level} ${text}`));
}

type Attached = ReturnType<typeof attach>;

/** A second passes, and a round of sampling reads `of`. */
function round(sensors: Attached, of: string): number {
  clock.advance(1000);
  sensors.startRound();
  return sensors.read(of);
}

/** In the shape of the SDK's drivers; `sample` is what the driver does. */
function sdkLike(sample: (options: OpenOptions) => unknown) {
  const counts = { opened: 0, sampled: 0, closed: 0 };
  const entry = sensor("air", "sht3x", (options) => {
    counts.opened++;
    return {
      sample() {
        counts.sampled++;
        return sample(options);
      },
      close: () => void counts.closed++,
    };
  });
  return { counts, entry };
}

const warm = { thermometer: { temperature: 21.5 }, hygrometer: { humidity: 50 } };

describe("a sensor of the board", () => {
  test("is sampled once a round, however many of its quantities are asked for and however long it takes", () => {
    const { counts, entry } = sdkLike(() => {
      clock.advance(150);
      return warm;
    });
    const slow = sensor("other", "tmp102", () => ({
      sample: () => {
        clock.advance(400);
        return { temperature: 3 };
      },
      close() {},
    }));
    const sensors = attach(slow, entry);
    for (const rounds of [1, 2, 3]) {
      sensors.startRound();
      expect(["humidity", "temperature", "humidity"].map((of) => sensors.read(of))).toEqual([50, 3, 50]);
      expect(counts).toEqual({ opened: 1, sampled: rounds, closed: 0 });
    }
  });

  test("reads NaN where no part of the board measures it, and while the part has nothing", () => {
    const { entry } = sdkLike(() => undefined);
    const sensors = attach(entry);
    expect([round(sensors, "temperature"), sensors.read("co2")]).toEqual([Number.NaN, Number.NaN]);
    expect(lines).toEqual([]);
  });

  test("gives way to the next part that measures the same while it has nothing", () => {
    const { entry } = sdkLike(() => undefined);
    const other = sensor("other", "tmp102", () => ({ sample: () => ({ temperature: 4 }), close() {} }));
    expect(round(attach(entry, other), "temperature")).toBe(4);
  });

  test("that does not answer is told of once and tried again ever more rarely, never each round", () => {
    let isThere = false;
    const { counts, entry } = sdkLike(() => {
      if (!isThere) throw new Error("no answer");
      return warm;
    });
    const sensors = attach(entry);
    for (let second = 0; second < 3600; second++) expect(round(sensors, "temperature")).toBeNaN();
    // After 1, 2, 4 ... 256 s, then every 300 s.
    expect(counts.opened).toBe(9 + Math.ceil((3600 - 511) / 300));
    expect(counts.closed).toBe(counts.opened);
    expect(lines).toEqual(["warn sensor air: Error: no answer"]);
    isThere = true;
    for (let second = 0; second < 300; second++) round(sensors, "temperature");
    expect(round(sensors, "temperature")).toBe(21.5);
    expect(lines.slice(1)).toEqual(["info sensor air: answers again"]);
    isThere = false;
    expect(round(sensors, "temperature")).toBeNaN();
    isThere = true;
    expect(round(sensors, "temperature")).toBe(21.5);
  });

  test("whose answer is garbled reads NaN, though the SDK's driver goes on to evaluate it", () => {
    let isGarbled = false;
    const { entry } = sdkLike(({ onError }) => {
      if (isGarbled) onError("bad checksum");
      return warm;
    });
    const sensors = attach(entry);
    expect(round(sensors, "temperature")).toBe(21.5);
    isGarbled = true;
    expect(round(sensors, "temperature")).toBeNaN();
    isGarbled = false;
    expect(round(sensors, "temperature")).toBe(21.5);
    expect(lines).toEqual(["warn sensor air: bad checksum", "info sensor air: answers again"]);
  });

  test.for([
    [
      "complains and returns a driver that can't even be closed",
      ({ onError }: OpenOptions) => {
        onError("unexpected sensor");
        // Its connection is closed: whatever it is told to do, it has nothing to do it with.
        const io: { close(): void } | undefined = undefined;
        return { sample: () => io!.close(), close: () => io!.close() };
      },
    ],
    [
      "throws",
      () => {
        throw new Error("unexpected sensor");
      },
    ],
  ] as [string, (options: OpenOptions) => unknown][])(
    "of another kind is told of in one line, where the SDK's driver %s",
    ([, open]) => {
      const sensors = attach(sensor("air", "tmp117", open));
      for (let second = 0; second < 1000; second++) expect(round(sensors, "temperature")).toBeNaN();
      expect(lines).toEqual([
        "warn sensor air: another kind of chip answers at its address; check the board's sensor list",
      ]);
    },
  );
});

describe("a sensor with a driver of the firmware's own", () => {
  let bus: SimulatedBus;
  beforeEach(() => {
    bus = new SimulatedBus();
  });

  const own = (options: OpenOptions) => ({ ...options, sensor: { io: bus.io } }) as SensorOptions;

  function bme280(): SimulatedBme280 {
    const chip = new SimulatedBme280(clock, {
      t: [27504, 26435, -1000],
      p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
      h: [75, 360, 0, -325, -50, 30],
    });
    chip.raw = { temperature: 519888, pressure: 415148, humidity: 30000 };
    return chip;
  }

  test("gives temperature, humidity and pressure in the catalogue's units", () => {
    bus.plug(0x76, bme280());
    const sensors = attach(sensor("air", "bme280", (options) => new Bme280(own(options))));
    expect(round(sensors, "temperature")).toBeNaN();
    expect(round(sensors, "temperature")).toBeCloseTo(25.08, 2);
    // In hPa: the data sheet's example has 1006.53; in percent.
    expect(sensors.read("pressure")).toBeCloseTo(1006.53, 2);
    expect(sensors.read("humidity")).toBeGreaterThan(1);
    expect(lines).toEqual([]);
  });

  test("gives carbon dioxide in ppm", () => {
    const chip = new SimulatedScd4x(clock);
    bus.plug(0x62, chip);
    const sensors = attach(sensor("gas", "scd4x", (options) => new Scd4x(own(options))));
    for (let second = 0; second < 8; second++) round(sensors, "co2");
    expect(sensors.read("co2")).toBeGreaterThan(300);
    expect(sensors.read("humidity")).toBeGreaterThan(1);
  });

  test("is back when it is plugged in again", () => {
    bus.plug(0x76, bme280());
    const sensors = attach(sensor("air", "bme280", (options) => new Bme280(own(options))));
    for (let second = 0; second < 2; second++) round(sensors, "temperature");
    bus.unplug(0x76);
    for (let second = 0; second < 60; second++) expect(round(sensors, "temperature")).toBeNaN();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("warn sensor air: SensorIoError: BME280 at I2C address 0x76: write failed");
    bus.plug(0x76, bme280());
    for (let second = 0; second < 66; second++) round(sensors, "temperature");
    expect(sensors.read("temperature")).toBeCloseTo(25.08, 2);
    expect(lines.at(-1)).toBe("info sensor air: answers again");
  });

  test("says what it found in its place, once", () => {
    const other = bme280();
    other.id = 0x58;
    bus.plug(0x76, other);
    const sensors = attach(sensor("air", "bme280", (options) => new Bme280(own(options))));
    for (let second = 0; second < 1000; second++) expect(round(sensors, "pressure")).toBeNaN();
    expect(lines).toEqual([
      "warn sensor air: WrongSensorError: At I2C address 0x76 is no BME280: it identifies as 0x58, not 0x60. Check the board's sensor list.",
    ]);
  });
});
