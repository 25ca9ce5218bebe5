/** What a soak has shown: its trends, and each way in which it is not as it must be, one sentence each. */
import { type HeapTrend, heapTrend } from "./heap-trend.ts";
import { type SoakResult, soakLimits } from "./soak.ts";

export interface Verdict {
  /** Within the long power cycle. */
  readonly steady: HeapTrend;
  /** From start to start. */
  readonly starts: HeapTrend;
  readonly problems: readonly string[];
}

export function verdictOn(result: SoakResult): Verdict {
  const steady = heapTrend(result.steady.map(({ usedBytes }) => usedBytes));
  const starts = heapTrend(result.starts.map(({ usedBytes }) => usedBytes));
  const problems: string[] = [];
  for (const [where, { firstBytes, lastBytes, growthBytes }] of [
    ["within one power cycle", steady],
    ["from start to start", starts],
  ] as const) {
    if (growthBytes > soakLimits.growthBytesMax)
      problems.push(`the heap after collection grows ${where}: from ${firstBytes} to ${lastBytes} bytes`);
  }
  if (result.connectionsMost > 1) problems.push(`${result.connectionsMost} connections were open at a time`);
  return { steady, starts, problems };
}
