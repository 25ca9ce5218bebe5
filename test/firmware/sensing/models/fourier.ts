/** The discrete Fourier transform as the sum that defines it, and Hann's window. */

/** |X|² of bin `k`. */
export function fourierPower(values: readonly number[], k: number): number {
  const turn = (2 * Math.PI * k) / values.length;
  const re = values.reduce((sum, value, i) => sum + value * Math.cos(turn * i), 0);
  const im = values.reduce((sum, value, i) => sum - value * Math.sin(turn * i), 0);
  return re * re + im * im;
}

/** Periodic, as spectra want it. */
export function hann(i: number, count: number): number {
  return Math.sin((Math.PI * i) / count) ** 2;
}
