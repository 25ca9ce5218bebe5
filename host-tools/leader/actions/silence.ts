/**
 * How long boards for which an action waits have been connected to no host, as this host has seen it since it leads: by its steady clock, so that nobody is taken for lost
 * because the wall's time was set.
 */
export class Silence {
  readonly #monotonic: () => number;
  readonly #isConnected: (board: string) => boolean;
  /** By board. */
  readonly #sinceMs = new Map<string, number>();

  constructor(monotonic: () => number, isConnected: (board: string) => boolean) {
    this.#monotonic = monotonic;
    this.#isConnected = isConnected;
  }

  /** To be called often: who is waited for. Nobody, where this host does not lead. */
  watch(boards: ReadonlySet<string>): void {
    const nowMs = this.#monotonic();
    for (const board of this.#sinceMs.keys()) if (!boards.has(board)) this.#sinceMs.delete(board);
    for (const board of boards) {
      if (this.#isConnected(board)) this.#sinceMs.delete(board);
      else if (!this.#sinceMs.has(board)) this.#sinceMs.set(board, nowMs);
    }
  }

  /** Milliseconds; 0 for a board that is here, or is not watched. */
  of(board: string): number {
    const sinceMs = this.#sinceMs.get(board);
    return sinceMs === undefined ? 0 : this.#monotonic() - sinceMs;
  }
}
