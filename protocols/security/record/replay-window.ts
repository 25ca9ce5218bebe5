/**
 * Which numbers of a sender were seen: a sliding window (RFC 4303, section 3.4.3; RFC 8613, section 7.4) over the 64 numbers up to the
 * highest. Asked before a record is opened, moved only after it was, so that a forged number moves nothing.
 */
export const replayWindowSize = 64;

export class ReplayWindow {
  #highest = -1;
  /** Bit i of the 64 says whether `highest - i` was seen; two halves, because bitwise operators have 32. */
  #low = 0;
  #high = 0;

  /** -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether `number` is neither seen nor too old to tell. */
  isFresh(number: number): boolean {
    const age = this.#highest - number;
    if (age < 0) return true;
    if (age >= replayWindowSize) return false;
    return age < 32 ? ((this.#low >>> age) & 1) === 0 : ((this.#high >>> (age - 32)) & 1) === 0;
  }

  /** `number` is fresh, and its record opened. */
  accept(number: number): void {
    const ahead = number - this.#highest;
    if (ahead > 0) {
      this.shift(ahead);
      this.#highest = number;
      this.#low |= 1;
    } else if (ahead > -32) {
      this.#low |= 1 << -ahead;
    } else {
      this.#high |= 1 << (-ahead - 32);
    }
  }

  private shift(by: number): void {
    if (by >= 64) {
      this.#low = 0;
      this.#high = 0;
    } else if (by >= 32) {
      this.#high = this.#low << (by - 32);
      this.#low = 0;
    } else {
      this.#high = (this.#high << by) | (this.#low >>> (32 - by));
      this.#low <<= by;
    }
  }
}
