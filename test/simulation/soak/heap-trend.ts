/** Whether what is in use after collections goes up: medians of the first and the last quarter of its samples. */
export interface HeapTrend {
  readonly samples: number;
  readonly firstBytes: number;
  readonly lastBytes: number;
  /** What the last quarter has more than the first. */
  readonly growthBytes: number;
}

/** Fewer samples than these have no quarters worth comparing. */
export const trendSamplesMin = 8;

export function heapTrend(usedBytes: readonly number[]): HeapTrend {
  if (usedBytes.length < trendSamplesMin) {
    throw new RangeError(`${usedBytes.length} samples show no trend: ${trendSamplesMin} are needed`);
  }
  const quarter = Math.floor(usedBytes.length / 4);
  const firstBytes = median(usedBytes.slice(0, quarter));
  const lastBytes = median(usedBytes.slice(-quarter));
  return { samples: usedBytes.length, firstBytes, lastBytes, growthBytes: lastBytes - firstBytes };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
