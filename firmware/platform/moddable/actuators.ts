import Digital from "embedded:io/digital";
import PWM from "embedded:io/pwm";
import type { Actuators, OutputConfig } from "../ports.ts";

const pwmResolutionBits = 10;
const pwmHz = 1_000;

/**
 * The pins that the board drives. A pin has its output's safe value from the moment it becomes an output, and keeps it
 * when the output is released: the SDK's `close` would reset the pin, which leaves it floating with a weak pull-up (ESP-IDF,
 * `gpio_reset_pin`), or stop its PWM at 0. So released pins stay ours, until an output is configured on them again.
 *
 * Before the firmware runs (power-on, reset, deep sleep) no pin is driven: what must be safe then needs a resistor.
 */
export class ChipActuators implements Actuators {
  readonly #outputs = new Map<string, Output>();
  /** Pins of released outputs, by GPIO number; at most as many as the chip has. */
  readonly #held = new Map<number, Output>();

  configure(output: OutputConfig): void {
    this.release(output.name);
    this.#outputs.set(output.name, { config: output, pin: this.claim(output) });
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
    this.#held.set(output.config.pin, { config: output.config, pin: heldPin(output) });
  }

  /** Every output at its safe value, before the board restarts or sleeps. */
  makeSafe(): void {
    for (const { config, pin } of this.#outputs.values()) pin.write(config.safeValue);
  }

  /** A held pin of the same kind goes on without a gap; of another, it is closed and opened, and floats for microseconds. */
  private claim(output: OutputConfig): Pin {
    const held = this.#held.get(output.pin);
    this.#held.delete(output.pin);
    if (held !== undefined && held.pin.kind === output.kind) {
      held.pin.write(output.safeValue);
      return held.pin;
    }
    held?.pin.close();
    return output.kind === "pwm" ? new PwmPin(output) : new DigitalPin(output.pin, output.safeValue);
  }
}

interface Output {
  readonly config: OutputConfig;
  readonly pin: Pin;
}

/** A chip has six or eight PWM channels: a pin that rests fully off or on is held without one. */
function heldPin({ config, pin }: Output): Pin {
  if (config.kind !== "pwm" || (config.safeValue !== 0 && config.safeValue !== 100)) return pin;
  pin.close();
  return new DigitalPin(config.pin, config.safeValue === 0 ? 0 : 1);
}

interface Pin {
  readonly kind: OutputConfig["kind"];
  /** In the output's own unit. */
  write(value: number): void;
  close(): void;
}

class DigitalPin implements Pin {
  readonly kind = "digital";
  readonly #io: Digital;

  constructor(pin: number, initialValue: number) {
    this.#io = new Digital({ pin, mode: Digital.Output, initialValue });
  }

  write(value: number): void {
    this.#io.write(value);
  }

  close(): void {
    this.#io.close();
  }
}

class PwmPin implements Pin {
  readonly kind = "pwm";
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
