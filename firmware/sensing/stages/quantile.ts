/**
 * A quantile of `count` values in ascending order, at `from`, by linear interpolation between the two nearest ranks (type 7 of Hyndman and
 * Fan 1996, as in NumPy and R); NaN of none.
 */
export function quantileOf(values: Float64Array, from: number, count: number, quantile: number): number {
  if (count === 0) return NaN;
  const place = (count - 1) * quantile;
  const rank = Math.floor(place);
  const share = place - rank;
  const low = values[from + rank]!;
  return share === 0 ? low : low * (1 - share) + values[from + rank + 1]! * share;
}
