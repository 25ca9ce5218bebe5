import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnomalyScore, anomalyLimits } from "../../../firmware/sensing/stages/anomaly-score.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { anomalyScores } from "./models/anomaly-score.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Reproducible noise, about normal: the sum of four uniforms, of variance 1/3. */
function noise(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return () => uniform() + uniform() + uniform() + uniform() - 2;
}

function scoresOf(values: readonly number[], everyMs = minuteMs): number[] {
  const detector = new AnomalyScore(dayMs);
  return values.map((value, i) => detector.push(value, i * everyMs));
}

/** Indices of the scores that are worth an alarm. */
const alarms = (scores: readonly number[]) =>
  scores.flatMap((s, i) => (s >= anomalyLimits.alarmScore ? [i] : []));

describe("an anomaly score", () => {
  test("is what the plain model gives, to the bit", () => {
    const stretch = fc.record({
      count: fc.integer({ min: 1, max: 150 }),
      level: fc.double({ min: -100, max: 100, noNaN: true }),
      spread: fc.constantFrom(0, 0.1, 1, 30),
      gapMs: fc.integer({ min: 0, max: 5_000_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(stretch, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.nat(1e9),
        (stretches, seed, startMs) => {
          const next = noise(seed);
          const values: number[] = [];
          const timesMs: number[] = [];
          for (const { count, level, spread, gapMs } of stretches) {
            for (let i = 0; i < count; i++) {
              values.push(level + spread * next());
              timesMs.push((timesMs.at(-1) ?? startMs) + gapMs);
            }
          }
          const detector = new AnomalyScore(dayMs);
          expect(values.map((value, i) => detector.push(value, timesMs[i]!))).toEqual(
            anomalyScores(values, timesMs, dayMs),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test("is 0 to 1, and 0 for the first twenty, whatever the values", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 300 }),
        (values) => {
          const scores = scoresOf(values);
          for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
          expect(alarms(scores.slice(0, 20))).toEqual([]);
        },
      ),
    );
  });

  test("depends neither on the unit nor on where the scale begins", () => {
    const next = noise(7);
    const celsius = Array.from({ length: 3_000 }, (_, i) => 20 + next() + (i === 2_000 ? 9 : 0));
    const fahrenheit = celsius.map((value) => 1.8 * value + 32);
    const [a, b] = [scoresOf(celsius), scoresOf(fahrenheit)];
    a.forEach((score, i) => {
      expect(b[i]).toBeCloseTo(score, 9);
    });
    expect(alarms(a)).toContain(2_000);
  });

  test("raises one alarm for one incident, and one more when that gets worse", () => {
    const next = noise(3);
    const values = Array.from({ length: 1_000 }, () => next());
    for (let i = 900; i < 960; i++) values[i]! += 8;
    expect(alarms(scoresOf(values)).filter((i) => i >= 900 && i < 960)).toHaveLength(1);
    for (let i = 930; i < 960; i++) values[i]! += 400;
    expect(alarms(scoresOf(values)).filter((i) => i >= 930 && i < 960)).not.toHaveLength(0);
  });

  test("notices a level that is none by itself, a fan that has become rough, and the first step after a long rest", () => {
    const next = noise(5);
    const drift = Array.from({ length: 2_000 }, (_, i) => 5 * next() + (i >= 1_500 ? 5 : 0));
    expect(alarms(scoresOf(drift)).some((i) => i >= 1_500 && i < 1_540)).toBe(true);
    const rough = Array.from(
      { length: 2_000 },
      (_, i) => Math.sin(i / 30) * 50 + (i >= 1_500 ? 6 : 1) * next(),
    );
    expect(alarms(scoresOf(rough)).some((i) => i >= 1_500 && i < 1_620)).toBe(true);
    const rest = Array.from({ length: 500 }, (_, i) => (i === 400 ? 45.1 : 45));
    expect(alarms(scoresOf(rest))).toEqual([400]);
  });

  test("knows the hours of the day: a warm night is one, though every noon is warmer", () => {
    const next = noise(11);
    const everyMs = 5 * minuteMs;
    const perDay = dayMs / everyMs;
    const at = 10 * perDay;
    const values = Array.from(
      { length: 11 * perDay },
      (_, i) => 20 - 10 * Math.cos((2 * Math.PI * i) / perDay) + 0.3 * next(),
    );
    const usual = alarms(scoresOf(values, everyMs));
    for (let i = at; i < at + 12; i++) values[i]! += 9;
    const warm = alarms(scoresOf(values, everyMs));
    expect(usual.filter((i) => i >= at)).toEqual([]);
    expect(warm.filter((i) => i >= at)[0]).toBe(at);
  });

  test("of steady noise, is worth an alarm less and less often", () => {
    const next = noise(13);
    const found = alarms(scoresOf(Array.from({ length: 50_000 }, () => next())));
    expect(found.filter((i) => i < 5_000).length).toBeGreaterThan(found.filter((i) => i >= 45_000).length);
    expect(found.filter((i) => i >= 10_000).length).toBeLessThan(20);
  });
});

describe("a checkpoint of it", () => {
  test("continues as if nothing had been, on a clock that starts anywhere", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 799 }), fc.nat(), fc.nat(1e9), (cut, seed, restartMs) => {
        const next = noise(seed);
        const values = Array.from({ length: 800 }, (_, i) => next() + (i % 97 === 0 ? 5 : 0));
        const everyMs = 7 * minuteMs;
        const whole = scoresOf(values, everyMs);
        const before = new AnomalyScore(dayMs);
        for (let i = 0; i < cut; i++) before.push(values[i]!, i * everyMs);
        const after = new AnomalyScore(dayMs);
        after.restore(before.save(cut * everyMs), restartMs);
        const rest = values.slice(cut).map((value, i) => after.push(value, restartMs + i * everyMs));
        expect(rest).toEqual(whole.slice(cut));
      }),
      { numRuns: 50 },
    );
  });

  test("has the bytes that are stated", () => {
    const [, numbers] = new AnomalyScore(dayMs).save(0) as [number, Uint8Array];
    expect(numbers.length + 8).toBe(anomalyLimits.stateBytes);
    expect(anomalyLimits.stateBytes).toBeLessThanOrEqual(2_048);
  });

  test("that is another stage's is refused, and nothing of it taken", () => {
    const [, fresh] = new AnomalyScore(dayMs).save(0) as [number, Uint8Array];
    for (const wrong of [null, 3, [], [5], [5, null], [5, fresh.slice(8)], [5, fresh], ["5", fresh]]) {
      const detector = new AnomalyScore(dayMs);
      expect(() => detector.restore(wrong, 0)).toThrow(ShapeError);
      expect(detector.save(0)).toEqual([-1, fresh]);
    }
  });
});
