import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Scd4x } from "../../../firmware/drivers/scd4x.ts";
import { crc8 } from "../../../firmware/drivers/sensirion-words.ts";
import { SensorIoError } from "../../../firmware/drivers/sensor.ts";
import { SimulatedBus, SimulatedClock } from "./simulated-i2c.ts";
import { SimulatedScd4x } from "./simulated-scd4x.ts";

/** From the constructor to the first reading: stop 501, serial number and three settings at 2 each and 2 for the start, 5,000. */
const firstReadingMs = 5600;

function setUp() {
  const clock = new SimulatedClock();
  const bus = new SimulatedBus();
  const chip = new SimulatedScd4x(clock);
  bus.plug(0x62, chip);
  const errors: Error[] = [];
  const heard = { samples: 0 };
  const open = () =>
    new Scd4x({
      sensor: { io: bus.io },
      clock,
      onSample: () => heard.samples++,
      onError: (error) => errors.push(error),
    });
  return { clock, bus, chip, errors, heard, open };
}

test("the checksums printed in the data sheet", () => {
  for (const [word, crc] of [
    [0xbeef, 0x92],
    [0x01f4, 0x33],
    [0x6667, 0xa2],
    [0x5eb9, 0x3c],
    [0x07e6, 0x48],
    [0x079e, 0x09],
    [0x0001, 0xb0],
    [0x8000, 0xa2],
    [0xf896, 0x31],
    [0x9f07, 0xc2],
    [0x3bbe, 0x89],
    [0x1440, 0x51],
    [0x0440, 0x3f],
    [0x5441, 0xe9],
  ] as const) {
    expect(crc8(Uint8Array.of(word >> 8, word), 0, 2)).toBe(crc);
  }
});

describe("an SCD4x that measures periodically", () => {
  test("gives the example of section 3.6.2: 500 ppm, 25 °C, 37 %", () => {
    const { clock, chip, heard, open } = setUp();
    const sensor = open();
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("starting");
    clock.advance(1000);
    expect(chip.mode).toBe("periodic");
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("measuring");
    clock.advance(firstReadingMs - 1000);
    const sample = sensor.sample()!;
    expect(sample.carbonDioxideDetector.CO2).toBe(500);
    expect(sample.thermometer.temperature).toBeCloseTo(25, 2);
    expect(sample.hygrometer.humidity).toBeCloseTo(0.37, 3);
    expect(sensor.reason).toBeUndefined();
    expect(heard.samples).toBe(1);
    expect(chip.refused).toEqual([]);
  });

  test("takes every measurement, once, for an hour, and is never refused", () => {
    const { clock, chip, heard, open } = setUp();
    const sensor = open();
    clock.advance(firstReadingMs);
    for (let round = 0; round < 720; round++) {
      chip.air = [400 + round, 0x6667, 0x5eb9];
      clock.advance(5000);
    }
    // The last may wait for the next poll.
    clock.advance(600);
    expect(heard.samples).toBe(721);
    expect(chip.refused).toEqual([]);
    expect(sensor.sample()!.carbonDioxideDetector.CO2).toBeGreaterThanOrEqual(400 + 718);
  });

  test("converts every raw value as section 3.6.2 says, but 0 ppm, which is none", () => {
    const word = fc.nat(0xffff);
    fc.assert(
      fc.property(word, word, word, (co2, temperature, humidity) => {
        const { clock, chip, open } = setUp();
        chip.air = [co2, temperature, humidity];
        const sensor = open();
        clock.advance(firstReadingMs);
        const sample = sensor.sample()!;
        expect(sample.carbonDioxideDetector.CO2).toBe(co2 === 0 ? NaN : co2);
        expect(sample.thermometer.temperature).toBeCloseTo(-45 + (175 * temperature) / (2 ** 16 - 1), 9);
        expect(sample.hygrometer.humidity).toBeCloseTo(humidity / (2 ** 16 - 1), 9);
      }),
    );
  });

  test("with little power: every 30 s", () => {
    const { clock, chip, heard, open } = setUp();
    const sensor = open();
    sensor.configure({ mode: "low-power" });
    clock.advance(1500);
    expect(chip.mode).toBe("low-power");
    clock.advance(300_000);
    expect(heard.samples).toBe(10);
    expect(chip.refused).toEqual([]);
    expect(sensor.sample()).toBeDefined();
  });
});

