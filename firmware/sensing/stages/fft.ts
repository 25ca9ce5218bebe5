/**
 * The discrete Fourier transform of real values, in place and without allocation: n of them are n/2 complex ones, which radix 2 transforms
 * (Cooley and Tukey 1965), and of whose spectrum that of the real ones follows (Numerical Recipes, 12.3).
 */
import { quarterWave } from "./sines.ts";

/** The longest series, and the steps of a turn in the table of sines. */
export const fftCountMax = 256;

/** Transforms `values`, their number a power of two from 4 to `fftCountMax`, to what `powerOf` reads. */
export function transform(values: Float32Array): void {
  const count = values.length >> 1;
  reorder(values, count);
  for (let half = 1; half < count; half *= 2) {
    const step = fftCountMax / (2 * half);
    for (let k = 0; k < half; k++) {
      const cos = cosine(k * step);
      const sin = cosine(k * step + fftCountMax / 4);
      for (let at = k; at < count; at += 2 * half) {
        const a = 2 * at;
        const b = a + 2 * half;
        const re = values[b]! * cos - values[b + 1]! * sin;
        const im = values[b]! * sin + values[b + 1]! * cos;
        values[b] = values[a]! - re;
        values[b + 1] = values[a + 1]! - im;
        values[a]! += re;
        values[a + 1]! += im;
      }
    }
  }
}

/** |X|² of bin `k`, 0 to n/2, of what was transformed. */
export function powerOf(transformed: Float32Array, k: number): number {
  const { length } = transformed;
  const count = length >> 1;
  const a = 2 * (k % count);
  const b = 2 * ((count - k) % count);
  // What came of the values with an even number, and of those with an odd one.
  const evenRe = (transformed[a]! + transformed[b]!) / 2;
  const evenIm = (transformed[a + 1]! - transformed[b + 1]!) / 2;
  const oddRe = (transformed[a + 1]! + transformed[b + 1]!) / 2;
  const oddIm = (transformed[b]! - transformed[a]!) / 2;
  const turn = (k * fftCountMax) / length;
  const cos = cosine(turn);
  const sin = cosine(turn + fftCountMax / 4);
  const re = evenRe + oddRe * cos - oddIm * sin;
  const im = evenIm + oddRe * sin + oddIm * cos;
  return re * re + im * im;
}

/** Of `step` steps of `fftCountMax` a turn. */
export function cosine(step: number): number {
  const half = fftCountMax / 2;
  const at = step % fftCountMax;
  const folded = at > half ? fftCountMax - at : at;
  return folded > half / 2 ? -quarterWave[folded - half / 2]! : quarterWave[half / 2 - folded]!;
}

/** Puts each complex value where the reversed bits of its number say. */
function reorder(values: Float32Array, count: number): void {
  for (let i = 1, j = 0; i < count; i++) {
    let bit = count >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    const re = values[2 * i]!;
    const im = values[2 * i + 1]!;
    values[2 * i] = values[2 * j]!;
    values[2 * i + 1] = values[2 * j + 1]!;
    values[2 * j] = re;
    values[2 * j + 1] = im;
  }
}
