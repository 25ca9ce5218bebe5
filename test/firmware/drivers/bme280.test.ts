import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bme280, type Bme280Settings } from "../../../firmware/drivers/bme280.ts";
import { measurementMsMax } from "../../../firmware/drivers/bme280-settings.ts";
import { SensorIoError, WrongSensorError } from "../../../firmware/drivers/sensor.ts";
import { type Calibration, SimulatedBme280 } from "./simulated-bme280.ts";
import { SimulatedBus, SimulatedClock } from "./simulated-i2c.ts";

const calibration: Calibration = {
  t: [27504, 26435, -1000],
  p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
  h: [75, 360, 0, 325, 50, 30],
};

function setUp() {
  const clock = new SimulatedClock();
  const bus = new SimulatedBus();
  const chip = new SimulatedBme280(clock, calibration);
  chip.raw = { temperature: 519888, pressure: 415148, humidity: 30000 };
  bus.plug(0x76, chip);
  clock.advance(100);
  const errors: Error[] = [];
  const heard = { samples: 0 };
  const open = () =>
    new Bme280({
      sensor: { io: bus.io },
      clock,
      onSample: () => heard.samples++,
      onError: (error) => errors.push(error),
    });
  return { clock, bus, chip, errors, heard, open };
}

describe("a BME280 in normal mode", () => {
  test("gives °C, a share of 1 and pascal, and says meanwhile what it waits for", () => {
    const { clock, open } = setUp();
    const sensor = open();
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("starting");
    clock.advance(4);
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("measuring");
    clock.advance(12);
    const sample = sensor.sample()!;
    expect(sensor.reason).toBeUndefined();
    expect(sample.thermometer.temperature).toBeCloseTo(25.08, 2);
    expect(sample.barometer.pressure).toBeCloseTo(100653.27, 1);
    expect(sample.hygrometer.humidity).toBeGreaterThan(0.4);
    expect(sample.hygrometer.humidity).toBeLessThan(0.6);
  });

  test("follows the air once a standby, and makes a new object for each reading unless given one", () => {
    const { clock, chip, open } = setUp();
    const sensor = open();
    clock.advance(20);
    const first = sensor.sample()!;
    chip.raw = { ...chip.raw, temperature: 530000 };
    clock.advance(1010);
    const second = sensor.sample()!;
    expect(second).not.toBe(first);
    expect(second.thermometer.temperature).toBeGreaterThan(first.thermometer.temperature + 1);
    expect(sensor.sample(first)).toBe(first);
    expect(first).toEqual(second);
  });

  test("is set up whatever it was doing when the board restarted", () => {
    const { clock, bus, open } = setUp();
    const before = open();
    clock.advance(20);
    before.configure({ standbyMs: 0.5, temperatureOversampling: 16, pressureOversampling: 16 });
    clock.advance(30);
    // The board restarts in the middle of a measurement: nothing is closed in an orderly way.
    const fresh = new SimulatedBus();
    fresh.plug(0x76, bus.deviceAt(0x76)!);
    const after = new Bme280({ sensor: { io: fresh.io }, clock });
    clock.advance(20);
    expect(after.sample()!.thermometer.temperature).toBeCloseTo(25.08, 2);
  });
});

