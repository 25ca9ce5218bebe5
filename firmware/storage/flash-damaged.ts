/**
 * The board's flash does not hold what was written to it, so nothing in it can be trusted: the board forgets it and comes back
 * as a new member (design, point 10).
 */
export class FlashDamaged extends Error {
  constructor(what: string) {
    super(`The flash is damaged: ${what}.`);
  }

  override get name(): string {
    return "FlashDamaged";
  }
}
