/** Linear filters by what is published of them: coefficients, impulse and step responses, gain at a frequency. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Average } from "../../../../firmware/sensing/stages/average.ts";
import { Biquad } from "../../../../firmware/sensing/stages/biquad.ts";
import { Ewma } from "../../../../firmware/sensing/stages/ewma.ts";
import { filterFor } from "../../../../firmware/sensing/stages/filter.ts";
import { Fir } from "../../../../firmware/sensing/stages/fir.ts";
import { Median } from "../../../../firmware/sensing/stages/median.ts";
import { highpass, lowpass } from "../../../../host-tools/swarm-file/biquad-design.ts";
import { responses } from "./drive.ts";

/** Nothing, and then for one sample 1. */
const impulse = [0, 1, ...new Array(40).fill(0)];
const step = [0, ...new Array(400).fill(1)];
const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((v) => v + 0);

function expectClose(found: readonly number[], expected: readonly number[], digits: number): void {
  expect(found.length).toBe(expected.length);
  found.forEach((each, i) => {
    expect(each).toBeCloseTo(expected[i]!, digits);
  });
}

describe("FIR", () => {
  test("its impulse response is its coefficients", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 48 }), (coefficients) => {
        const fir = new Fir(coefficients);
        const found = responses(fir, [...new Array(48).fill(0), 1, ...new Array(47).fill(0)]).slice(48);
        expect(found.slice(0, coefficients.length).map((v) => v + 0)).toEqual(coefficients);
        expect(found.slice(coefficients.length).every((v) => v === 0)).toBe(true);
      }),
    );
  });

  test("Savitzky and Golay's five points (1964) pass a parabola as it is, two samples late", () => {
    const fir = new Fir([-3, 12, 17, 12, -3].map((c) => c / 35));
    const parabola = Array.from({ length: 30 }, (_, i) => 0.5 * i * i - 3 * i + 2);
    expectClose(responses(fir, parabola).slice(4), parabola.slice(2, -2), 9);
  });

  test("a steady signal passes from the first sample on", () => {
    expectClose(responses(new Fir([0.2, 0.3, 0.5]), [7, 7, 7]), [7, 7, 7], 12);
  });
});

describe("moving average", () => {
  test("of a step is a ramp as long as its window", () => {
    const average = new Average(4);
    expectClose(responses(average, [0, 0, 0, 0, 1, 1, 1, 1, 1]).slice(4), [0.25, 0.5, 0.75, 1, 1], 12);
  });

  test("is the mean of the last values", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 128 }), fc.array(value, { maxLength: 300 }), (count, values) => {
        const expected = values.map((_, i) => {
          const last = values.slice(Math.max(0, i + 1 - count), i + 1);
          return last.reduce((a, b) => a + b, 0) / last.length;
        });
        expectClose(responses(new Average(count), values), expected, 6);
      }),
    );
  });

  test("forgets what was large: a sum that goes on is added up anew", () => {
    const average = new Average(4);
    const found = responses(average, [1e20, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(found.at(-1)).toBe(1);
  });
});

describe("EWMA", () => {
  test("of a step is 1 - (1 - alpha)^n", () => {
    const found = responses(new Ewma(0.3), step).slice(1, 30);
    expectClose(
      found,
      found.map((_, i) => 1 - 0.7 ** (i + 1)),
      12,
    );
  });
});

describe("biquad", () => {
  // scipy.signal.butter(2, 0.2) and Matlab's butter(2, 0.2).
  const butter = { b: [0.06745527, 0.13491055, 0.06745527], a: [1, -1.1429805, 0.4128016] } as const;

  test("a lowpass at a tenth of the rate is Butterworth's, by SciPy's coefficients", () => {
    const { b0, b1, b2, a1, a2 } = section(lowpass(1, 10, Math.SQRT1_2));
    expectClose([b0, b1, b2, 1, a1, a2], [...butter.b, ...butter.a], 7);
  });

  test("does what its difference equation says, from rest", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const stage = section(lowpass(1, 10, Math.SQRT1_2));
        const { b0, b1, b2, a1, a2 } = stage;
        const x = [0, ...values];
        const y: number[] = [];
        x.forEach((each, n) => {
          const [x1, x2, y1, y2] = [x[n - 1] ?? 0, x[n - 2] ?? 0, y[n - 1] ?? 0, y[n - 2] ?? 0];
          y.push(b0 * each + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2);
        });
        expectClose(responses(new Biquad(stage), x), y, 6);
      }),
    );
  });

  test("the impulse response of two poles at radius r and angle w is r^n sin((n + 1) w) / sin(w)", () => {
    const [r, w] = [0.9, 0.6];
    const stage = { op: "biquad", b0: 1, b1: 0, b2: 0, a1: -2 * r * Math.cos(w), a2: r * r } as const;
    const found = responses(new Biquad(stage), impulse).slice(1);
    expectClose(
      found,
      found.map((_, n) => (r ** n * Math.sin((n + 1) * w)) / Math.sin(w)),
      12,
    );
  });

  test("Butterworth's step response goes 4.3 % beyond", () => {
    const found = responses(filterFor(lowpass(0.01, 1, Math.SQRT1_2)), step);
    expect(Math.max(...found)).toBeCloseTo(1 + Math.exp(-Math.PI), 2);
    expect(found.at(-1)).toBeCloseTo(1, 4);
  });

  test.each([
    ["lowpass", lowpass, 0.05, Math.SQRT1_2],
    ["highpass", highpass, 0.05, Math.SQRT1_2],
    ["lowpass", lowpass, 0.005, 1],
    ["highpass", highpass, 0.4, 1],
    ["lowpass", lowpass, 0.4, 0],
    ["highpass", highpass, 0.005, 0],
  ] as const)("a %s at 0.05 of the rate has at %d of it the gain %d", (kind, design, hz, gain) => {
    void kind;
    const sine = Array.from({ length: 4000 }, (_, n) => Math.sin(2 * Math.PI * hz * n));
    const found = responses(filterFor(design(0.05, 1, Math.SQRT1_2)), sine).slice(2000);
    const amplitude = Math.sqrt((2 * found.reduce((sum, v) => sum + v * v, 0)) / found.length);
    expect(Math.abs(amplitude - gain)).toBeLessThan(0.02);
  });

  test("a steady signal does not ring at the start", () => {
    expectClose(responses(filterFor(lowpass(1, 10, 2)), [20, 20, 20]), [20, 20, 20], 10);
    expectClose(responses(filterFor(highpass(1, 10, 2)), [20, 20, 20]), [0, 0, 0], 10);
  });
});

test("a median lets no impulse through, and a step as it is, half its window late", () => {
  expect(
    responses(new Median(5), impulse)
      .slice(2)
      .every((v) => v === 0),
  ).toBe(true);
  expect(responses(new Median(5), [0, 0, 0, 0, 0, 1, 1, 1, 1])).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1]);
});

function section(stage: ReturnType<typeof lowpass>) {
  if (stage.op !== "biquad") throw new Error(`a ${stage.op} is no biquad`);
  return stage;
}
