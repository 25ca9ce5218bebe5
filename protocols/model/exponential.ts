const ln2 = Math.LN2;
/** Beyond, the result is as good as nothing, or as everything. */
const exponentMax = 700;

/**
 * e to the `x`, within 1e-11 of it, relatively. Not `Math.exp`: that is the engine's C library's, and two of them differ in the last place, where this
 * is made of operations that all round alike.
 */
export function exponential(x: number): number {
  const bounded = Math.max(-exponentMax, Math.min(exponentMax, x));
  const twos = Math.floor(bounded / ln2 + 0.5);
  const rest = bounded - twos * ln2;
  let sum = 1;
  for (let n = 10; n > 0; n--) sum = 1 + (rest * sum) / n;
  for (let n = twos; n > 0; n--) sum *= 2;
  for (let n = twos; n < 0; n++) sum *= 0.5;
  return sum;
}

/** The place of the largest; the first of several. */
export function largest(values: Float64Array | Int32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The softmax of `scores` at `of`. */
export function softmaxAt(scores: Float64Array, of: number): number {
  const highest = scores[largest(scores)]!;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += exponential(scores[i]! - highest);
  return exponential(scores[of]! - highest) / sum;
}
