/** Whether a sample is the one that follows: none is missing between them. Half a period is left for the board to be late. */
export function isNextSample(lastMs: number, atMs: number, everyMs: number): boolean {
  return atMs - lastMs < 1.5 * everyMs;
}
