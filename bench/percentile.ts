/** Nearest-rank percentile (0 < percent <= 100) of at least one value. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.ceil((percent / 100) * sorted.length) - 1];
  if (value === undefined) throw new RangeError("a percentile needs at least one value");
  return value;
}
