/**
 * Settings that count up, as they arrive at a pin: each once, in order. Only where the pin was not claimed (no power, no
 * program) may some have been passed over: then the first write is of the latest.
 */
export class MarkAccounts {
  #put = 0;
  #written = 0;
  #isFirst = true;
  #writes = 0;

  /** Writes so far. */
  get writes(): number {
    return this.#writes;
  }

  get isUpToDate(): boolean {
    return this.#written === this.#put;
  }

  /** The value of the next put: exact in binary, within a duty cycle. */
  nextValue(): number {
    return ++this.#put / 1024;
  }

  onConfigure(): void {
    this.#isFirst = true;
  }

  /** Gives what is wrong with the write. */
  onWrite(value: number): string | undefined {
    const count = value * 1024;
    const wanted = this.#written + 1;
    const isRight = this.#isFirst ? count >= this.#written && count <= this.#put : count === wanted;
    this.#isFirst = false;
    this.#written = count;
    this.#writes++;
    return isRight ? undefined : `mark ${count} was written where ${wanted} was due, of ${this.#put} put`;
  }
}
