/** The object that the C host puts into the board's global scope: all that a simulated board sees of its process. */
export interface Host {
  /** One synchronous call to the parent: see `calls.ts`. */
  call(request: Uint8Array): ArrayBuffer;
  /** Milliseconds of the parent's clock, real or virtual. */
  now(): number;
  /** Bytes of the arena in use, garbage included. */
  heapUsed(): number;
  /** The most that `heapUsed` has been. */
  heapPeak(): number;
  /** Bytes of the arena. */
  arena(): number;
  /** Slots: the deepest that the JavaScript stack has been. */
  stackPeak(): number;
  /** Collects garbage. */
  collect(): void;
  /**
   * Set by `main.ts`. The host calls it once without a payload after the program has loaded, then with each message
   * from the parent, and without one when the deadline has passed. It gives the next deadline on the clock of `now()`;
   * Infinity for none.
   */
  turn: (payload: ArrayBuffer | undefined) => number;
}
