/** Stands in for `embedded:io/digital` on lin: a pin that says what it is driven to. */
import type Digital from "embedded:io/digital";
export default class LinDigital implements Digital {
  static readonly Output = 8;
  static readonly InputPullUp = 1;
  static readonly InputPullDown = 2;
  readonly #pin: number;

  constructor(options: { readonly pin: number; readonly mode: number; readonly initialValue?: number }) {
    this.#pin = options.pin;
    this.write(options.initialValue ?? 0);
  }

  write(value: number): void {
    trace(`pin ${this.#pin}: ${value}\n`);
  }

  /** Nobody presses it. */
  read(): number {
    return 1;
  }

  close(): void {
    trace(`pin ${this.#pin}: released\n`);
  }
}
