/** The Kalman filter's five equations, in matrices (Welch and Bishop, 1.9 to 1.13). */

export type Matrix = readonly (readonly number[])[];

/** One step: the state `x` and its covariance `p` after `f`, `q`, and a measurement `z` of `h x` with variance `r`. */
export function predictAndCorrect(
  x: Matrix,
  p: Matrix,
  f: Matrix,
  q: Matrix,
  h: Matrix,
  r: number,
  z: number,
): [number[][], number[][]] {
  const ahead = times(f, x);
  const before = plus(times(times(f, p), transposed(f)), q);
  const spread = times(times(h, before), transposed(h))[0]![0]! + r;
  const gain = times(before, transposed(h)).map((row) => [row[0]! / spread]);
  const beyond = z - times(h, ahead)[0]![0]!;
  const state = plus(
    ahead,
    gain.map((row) => [row[0]! * beyond]),
  );
  const less = times(times(gain, h), before).map((row) => row.map((each) => -each));
  return [state, plus(before, less)];
}

function times(a: Matrix, b: Matrix): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, each, k) => sum + each * b[k]![j]!, 0)));
}

function plus(a: Matrix, b: Matrix): number[][] {
  return a.map((row, i) => row.map((each, j) => each + b[i]![j]!));
}

function transposed(a: Matrix): number[][] {
  return a[0]!.map((_, j) => a.map((row) => row[j]!));
}
