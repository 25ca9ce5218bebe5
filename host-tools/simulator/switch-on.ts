/**
 * Switches many boards on without having all of them begin at once: beginning is the most that a board ever asks of the processor, and where a
 * hundred do it together, none is ready before all nearly are.
 */

/** What is switched on. */
export interface Startable {
  powerOn(): void;
  /** Resolves when the first turn since `powerOn` is over, or will not come; never rejects. */
  readonly begun: Promise<void>;
}

/**
 * Resolves when every board has begun, in their order and at most `atOnce` (1 or more) at a time; early when `signal` gives up. Rejects with what a
 * `powerOn` throws; boards that were not on by then stay off.
 */
export async function switchOn(
  boards: readonly Startable[],
  atOnce: number,
  signal: AbortSignal,
  onBegun: (count: number) => void,
): Promise<void> {
  let next = 0;
  let begun = 0;
  const oneByOne = async () => {
    while (next < boards.length && !signal.aborted) {
      const board = boards[next++]!;
      try {
        board.powerOn();
      } catch (error) {
        next = boards.length;
        throw error;
      }
      await board.begun;
      onBegun(++begun);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, boards.length) }, oneByOne));
}
