/** FFT, bands and Goertzel beside the Fourier sum as it is defined, and on waves whose answer is known. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosine, fftCountMax, powerOf, transform } from "../../../../firmware/sensing/stages/fft.ts";
import { Goertzel } from "../../../../firmware/sensing/stages/goertzel.ts";
import { Spectrum } from "../../../../firmware/sensing/stages/spectrum.ts";
import type { SpectrumFeature } from "../../../../protocols/pipeline/stage.ts";
import { fourierPower, hann } from "../models/fourier.ts";
import { drive, type Sample } from "./drive.ts";

const counts = [4, 8, 16, 32, 64, 128, 256] as const;
const value = fc.double({ min: -100, max: 100, noNaN: true });
const series = fc
  .constantFrom(...counts)
  .chain((count) => fc.array(value, { minLength: count, maxLength: count }));

const everyMs = 10;
const sampled = (values: readonly number[], from = 0): Sample[] =>
  values.map((each, i) => [from + everyMs * i, each]);

function features(
  count: number,
  gives: SpectrumFeature,
  values: readonly number[],
  low = 1,
  high = count / 2,
) {
  const spectrum = new Spectrum({ op: "spectrum", count, everyMs, gives, low, high });
  return drive(spectrum, sampled(values)).map(([, each]) => each);
}

/** A wave of `waves` turns in `count` samples. */
const wave = (count: number, waves: number, amplitude = 1, phase = 0.3, offset = 0) =>
  Array.from(
    { length: count },
    (_, i) => offset + amplitude * Math.sin((2 * Math.PI * waves * i) / count + phase),
  );

test("the table of sines is one, all around", () => {
  for (let step = 0; step < 2 * fftCountMax; step++) {
    expect(cosine(step)).toBeCloseTo(Math.cos((2 * Math.PI * step) / fftCountMax), 14);
  }
});

test("the transform's powers are those of the sum that defines them", () => {
  fc.assert(
    fc.property(series, (values) => {
      const transformed = Float32Array.from(values);
      transform(transformed);
      const scale = values.reduce((sum, each) => sum + each * each, 1) * values.length;
      for (let k = 0; k <= values.length / 2; k++) {
        // Single precision: seven digits of the whole.
        expect(Math.abs(powerOf(transformed, k) - fourierPower(values, k))).toBeLessThan(1e-5 * scale);
      }
    }),
    { numRuns: 40 },
  );
});

describe.each([16, 32, 64, 128, 256])("a spectrum of %d", (count) => {
  test("has bands that are the root mean square of what the model's bins hold", () => {
    const sets = fc.tuple(
      fc.array(value, { minLength: count, maxLength: count }),
      fc.integer({ min: 1, max: count / 2 }),
      fc.integer({ min: 1, max: count / 2 }),
    );
    fc.assert(
      fc.property(sets, ([values, a, b]) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const mean = values.reduce((sum, each) => sum + each, 0) / count;
        const windowed = values.map((each, i) => (each - mean) * hann(i, count));
        const weights = values.reduce((sum, _, i) => sum + hann(i, count) ** 2, 0);
        let square = 0;
        for (let k = low; k <= high; k++) {
          square += ((2 * k === count ? 1 : 2) * fourierPower(windowed, k)) / (count * weights);
        }
        const [found] = features(count, "rms", values, low, high);
        const scale = Math.max(1, ...values.map(Math.abs));
        expect(Math.abs(found! - Math.sqrt(square))).toBeLessThan(1e-4 * scale);
      }),
      { numRuns: 20 },
    );
  });

  test("finds a wave's frequency between two bins, on a large constant", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 3, max: count / 2 - 3, noNaN: true }),
        fc.double({ min: 0, max: 6, noNaN: true }),
        (waves, phase) => {
          const [hz] = features(count, "frequency", wave(count, waves, 2, phase, 1013));
          const binHz = 1000 / (count * everyMs);
          // The wave's own mirror image disturbs it by a hundredth of a bin, near the ends a little more.
          expect(Math.abs(hz! / binHz - waves)).toBeLessThan(0.06);
        },
      ),
    );
  });

  test("has a wave's root mean square in its band, and next to nothing elsewhere", () => {
    const waves = count / 4;
    const values = wave(count, waves, 3, 1, -40);
    expect(features(count, "rms", values, waves - 1, waves + 1)[0]).toBeCloseTo(3 / Math.SQRT2, 4);
    expect(features(count, "rms", values, 1, waves - 2)[0]).toBeLessThan(1e-4);
    expect(features(count, "centroid", values)[0]).toBeCloseTo((1000 / everyMs / count) * waves, 2);
  });
});

test("of two waves the centroid lies between them, by their power", () => {
  const low = wave(128, 8, 2);
  const high = wave(128, 40, 1);
  const values = low.map((each, i) => each + high[i]!);
  const [hz] = features(128, "centroid", values);
  expect(hz! / (1000 / 1280)).toBeCloseTo((8 * 4 + 40) / 5, 2);
});

test("silence has no frequency", () => {
  const silence = new Array(64).fill(21.5);
  expect(features(64, "frequency", silence)).toEqual([]);
  expect(features(64, "centroid", silence)).toEqual([]);
  expect(features(64, "rms", silence)).toEqual([0]);
});

describe("a frequency by itself", () => {
  const goertzel = (count: number, bin: number) => new Goertzel({ op: "goertzel", count, bin, everyMs });

  test("has the amplitude that the Fourier sum says", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 4, maxLength: 100 }), fc.nat(48), (values, nth) => {
        const count = values.length;
        const bin = 1 + (nth % Math.ceil(count / 2 - 1));
        const [[, found]] = drive(goertzel(count, bin), sampled(values)) as [Sample];
        // Halves below 1e-6 are what rounding leaves of zero.
        expect(Math.abs(found - (2 * Math.sqrt(fourierPower(values, bin))) / count)).toBeLessThan(1e-6);
      }),
    );
  });

  test("is found beside a large constant and another wave, in each block", () => {
    const other = wave(200, 31, 50);
    const values = wave(200, 12, 0.5, 2, 1013).map((each, i) => each + other[i]!);
    const left = drive(goertzel(200, 12), sampled([...values, ...values]));
    expect(left.map(([atMs]) => atMs)).toEqual([1990, 3990]);
    for (const [, each] of left) expect(each).toBeCloseTo(0.5, 6);
  });

  test("stays right over 4,096 samples", () => {
    const [[, found]] = drive(goertzel(4096, 1), sampled(wave(4096, 1, 3, 1, 1013))) as [Sample];
    expect(found).toBeCloseTo(3, 6);
  });
});

test("a series with a sample missing is begun anew", () => {
  const gap = [...sampled(wave(16, 4).slice(0, 10)), ...sampled(wave(16, 4, 7), 10 * everyMs + everyMs)];
  const spectrum = new Spectrum({ op: "spectrum", count: 16, everyMs, gives: "rms", low: 1, high: 8 });
  const goertzel = new Goertzel({ op: "goertzel", count: 16, bin: 4, everyMs });
  expect(drive(spectrum, gap).map(([, each]) => each)).toEqual([expect.closeTo(7 / Math.SQRT2, 4)]);
  expect(drive(goertzel, gap).map(([, each]) => each)).toEqual([expect.closeTo(7, 9)]);
});
