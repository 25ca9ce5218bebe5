/** A stage that was saved and restored at any moment goes on as one that was never stopped; every operator, on random streams. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { filterFor } from "../../../../firmware/sensing/stages/filter.ts";
import { decodeCbor } from "../../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../../protocols/cbor/encode.ts";
import { ShapeError } from "../../../../protocols/cbor/shape.ts";
import { operators } from "../../../../protocols/pipeline/operators.ts";
import { stageFromWire, stageToWire } from "../../../../protocols/pipeline/stage-codec.ts";
import { drive, type Sample } from "./drive.ts";
import { exampleStages } from "./examples.ts";

const named = exampleStages.map((stage) => [JSON.stringify(stage), stage] as const);

test("each operator is among the examples, and each example is valid", () => {
  expect(new Set(exampleStages.map(({ op }) => op))).toEqual(new Set(operators.map(({ op }) => op)));
  for (const stage of exampleStages) expect(stageFromWire(stageToWire(stage), "it")).toEqual(stage);
});

const streams = fc.array(
  fc.tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constantFrom(0, 0.25)),
  ),
  { minLength: 2, maxLength: 60 },
);

describe("a restart from a checkpoint changes nothing", () => {
  test.each(named)("%s", (_, stage) => {
    fc.assert(
      fc.property(streams, fc.nat(59), fc.integer({ min: -1e6, max: 1e6 }), (steps, cut, shiftMs) => {
        let atMs = 2_000_000;
        const samples = steps.map(([gapMs, value]): Sample => {
          atMs += gapMs;
          return [atMs, value];
        });
        const before = samples.slice(0, cut % samples.length);
        const after = samples.slice(before.length);
        const nowMs = before.at(-1)?.[0] ?? 2_000_000;
        const whole = filterFor(stage);
        const expected = [...drive(whole, before), ...drive(whole, after)];

        const first = filterFor(stage);
        const left = drive(first, before);
        const saved = decodeCbor(encodeCbor(first.save(nowMs)));
        const second = filterFor(stage);
        second.restore(saved, nowMs + shiftMs);
        const later = drive(
          second,
          after.map(([ms, value]): Sample => [ms + shiftMs, value]),
        );
        left.push(...later.map(([ms, value]): Sample => [ms - shiftMs, value]));
        expect(left.map(([ms]) => ms)).toEqual(expected.map(([ms]) => ms));
        left.forEach(([, value], i) => {
          expect(value).toBeCloseTo(expected[i]![1], 9);
        });
      }),
      { numRuns: 200 },
    );
  });
});

test.each(named)("what is no state of it is refused, or means nothing to it: %s", (_, stage) => {
  const holdsNothing = filterFor(stage).save(0) === null;
  const filter = filterFor(stage);
  if (holdsNothing) expect(() => filter.restore([], 0)).not.toThrow();
  else expect(() => filter.restore("x", 0)).toThrow(ShapeError);
});
