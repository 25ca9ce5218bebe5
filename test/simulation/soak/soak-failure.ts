/** What a board under soak must never do, and when it did. */
export class SoakFailure extends Error {
  override readonly name = "SoakFailure";
  readonly atMs: number;

  constructor(atMs: number, what: string) {
    super(`at ${(atMs / 1000).toFixed(3)} s: ${what}`);
    this.atMs = atMs;
  }
}
