/** How to close what was opened, and in which order. */

type Closer = () => void | Promise<void>;

export class Closing {
  readonly #closers: Closer[] = [];

  add(close: Closer): void {
    this.#closers.push(close);
  }

  /** Last opened, first closed. Called again, there is nothing left to close. */
  async closeAll(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }
}