describe("settings of a BME280", () => {
  const settings: fc.Arbitrary<Bme280Settings> = fc.record({
    mode: fc.constantFrom("normal", "forced"),
    temperatureOversampling: fc.constantFrom(1, 2, 4, 8, 16),
    pressureOversampling: fc.constantFrom(0, 1, 2, 4, 8, 16),
    humidityOversampling: fc.constantFrom(0, 1, 2, 4, 8, 16),
    filter: fc.constantFrom(0, 2, 4, 8, 16),
    standbyMs: fc.constantFrom(0.5, 10, 20, 62.5, 125, 250, 500, 1000),
  });

  test("all of them, one after the other, reach the chip and lead to a reading within the time of section 9.1", () => {
    fc.assert(
      fc.property(fc.array(settings, { minLength: 1, maxLength: 5 }), fc.nat(200), (list, pauseMs) => {
        const { clock, chip, errors, open } = setUp();
        const sensor = open();
        clock.advance(20);
        for (const wanted of list) {
          clock.advance(pauseMs);
          sensor.configure(wanted);
          clock.advance(5);
          if (wanted.mode === "forced") expect(sensor.sample()).toBeUndefined();
          clock.advance(measurementMsMax(wanted));
          const sample = sensor.sample()!;
          expect(sample.thermometer.temperature).toBeCloseTo(25.08, 2);
          expect({ mode: wanted.mode, ...chip.settings }).toEqual(wanted);
          expect(Number.isNaN(sample.barometer.pressure)).toBe(wanted.pressureOversampling === 0);
          expect(Number.isNaN(sample.hygrometer.humidity)).toBe(wanted.humidityOversampling === 0);
        }
        expect(errors).toEqual([]);
      }),
    );
  });

  test("that the chip does not have are refused, and nothing changes", () => {
    const { clock, open } = setUp();
    const sensor = open();
    clock.advance(20);
    for (const wrong of [
      { temperatureOversampling: 0 },
      { pressureOversampling: 3 },
      { humidityOversampling: -1 },
      { filter: 1 },
      { standbyMs: 100 },
      { mode: "sleep" as "normal" },
    ]) {
      expect(() => sensor.configure(wrong)).toThrow(RangeError);
      expect(sensor.sample()).toBeDefined();
    }
  });

  test("the example of section 9.1: temperature ×1, pressure ×4 and no humidity take at most 13.3 ms, waited for as 15", () => {
    const example = { temperatureOversampling: 1, pressureOversampling: 4, humidityOversampling: 0 };
    const ms = measurementMsMax({ mode: "forced", filter: 0, standbyMs: 0.5, ...example });
    expect(ms).toBe(15);
  });
});

test("in forced mode each reading is asked for, announced and given once, and the chip sleeps in between", () => {
  const { clock, chip, heard, open } = setUp();
  const sensor = open();
  clock.advance(20);
  sensor.configure({ mode: "forced" });
  clock.advance(500);
  const before = chip.measurements;
  for (let round = 1; round <= 3; round++) {
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("measuring");
    clock.advance(5);
    expect(sensor.sample()).toBeUndefined();
    clock.advance(60_000);
    expect(heard.samples).toBe(round);
    expect(chip.mode).toBe(0);
    expect(sensor.sample()!.thermometer.temperature).toBeCloseTo(25.08, 2);
    expect(chip.measurements).toBe(before + round);
  }
});

