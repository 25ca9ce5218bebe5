import Digital from "embedded:io/digital";
import type { Button, Light } from "../ports.ts";

export class ChipButton implements Button {
  readonly #pin: number;
  readonly #pressed: number;
  #input: Digital | undefined;

  /** @param pressed the pin's level while it is */
  constructor(pin: number, pressed: number) {
    this.#pin = pin;
    this.#pressed = pressed;
  }

  /** The pin is taken when it is first looked at: until then it is whoever's the program gave it to. */
  isPressed(): boolean {
    const mode = this.#pressed === 0 ? Digital.InputPullUp : Digital.InputPullDown;
    this.#input ??= new Digital({ pin: this.#pin, mode });
    return this.#input.read() === this.#pressed;
  }
}

export class ChipLight implements Light {
  readonly #pin: number;
  #output: Digital | undefined;

  constructor(pin: number) {
    this.#pin = pin;
  }

  switch(isOn: boolean): void {
    this.#output ??= new Digital({ pin: this.#pin, mode: Digital.Output });
    this.#output.write(isOn ? 1 : 0);
  }
}
