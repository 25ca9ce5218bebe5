import Digital from "embedded:io/digital";
import PWM from "embedded:io/pwm";
import type { Actuators, OutputConfig } from "../ports.ts";

const pwmResolutionBits = 10;
const pwmHz = 1_000;

/** The pins that the board drives. A pin has its output's safe value from the moment it becomes an output. */
export class ChipActuators implements Actuators {
  readonly #outputs = new Map<string, { readonly config: OutputConfig; readonly pin: Pin }>();

  configure(output: OutputConfig): void {
    this.release(output.name);
    const pin = output.kind === "pwm" ? new PwmPin(output) : new DigitalPin(output);
    this.#outputs.set(output.name, { config: output, pin });
  }

  write(name: string, value: number): void {
    const output = this.#outputs.get(name);
    if (output === undefined) throw new RangeError(`No pin is configured as ${name}.`);
    const max = output.config.kind === "pwm" ? 100 : 1;
    if (!(value >= 0 && value <= max)) throw new RangeError(`${name} takes 0 to ${max}, not ${value}.`);
    output.pin.write(value);
  }

  release(name: string): void {
    const output = this.#outputs.get(name);
    if (output === undefined) return;
    this.#outputs.delete(name);
    output.pin.write(output.config.safeValue);
    output.pin.close();
  }
}

interface Pin {
  /** In the output's own unit. */
  write(value: number): void;
  close(): void;
}

class DigitalPin implements Pin {
  readonly #io: Digital;

  constructor({ pin, safeValue }: OutputConfig) {
    this.#io = new Digital({ pin, mode: Digital.Output, initialValue: safeValue });
  }

  write(value: number): void {
    this.#io.write(value);
  }

  close(): void {
    this.#io.close();
  }
}

class PwmPin implements Pin {
  readonly #io: PWM;

  constructor({ pin, safeValue }: OutputConfig) {
    this.#io = new PWM({ pin, hz: pwmHz, resolution: pwmResolutionBits });
    this.write(safeValue);
  }

  write(value: number): void {
    this.#io.write(Math.round((value * (2 ** pwmResolutionBits - 1)) / 100));
  }

  close(): void {
    this.#io.close();
  }
}