describe("what goes wrong with a BME280", () => {
  test("nothing at the address: the constructor says so and leaves the bus free", () => {
    const { bus, open } = setUp();
    bus.unplug(0x76);
    expect(open).toThrow(SensorIoError);
    expect(open).toThrow("BME280 at I2C address 0x76: write failed");
    expect(bus.openConnections).toBe(0);
  });

  test("another chip at the address, such as a BMP280", () => {
    const { bus, chip, open } = setUp();
    chip.id = 0x58;
    expect(open).toThrow(WrongSensorError);
    expect(open).toThrow("identifies as 0x58");
    expect(bus.openConnections).toBe(0);
  });

  test("without power for a moment: no reading is believed until the settings are back", () => {
    const { clock, chip, open } = setUp();
    const sensor = open();
    clock.advance(20);
    chip.powerUp();
    clock.advance(5);
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("restarted");
    clock.advance(20);
    expect(sensor.sample()!.thermometer.temperature).toBeCloseTo(25.08, 2);
  });

  test("exchanged for another of its kind: the other's calibration is used", () => {
    const { clock, bus, open } = setUp();
    const sensor = open();
    clock.advance(20);
    const warmer = new SimulatedBme280(clock, { ...calibration, t: [26504, 26435, -1000] });
    warmer.raw = { temperature: 519888, pressure: 415148, humidity: 30000 };
    bus.plug(0x76, warmer);
    clock.advance(5);
    expect(sensor.sample()).toBeUndefined();
    clock.advance(20);
    expect(sensor.sample()!.thermometer.temperature).toBeGreaterThan(28);
  });

  test("exchanged for another kind: given up, once, through onError", () => {
    const { clock, chip, bus, errors, open } = setUp();
    const sensor = open();
    clock.advance(20);
    chip.id = 0x58;
    chip.powerUp();
    clock.advance(5);
    expect(sensor.sample()).toBeUndefined();
    clock.advance(100);
    expect(errors.map((error) => error.name)).toEqual(["WrongSensorError"]);
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("closed");
    expect(bus.openConnections).toBe(0);
  });

  test("a calibration that never loads, or is empty, gives no reading", () => {
    const { clock, chip, open } = setUp();
    chip.loadMs = 1e6;
    const sensor = open();
    clock.advance(100);
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("corrupt");
    chip.loadMs = 2;
    chip.calibrate({ ...calibration, t: [0, 0, 0] });
    for (let round = 0; round < 3; round++) {
      clock.advance(100);
      expect(sensor.sample()).toBeUndefined();
      expect(sensor.reason).toBe("corrupt");
    }
    chip.calibrate(calibration);
    sensor.sample();
    clock.advance(100);
    expect(sensor.sample()!.thermometer.temperature).toBeCloseTo(25.08, 2);
  });

  test("values beyond its rated range are NaN, not numbers to act on", () => {
    const { clock, chip, open } = setUp();
    const sensor = open();
    chip.raw = { ...chip.raw, temperature: 0xfffff };
    clock.advance(20);
    const hot = sensor.sample()!;
    expect(sensor.reason).toBe("out-of-range");
    expect([hot.thermometer.temperature, hot.hygrometer.humidity, hot.barometer.pressure]).toEqual([
      NaN,
      NaN,
      NaN,
    ]);
    chip.raw = { temperature: 519888, pressure: 0, humidity: 30000 };
    clock.advance(2000);
    const pressed = sensor.sample()!;
    expect(pressed.barometer.pressure).toBeNaN();
    expect(sensor.reason).toBe("out-of-range");
    expect(pressed.thermometer.temperature).toBeCloseTo(25.08, 2);
  });

  test("unplugged at any transaction: only SensorIoError comes out, and plugged in again it reads", () => {
    for (let at = 1; at < 40; at++) {
      const { clock, bus, errors, open } = setUp();
      bus.unpluggedFrom = at;
      const attempt = (): Bme280 | undefined => {
        try {
          return open();
        } catch (error) {
          expect(error).toBeInstanceOf(SensorIoError);
          return undefined;
        }
      };
      let sensor = attempt();
      let isThrown = sensor === undefined;
      for (let turn = 0; sensor !== undefined && turn < 20; turn++) {
        clock.advance(10);
        try {
          if (turn === 3) sensor.configure({ filter: 4 });
          sensor.sample();
        } catch (error) {
          expect(error).toBeInstanceOf(SensorIoError);
          isThrown = true;
          break;
        }
      }
      expect(isThrown, `unplugged from transaction ${at}`).toBe(true);
      bus.unpluggedFrom = Infinity;
      sensor ??= attempt()!;
      sensor.sample();
      clock.advance(100);
      expect(sensor.sample()!.thermometer.temperature).toBeCloseTo(25.08, 2);
      expect(errors).toEqual([]);
    }
  });
});

test("closed, it sleeps, holds neither bus nor timer, and says so", () => {
  const { clock, chip, bus, open } = setUp();
  const sensor = open();
  clock.advance(20);
  sensor.close();
  sensor.close();
  expect(chip.mode).toBe(0);
  expect(bus.openConnections).toBe(0);
  expect(clock.hasTimers).toBe(false);
  expect(sensor.sample()).toBeUndefined();
  expect(sensor.reason).toBe("closed");
});