test("in single-shot mode each reading is asked for, announced and given once", () => {
  const { clock, chip, heard, open } = setUp();
  const sensor = open();
  sensor.configure({ mode: "single-shot" });
  clock.advance(60_000);
  expect(heard.samples).toBe(0);
  for (let round = 1; round <= 3; round++) {
    chip.air = [600 + round, 0x6667, 0x5eb9];
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("measuring");
    clock.advance(4999);
    expect(sensor.sample()).toBeUndefined();
    clock.advance(10);
    expect(heard.samples).toBe(round);
    expect(sensor.sample()!.carbonDioxideDetector.CO2).toBe(600 + round);
  }
  expect(chip.refused).toEqual([]);
  expect(clock.hasTimers).toBe(false);
});

test("an SCD40 has no single shot: given up, once, through onError", () => {
  const { clock, bus, chip, errors, open } = setUp();
  chip.variant = 0x0440;
  const sensor = open();
  sensor.configure({ mode: "single-shot" });
  clock.advance(60_000);
  expect(errors.map((error) => error.name)).toEqual(["WrongSensorError"]);
  expect(sensor.sample()).toBeUndefined();
  expect(sensor.reason).toBe("closed");
  expect(bus.openConnections).toBe(0);
  expect(clock.hasTimers).toBe(false);
});

describe("settings of an SCD4x", () => {
  test("arrive as in the examples of sections 3.7.1, 3.7.3 and 3.8.2, whenever they change", () => {
    fc.assert(
      fc.property(fc.nat(20_000), (atMs) => {
        const { clock, chip, errors, open } = setUp();
        const sensor = open();
        clock.advance(atMs);
        sensor.configure({ selfCalibration: false, temperatureOffset: 5.4, altitude: 1950 });
        clock.advance(firstReadingMs + 600);
        expect(chip.selfCalibration).toBe(0);
        expect(chip.temperatureOffset).toBe(0x07e6);
        expect(chip.altitude).toBe(0x079e);
        expect(chip.refused).toEqual([]);
        expect(errors).toEqual([]);
        expect(sensor.sample()).toBeDefined();
      }),
    );
  });

  test("are the sensor's own as delivered, unless told", () => {
    const { clock, chip, open } = setUp();
    open();
    clock.advance(firstReadingMs);
    expect([chip.selfCalibration, chip.temperatureOffset, chip.altitude]).toEqual([1, 0x05da, 0]);
  });

  test("that the sensor does not have are refused", () => {
    const { clock, open } = setUp();
    const sensor = open();
    clock.advance(firstReadingMs);
    for (const wrong of [
      { temperatureOffset: -1 },
      { temperatureOffset: NaN },
      { altitude: 3001 },
      { altitude: 0.5 },
      { mode: "often" as "periodic" },
    ]) {
      expect(() => sensor.configure(wrong)).toThrow(RangeError);
      expect(sensor.sample()).toBeDefined();
    }
  });
});

