/** Stands in for `embedded:io/pwm` on lin: a pin that says its duty cycle. */
import type PWM from "embedded:io/pwm";
export default class LinPWM implements PWM {
  readonly #pin: number;
  readonly #valueMax: number;

  constructor(options: { readonly pin: number; readonly hz?: number; readonly resolution?: number }) {
    this.#pin = options.pin;
    this.#valueMax = 2 ** (options.resolution ?? 10) - 1;
  }

  write(value: number): void {
    trace(`pin ${this.#pin}: ${Math.round((value * 100) / this.#valueMax)} %\n`);
  }

  close(): void {
    trace(`pin ${this.#pin}: released\n`);
  }
}
