/**
 * The pins of a simulated board: what each output is driven to at the moment, and a call for every change.
 */
import type { Actuators, OutputConfig } from "../../../firmware/platform/ports.ts";

export interface OutputChange {
  readonly output: string;
  readonly value: number;
}

export class OutputPins implements Actuators {
  readonly #outputs = new Map<string, { config: OutputConfig; value: number }>();
  readonly #onChange: (change: OutputChange) => void;

  constructor(onChange: (change: OutputChange) => void) {
    this.#onChange = onChange;
  }

  configure(output: OutputConfig): void {
    this.#outputs.set(output.name, { config: output, value: Number.NaN });
    this.write(output.name, output.safeValue);
  }

  write(name: string, value: number): void {
    const output = this.#outputs.get(name);
    if (output === undefined) throw new RangeError(`No pin is configured as ${name}.`);
    const max = output.config.kind === "pwm" ? 100 : 1;
    if (!(value >= 0 && value <= max)) throw new RangeError(`${name} takes 0 to ${max}, not ${value}.`);
    if (output.value === value) return;
    output.value = value;
    this.#onChange({ output: name, value });
  }

  release(name: string): void {
    const output = this.#outputs.get(name);
    if (output === undefined) return;
    this.write(name, output.config.safeValue);
    this.#outputs.delete(name);
  }

  /** Present values by output name. */
  values(): ReadonlyMap<string, number> {
    return new Map([...this.#outputs].map(([name, output]) => [name, output.value]));
  }
}