describe("what goes wrong with an SCD4x", () => {
  test("any bit of any answer flipped: no wrong reading, and readings again afterwards", () => {
    const { clock, chip, errors, open } = setUp();
    const sensor = open();
    clock.advance(firstReadingMs);
    let turned = 0;
    let isCorruptSeen = false;
    for (let bit = 0; bit < 72; bit++) {
      chip.garble = (bytes) => {
        const at = bit % (bytes.length * 8);
        turned++;
        return bytes.map((byte, i) => (i === at >> 3 ? byte ^ (1 << (at & 7)) : byte));
      };
      if (bit % 2 === 0) sensor.configure({});
      for (let second = 0; second < 25; second++) {
        clock.advance(1000);
        const sample = sensor.sample();
        isCorruptSeen ||= sensor.reason === "corrupt";
        if (sample !== undefined) expect(sample.carbonDioxideDetector.CO2).toBe(500);
      }
      expect(sensor.sample()).toBeUndefined();
    }
    expect(turned).toBeGreaterThan(72);
    expect(isCorruptSeen).toBe(true);
    chip.garble = (bytes) => bytes;
    clock.advance(20_000);
    expect(sensor.sample()!.carbonDioxideDetector.CO2).toBe(500);
    expect(errors).toEqual([]);
  });

  test("a measurement that arrives broken is not given, the next one is", () => {
    const { clock, chip, open } = setUp();
    const sensor = open();
    chip.garble = (bytes) => (bytes.length === 9 && bytes[0] === 0x01 ? bytes.with(2, 0) : bytes);
    clock.advance(firstReadingMs);
    expect(sensor.sample()).toBeUndefined();
    expect(sensor.reason).toBe("corrupt");
    chip.garble = (bytes) => bytes;
    clock.advance(5000);
    expect(sensor.sample()).toBeDefined();
  });

  test("without power for a moment: the old reading is not given for ever, settings and readings come back", () => {
    const { clock, chip, errors, open } = setUp();
    const sensor = open();
    sensor.configure({ altitude: 1950 });
    clock.advance(firstReadingMs + 600);
    chip.powerUp();
    let oldMs = 0;
    for (; sensor.sample() !== undefined && oldMs < 16_000; oldMs += 100) clock.advance(100);
    expect(oldMs).toBeLessThan(16_000);
    expect(sensor.reason).toBe("restarted");
    clock.advance(firstReadingMs);
    expect(chip.altitude).toBe(1950);
    expect(sensor.sample()).toBeDefined();
    expect(errors).toEqual([]);
  });

  test("the board restarted in the middle of a single shot: refused at first, then set up", () => {
    const { clock, chip, open } = setUp();
    chip.beginSingleShot();
    const sensor = open();
    expect(() => sensor.sample()).toThrow(SensorIoError);
    clock.advance(5000 + firstReadingMs);
    expect(sensor.sample()).toBeDefined();
    expect(chip.refused).toHaveLength(1);
  });

  test("unplugged at any transaction, in each mode: only SensorIoError comes out, and plugged in again it reads", () => {
    for (const mode of ["periodic", "low-power", "single-shot"] as const) {
      for (let at = 0; at < 40; at++) {
        const { clock, bus, errors, open } = setUp();
        bus.unpluggedFrom = at;
        const sensor = open();
        sensor.configure({ mode });
        let isThrown = false;
        for (let second = 0; second < 300 && !isThrown; second++) {
          clock.advance(1000);
          isThrown = throwsSensorIoError(() => sensor.sample());
        }
        expect(isThrown, `${mode}, unplugged from transaction ${at}`).toBe(true);
        bus.unpluggedFrom = Infinity;
        for (let tenth = 0; tenth < 60 && throwsSensorIoError(() => sensor.sample()); tenth++)
          clock.advance(100);
        expect(sensor.sample(), "a reading from before").toBeUndefined();
        clock.advance(1000);
        sensor.sample();
        clock.advance(40_000);
        expect(sensor.sample()!.carbonDioxideDetector.CO2).toBe(500);
        expect(errors).toEqual([]);
      }
    }
  });
});

test("closed at any moment, it holds neither bus nor timer, and says so", () => {
  fc.assert(
    fc.property(fc.nat(20_000), (atMs) => {
      const { clock, bus, chip, open } = setUp();
      const sensor = open();
      clock.advance(atMs);
      sensor.close();
      sensor.close();
      expect(bus.openConnections).toBe(0);
      expect(clock.hasTimers).toBe(false);
      expect(chip.refused).toEqual([]);
      if (atMs > 600) expect(["idle", "periodic"]).toContain(chip.mode);
      expect(sensor.sample()).toBeUndefined();
      expect(sensor.reason).toBe("closed");
    }),
  );
});

function throwsSensorIoError(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(SensorIoError);
    return true;
  }
}
