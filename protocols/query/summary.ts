/**
 * What is left of many values when the values are gone: how many, mean, spread, extremes, and a histogram for quantiles.
 *
 * Summaries merge: that of two streams together is made of theirs alone, in any order and grouping. Bins are as wide as a power of two, `2^exponent`, and lie at its
 * multiples; the width is the least with which `binsMax` of them reach from the smallest value to the largest. So it follows from these two, whatever came in
 * between: the counts are exactly those that all values together would have given, and a quantile is off by half a bin at most, a thirtieth of the range. Mean and spread merge as Chan,
 * Golub and LeVeque have it (Algorithms for computing the sample variance, 1983): exact but for rounding.
 *
 * A summary is a stretch of two arrays, so that a board keeps many in two of them.
 */
export const summaryLimits = Object.freeze({
  binsMax: 32,
  /** Numbers beside the bins: count, mean, sum of squares about the mean, min, max, exponent. */
  numbers: 6,
});

export type Bins = Uint16Array | Float64Array;

const { binsMax, numbers } = summaryLimits;
const countAt = 0;
const meanAt = 1;
const squaresAt = 2;
const minAt = 3;
const maxAt = 4;
const exponentAt = 5;

/** Of a summary by itself, which counts as far as doubles do. */
export class Summary {
  readonly of = new Float64Array(numbers);
  readonly bins = new Float64Array(binsMax);

  get count(): number {
    return this.of[countAt]!;
  }

  get mean(): number {
    return this.of[meanAt]!;
  }

  get min(): number {
    return this.of[minAt]!;
  }

  get max(): number {
    return this.of[maxAt]!;
  }

  get sum(): number {
    return this.mean * this.count;
  }

  /** Of a sample: divided by one less than there are. NaN for fewer than two. */
  get deviation(): number {
    return this.count < 2 ? NaN : Math.sqrt(Math.max(0, this.of[squaresAt]!) / (this.count - 1));
  }

  /** Sum of squares about the mean. */
  get squares(): number {
    return this.of[squaresAt]!;
  }

  get exponent(): number {
    return this.of[exponentAt]!;
  }

  /** Half a bin: no quantile is off by more. */
  get quantileError(): number {
    return this.min === this.max ? 0 : 2 ** this.exponent / 2;
  }

  add(value: number): void {
    addTo(this.of, 0, this.bins, 0, value);
  }

  merge(other: Summary): void {
    mergeInto(this.of, 0, this.bins, 0, other.of, 0, other.bins, 0);
  }

  /** The smallest value that at least `share` (above 0, at most 1) of all values are not above, to within `quantileError`. NaN when there are none. */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let below = 0;
    for (let i = 0; i < binsMax; i++) {
      below += this.bins[i]!;
      if (below < rank) continue;
      const width = 2 ** this.exponent;
      const middle = (Math.floor(this.min / width) + i + 0.5) * width;
      return Math.min(this.max, Math.max(this.min, middle));
    }
    return NaN;
  }
}

/**
 * Counts a finite value into the summary whose numbers begin at `at` and whose bins begin at `binsAt`. What is nearer to 0 than 1e-100 counts as 0, what is further than
 * 1e100 as that: no bin's number is to be too small or too large for a double.
 */
export function addTo(of: Float64Array, at: number, bins: Bins, binsAt: number, given: number): void {
  const value = Math.abs(given) < 1 / valueMax ? 0 : Math.min(valueMax, Math.max(-valueMax, given));
  const count = of[at + countAt]! + 1;
  if (count === 1) begin(of, at, bins, binsAt, value);
  of[at + countAt] = count;
  const delta = value - of[at + meanAt]!;
  of[at + meanAt]! += delta / count;
  of[at + squaresAt]! += delta * (value - of[at + meanAt]!);
  reach(of, at, bins, binsAt, value, value, finestOf(value));
  const width = 2 ** of[at + exponentAt]!;
  bins[binsAt + Math.floor(value / width) - Math.floor(of[at + minAt]! / width)]!++;
}

