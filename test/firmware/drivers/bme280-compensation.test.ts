/**
 * The driver computes in double precision (section 8.1 of the data sheet). The models here are its integers: those of
 * 4.2.3, for pressure with 64 bits, and the 32-bit alternative of 8.2.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Bme280Compensation } from "../../../firmware/drivers/bme280-compensation.ts";
import { type Calibration, SimulatedBme280 } from "./simulated-bme280.ts";
import { SimulatedClock } from "./simulated-i2c.ts";

/** The worked example for temperature and pressure: BST-BMP280-DS001, section 3.12, whose formulas are the BME280's. */
const example: Calibration = {
  t: [27504, 26435, -1000],
  p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
  h: [75, 360, 0, 325, 50, 30],
};

test("the worked example of the BMP280's data sheet: 25.08 °C and 100,653.27 Pa", () => {
  const compensation = compensationOf(example);
  expect(compensation.temperature(519888)).toBeCloseTo(25.08, 2);
  expect(compensation.pressure(415148)).toBeCloseTo(100653.27, 1);
  expect(fineOf(example, 519888)).toBe(128422n);
  expect(Number(pascal256Of(example, 519888, 415148)) / 256).toBeCloseTo(100653.27, 1);
  expect(pascal32Of(example, 519888, 415148)).toBe(100656);
});

test("H4 and H5 are signed values of twelve bits that share a byte", () => {
  for (const [h4, h5] of [
    [-2048, 2047],
    [2047, -2048],
    [-1, 1],
    [325, -50],
  ] as const) {
    const calibration: Calibration = { ...example, h: [75, 360, 0, h4, h5, 30] };
    const compensation = compensationOf(calibration);
    compensation.temperature(519888);
    const model = Number(percent1024Of(calibration, 519888, 40000)) / 1024;
    expect(compensation.humidity(40000) * 100).toBeCloseTo(model, 0);
  }
});

/** Around what the data sheets print and chips in the field hold, widely. */
const calibrations: fc.Arbitrary<Calibration> = fc.record({
  t: fc.tuple(
    fc.integer({ min: 26000, max: 30000 }),
    fc.integer({ min: 25000, max: 28000 }),
    fc.integer({ min: -1500, max: 200 }),
  ),
  p: fc.tuple(
    fc.integer({ min: 34000, max: 40000 }),
    fc.integer({ min: -11500, max: -9500 }),
    fc.integer({ min: 2500, max: 3500 }),
    fc.integer({ min: 2000, max: 12000 }),
    fc.integer({ min: -300, max: 300 }),
    fc.integer({ min: -12, max: 12 }),
    fc.integer({ min: 9000, max: 16000 }),
    fc.integer({ min: -15000, max: -9000 }),
    fc.integer({ min: 3000, max: 7000 }),
  ),
  h: fc.tuple(
    fc.integer({ min: 60, max: 90 }),
    fc.integer({ min: 300, max: 420 }),
    fc.integer({ min: 0, max: 10 }),
    fc.integer({ min: 200, max: 420 }),
    fc.integer({ min: -60, max: 60 }),
    fc.integer({ min: 10, max: 40 }),
  ),
});
const raw20 = fc.integer({ min: 250_000, max: 700_000 });
const raw16 = fc.integer({ min: 0, max: 0xffff });

test("temperature agrees with the integers of 4.2.3 to 0.01 °C, their resolution", () => {
  fc.assert(
    fc.property(calibrations, raw20, (calibration, raw) => {
      const centi = (fineOf(calibration, raw) * 5n + 128n) >> 8n;
      expect(Math.abs(compensationOf(calibration).temperature(raw) - Number(centi) / 100)).toBeLessThan(
        0.011,
      );
    }),
    { numRuns: 1000 },
  );
});

test("pressure agrees with the 64-bit integers of 4.2.3 to 1 Pa, and with the 32-bit ones of 8.2 to 10 Pa", () => {
  let checked = 0;
  fc.assert(
    fc.property(calibrations, raw20, raw20, (calibration, rawT, rawP) => {
      const compensation = compensationOf(calibration);
      const celsius = compensation.temperature(rawT);
      const pascal = compensation.pressure(rawP);
      fc.pre(celsius > -40 && celsius < 85 && pascal > 30_000 && pascal < 110_000);
      checked++;
      expect(Math.abs(pascal - Number(pascal256Of(calibration, rawT, rawP)) / 256)).toBeLessThan(1);
      expect(Math.abs(pascal - pascal32Of(calibration, rawT, rawP))).toBeLessThan(10);
    }),
    { numRuns: 1000 },
  );
  expect(checked).toBeGreaterThanOrEqual(1000);
});

