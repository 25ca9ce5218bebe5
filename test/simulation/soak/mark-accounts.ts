/**
 * Settings that count up, as they arrive at a pin: each once, in order. Some may be passed over where
 * the pin was not claimed (no power, no program) or a program began with the latest: then the first write is of that.
 */
export class MarkAccounts {
  #put = 0;
  #written = 0;
  #isFirst = true;
  #writes = 0;
  /** A write that only the begin of a program explains, which is told after it. */
  #unexplained: string | undefined;
  #wentBack: string | undefined;

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

  onProgram(): void {
    this.#unexplained = undefined;
  }

  /** At the end of a turn, gives what is wrong with its writes. */
  settle(): string | undefined {
    return this.#wentBack ?? this.#unexplained;
  }

  onWrite(value: number): void {
    const count = value * 1024;
    const wanted = this.#written + 1;
    const isLater = count >= this.#written && count <= this.#put;
    const isRight = this.#isFirst ? isLater : count === wanted;
    if (!isRight) {
      const problem = `mark ${count} was written where ${wanted} was due, of ${this.#put} put`;
      // Going back is explained by nothing.
      if (!isLater) this.#wentBack ??= problem;
      this.#unexplained ??= problem;
    }
    this.#isFirst = false;
    this.#written = count;
    this.#writes++;
  }
}
