/** Statistics of a whole list, as a textbook has them. Times are in seconds. */

export type Points = readonly (readonly [seconds: number, value: number])[];

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Of a sample: n - 1. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const m = mean(values);
  return sum(values.map((each) => (each - m) ** 2)) / (values.length - 1);
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** NumPy's default. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(place)]!;
  return low + (place % 1) * (sorted[Math.ceil(place)]! - low);
}

/** Least squares. */
export function slope(points: Points): number {
  const times = points.map(([t]) => t);
  const values = points.map(([, v]) => v);
  const [mt, mv] = [mean(times), mean(values)];
  const spread = sum(times.map((t) => (t - mt) ** 2));
  return spread === 0 ? Number.NaN : sum(points.map(([t, v]) => (t - mt) * (v - mv))) / spread;
}

export function statisticOf(points: Points, statistic: string, percent: number): number {
  const values = points.map(([, v]) => v);
  switch (statistic) {
    case "count":
      return values.length;
    case "mean":
      return mean(values);
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    case "variance":
      return variance(values);
    case "slope":
      return slope(points);
    case "rms":
      return Math.sqrt(mean(values.map((v) => v * v)));
    default:
      return percentile(values, percent);
  }
}
