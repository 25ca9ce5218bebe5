/**
 * Whoever runs the board's turns. What comes in from outside (the network, a socket, the clock) is one turn: it is handled to its end,
 * then all that is due is done, and the next deadline is set.
 *
 * ```
 * if (!turns.begin()) return;
 * try { ... } catch (error) { turns.fail(error); }
 * turns.end();
 * ```
 */
export interface Turns {
  /** False for a board that is halted: then nothing may happen any more. */
  begin(): boolean;
  /** An error that nobody expected: the board halts, and restarts. */
  fail(error: unknown): void;
  end(): void;
}