/** Makes the first summary that of both. */
export function mergeInto(
  of: Float64Array,
  at: number,
  bins: Bins,
  binsAt: number,
  other: Float64Array,
  otherAt: number,
  otherBins: Bins,
  otherBinsAt: number,
): void {
  const more = other[otherAt + countAt]!;
  if (more === 0) return;
  const min = other[otherAt + minAt]!;
  const max = other[otherAt + maxAt]!;
  const exponent = other[otherAt + exponentAt]!;
  const count = of[at + countAt]!;
  if (count === 0) begin(of, at, bins, binsAt, min);
  reach(of, at, bins, binsAt, min, max, exponent);
  const width = 2 ** of[at + exponentAt]!;
  const first = Math.floor(of[at + minAt]! / width);
  const otherWidth = 2 ** exponent;
  const otherFirst = Math.floor(min / otherWidth);
  for (let i = 0; i < binsMax; i++) {
    const held = otherBins[otherBinsAt + i]!;
    if (held > 0) bins[binsAt + Math.floor(((otherFirst + i) * otherWidth) / width) - first]! += held;
  }
  const all = count + more;
  const delta = other[otherAt + meanAt]! - of[at + meanAt]!;
  of[at + meanAt]! += (delta * more) / all;
  of[at + squaresAt]! += other[otherAt + squaresAt]! + (delta * delta * count * more) / all;
  of[at + countAt] = all;
}

/** Empties it and makes room for its first value, without counting that. */
function begin(of: Float64Array, at: number, bins: Bins, binsAt: number, value: number): void {
  of.fill(0, at, at + numbers);
  bins.fill(0, binsAt, binsAt + binsMax);
  of[at + minAt] = value;
  of[at + maxAt] = value;
  of[at + exponentAt] = finestOf(value);
}

/** Widens the bins as far as needed so that they reach from `from` to `to` too, and are no finer than `exponent`. */
function reach(
  of: Float64Array,
  at: number,
  bins: Bins,
  binsAt: number,
  from: number,
  to: number,
  exponent: number,
): void {
  const min = Math.min(of[at + minAt]!, from);
  const max = Math.max(of[at + maxAt]!, to);
  const former = of[at + exponentAt]!;
  const formerFirst = Math.floor(of[at + minAt]! / 2 ** former);
  let wanted = Math.max(former, exponent);
  while (Math.floor(max / 2 ** wanted) - Math.floor(min / 2 ** wanted) >= binsMax) wanted++;
  const first = Math.floor(min / 2 ** wanted);
  of[at + minAt] = min;
  of[at + maxAt] = max;
  of[at + exponentAt] = wanted;
  if (wanted > former) coarsen(bins, binsAt, formerFirst, 2 ** (wanted - former));
  const up = Math.floor(formerFirst / 2 ** (wanted - former)) - first;
  if (up > 0) shift(bins, binsAt, up);
}

/** Downwards only, so that nothing is written over that is still to be read. */
function coarsen(bins: Bins, binsAt: number, first: number, factor: number): void {
  const coarseFirst = Math.floor(first / factor);
  for (let i = 0; i < binsMax; i++) {
    const held = bins[binsAt + i]!;
    bins[binsAt + i] = 0;
    if (held > 0) bins[binsAt + Math.floor((first + i) / factor) - coarseFirst]! += held;
  }
}

function shift(bins: Bins, binsAt: number, up: number): void {
  for (let i = binsMax - 1; i >= 0; i--) bins[binsAt + i] = i < up ? 0 : bins[binsAt + i - up]!;
}

/** The finest bins whose numbers are exact for this value. */
function finestOf(value: number): number {
  return value === 0 ? exponentMin : Math.max(exponentMin, Math.floor(Math.log2(Math.abs(value))) - 52);
}

const exponentMin = -400;
const valueMax = 1e100;