test("humidity agrees with the integers of 4.2.3 to 0.02 % and stays between 0 and 1", () => {
  fc.assert(
    fc.property(calibrations, raw20, raw16, (calibration, rawT, rawH) => {
      const compensation = compensationOf(calibration);
      const celsius = compensation.temperature(rawT);
      fc.pre(celsius > -40 && celsius < 85);
      const humidity = compensation.humidity(rawH);
      expect(humidity).toBeGreaterThanOrEqual(0);
      expect(humidity).toBeLessThanOrEqual(1);
      const model = Number(percent1024Of(calibration, rawT, rawH)) / 1024;
      expect(Math.abs(humidity * 100 - model)).toBeLessThan(0.02);
    }),
    { numRuns: 1000 },
  );
});

test("a calibration that divides by zero gives NaN", () => {
  const compensation = compensationOf({ ...example, p: [0, 0, 0, 0, 0, 0, 0, 0, 0] });
  compensation.temperature(519888);
  expect(compensation.pressure(415148)).toBeNaN();
});

/** Through the registers, as the driver reads them. */
function compensationOf(calibration: Calibration): Bme280Compensation {
  const clock = new SimulatedClock();
  const chip = new SimulatedBme280(clock, calibration);
  clock.advance(10);
  return new Bme280Compensation(readFrom(chip, 0x88, 26), readFrom(chip, 0xe1, 7));
}

function readFrom(chip: SimulatedBme280, register: number, count: number): Uint8Array {
  chip.start(false);
  chip.write(register);
  chip.stop();
  chip.start(true);
  return Uint8Array.from({ length: count }, () => chip.read());
}

function fineOf({ t }: Calibration, raw: number): bigint {
  const [t1, t2, t3] = t.map(BigInt) as [bigint, bigint, bigint];
  const adc = BigInt(raw);
  const var1 = (((adc >> 3n) - (t1 << 1n)) * t2) >> 11n;
  const var2 = (((((adc >> 4n) - t1) * ((adc >> 4n) - t1)) >> 12n) * t3) >> 14n;
  return var1 + var2;
}

/** Pascal times 256. */
function pascal256Of(calibration: Calibration, rawT: number, rawP: number): bigint {
  const [p1, p2, p3, p4, p5, p6, p7, p8, p9] = calibration.p.map(BigInt);
  let var1 = fineOf(calibration, rawT) - 128000n;
  let var2 = var1 * var1 * p6!;
  var2 += (var1 * p5!) << 17n;
  var2 += p4! << 35n;
  var1 = ((var1 * var1 * p3!) >> 8n) + ((var1 * p2!) << 12n);
  var1 = (((1n << 47n) + var1) * p1!) >> 33n;
  let p = 1048576n - BigInt(rawP);
  p = (((p << 31n) - var2) * 3125n) / var1;
  var1 = (p9! * (p >> 13n) * (p >> 13n)) >> 25n;
  var2 = (p8! * p) >> 19n;
  return ((p + var1 + var2) >> 8n) + (p7! << 4n);
}

/** Pascal, 8.2; in BigInts, so that nothing can overflow unseen. */
function pascal32Of(calibration: Calibration, rawT: number, rawP: number): number {
  const [p1, p2, p3, p4, p5, p6, p7, p8, p9] = calibration.p.map(BigInt);
  let var1 = (fineOf(calibration, rawT) >> 1n) - 64000n;
  let var2 = (((var1 >> 2n) * (var1 >> 2n)) >> 11n) * p6!;
  var2 += (var1 * p5!) << 1n;
  var2 = (var2 >> 2n) + (p4! << 16n);
  var1 = (((p3! * (((var1 >> 2n) * (var1 >> 2n)) >> 13n)) >> 3n) + ((p2! * var1) >> 1n)) >> 18n;
  var1 = ((32768n + var1) * p1!) >> 15n;
  let p = BigInt.asUintN(32, (1048576n - BigInt(rawP) - (var2 >> 12n)) * 3125n);
  p = p < 0x80000000n ? (p << 1n) / var1 : (p / var1) * 2n;
  var1 = (p9! * (((p >> 3n) * (p >> 3n)) >> 13n)) >> 12n;
  var2 = ((p >> 2n) * p8!) >> 13n;
  return Number(p + ((var1 + var2 + p7!) >> 4n));
}

/** Percent times 1,024. */
function percent1024Of(calibration: Calibration, rawT: number, rawH: number): bigint {
  const [h1, h2, h3, h4, h5, h6] = calibration.h.map(BigInt);
  const t = fineOf(calibration, rawT) - 76800n;
  const linear = ((BigInt(rawH) << 14n) - (h4! << 20n) - h5! * t + 16384n) >> 15n;
  const gain =
    ((((((t * h6!) >> 10n) * (((t * h3!) >> 11n) + 32768n)) >> 10n) + 2097152n) * h2! + 8192n) >> 14n;
  let v = linear * gain;
  v -= ((((v >> 15n) * (v >> 15n)) >> 7n) * h1!) >> 4n;
  if (v < 0n) v = 0n;
  if (v > 419430400n) v = 419430400n;
  return v >> 12n;
}
