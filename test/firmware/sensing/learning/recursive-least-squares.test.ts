/** Against a plain weighted least squares fit of all rows so far, by elimination. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RecursiveLeastSquares } from "../../../../firmware/sensing/learning/recursive-least-squares.ts";
import { ShapeError } from "../../../../protocols/cbor/shape.ts";

const number = fc.integer({ min: -20_000, max: 20_000 }).map((thousandths) => thousandths / 1000);

/** What the fit of `rows` takes the target of `next` to be; rows weigh less by `forgetting` each; a first guess of 0 weighs 1e-4, in units of how far a feature first moves, and fades too. */
function fitted(
  rows: readonly number[][],
  targets: readonly number[],
  next: readonly number[],
  forgetting: number,
): number {
  const [origin, target0] = [rows[0]!, targets[0]!];
  const size = next.length + 1;
  const unitOf = (i: number) => {
    const moved = rows.find((row) => row[i] !== origin[i]);
    return i === size - 1 || moved === undefined ? 1 : moved[i]! - origin[i]!;
  };
  const matrix = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) =>
      i === j ? 1e-4 * forgetting ** rows.length * unitOf(i) ** 2 : 0,
    ),
  );
  for (const [r, row] of rows.entries()) {
    const x = [...row.map((value, i) => value - origin[i]!), 1];
    const weight = forgetting ** (rows.length - 1 - r);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) matrix[i]![j]! += weight * x[i]! * x[j]!;
      matrix[i]![size]! += weight * x[i]! * (targets[r]! - target0);
    }
  }
  const weights = solved(matrix);
  const x = [...next.map((value, i) => value - origin[i]!), 1];
  return target0 + x.reduce((sum, value, i) => sum + value * weights[i]!, 0);
}

function solved(matrix: number[][]): number[] {
  const size = matrix.length;
  for (let i = 0; i < size; i++) {
    const pivot = matrix
      .slice(i)
      .reduce((best, row, at) => (Math.abs(row[i]!) > Math.abs(matrix[best]![i]!) ? i + at : best), i);
    [matrix[i], matrix[pivot]] = [matrix[pivot]!, matrix[i]!];
    for (let r = 0; r < size; r++) {
      if (r === i) continue;
      const factor = matrix[r]![i]! / matrix[i]![i]!;
      for (let c = i; c <= size; c++) matrix[r]![c]! -= factor * matrix[i]![c]!;
    }
  }
  return matrix.map((row, i) => row[size]! / row[i]!);
}

test("predicts what a fit of all rows before predicts", () => {
  const rows = fc.array(fc.tuple(number, number, number), { minLength: 12, maxLength: 60 });
  fc.assert(
    fc.property(rows, (drawn) => {
      const memory = 100;
      const model = new RecursiveLeastSquares(2, memory);
      const features = drawn.map(([x, y]) => [x, y]);
      const targets = drawn.map(([x, y, noise]) => 4 * x - 2 * y + 7 + noise / 10);
      for (const [i, row] of features.entries()) {
        const predicted = model.learn(Float64Array.from(row), targets[i]!);
        if (i < 6) continue;
        const expected = fitted(features.slice(0, i), targets.slice(0, i), row, 1 - 1 / memory);
        expect(predicted).toBeCloseTo(expected, 3);
      }
    }),
    { numRuns: 50 },
  );
});

test.each([1e-9, 1e-3, 1, 1e6, 1e12])("learns from features of the size of %d as from any", (size) => {
  const model = new RecursiveLeastSquares(2, 1_000);
  for (let i = 0; i < 40; i++) {
    const [x, y] = [(i * 7) % 11, (i * 5) % 13];
    const predicted = model.learn(Float64Array.of(x * size, y * size), 2 * x - 3 * y + 1);
    if (i >= 10) expect(predicted).toBeCloseTo(2 * x - 3 * y + 1, 2);
  }
});

test("follows a line that changes, once the rows before are forgotten", () => {
  const model = new RecursiveLeastSquares(1, 50);
  const learn = (slope: number, i: number) =>
    model.learn(Float64Array.of(i % 13), slope * (i % 13)) - slope * (i % 13);
  for (let i = 0; i < 500; i++) learn(2, i);
  expect(Math.abs(learn(2, 7))).toBeLessThan(1e-6);
  expect(Math.abs(learn(-1, 7))).toBeGreaterThan(10);
  for (let i = 0; i < 1000; i++) learn(-1, i);
  expect(Math.abs(learn(-1, 7))).toBeLessThan(1e-3);
});

test("a week of a stream that never changes leaves it as sure as before, and able to learn", () => {
  const model = new RecursiveLeastSquares(2, 10);
  for (let i = 0; i < 700_000; i++) model.learn(Float64Array.of(1013, 40), 21);
  expect(model.learn(Float64Array.of(1013, 40), 21)).toBeCloseTo(21, 6);
  for (let i = 0; i < 200; i++) model.learn(Float64Array.of(1013 + (i % 7), 40 + (i % 3)), 21 + 2 * (i % 7));
  expect(model.learn(Float64Array.of(1016, 41), 27)).toBeCloseTo(27, 2);
});

test.each([5e-324, 1e-29, 1])("numbers without bounds do not spoil it: a first move of %d", (first) => {
  const model = new RecursiveLeastSquares(1, 100);
  model.learn(Float64Array.of(0), 0);
  model.learn(Float64Array.of(first), 2 * first);
  for (let i = 0; i < 30; i++) model.learn(Float64Array.of(i), 2 * i);
  model.learn(Float64Array.of(1e300), -1e300);
  for (let i = 0; i < 30; i++) model.learn(Float64Array.of(i), 2 * i);
  expect(model.learn(Float64Array.of(10), 20)).toBeCloseTo(20, 3);
});

test("takes up what it saved, and refuses anything else", () => {
  const model = new RecursiveLeastSquares(2, 100);
  for (let i = 0; i < 20; i++) model.learn(Float64Array.of(i, i * i), 3 * i - i * i);
  const again = new RecursiveLeastSquares(2, 100);
  again.restore(model.save());
  const row = Float64Array.of(5, 9);
  expect(again.learn(row, 1)).toBe(model.learn(row, 1));
  expect(() => new RecursiveLeastSquares(3, 100).restore(model.save())).toThrow(ShapeError);
  expect(() => again.restore([1, new Uint8Array(15 * 8).fill(0xff)])).toThrow(ShapeError);
});
