import type { OutputCause, OutputState } from "../../protocols/messages/board-messages.ts";
import type { Output } from "../../protocols/pipeline/program.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import type { Actuators } from "../platform/ports.ts";
import type { RuleRun } from "./condition-run.ts";

import type { ScheduleRun } from "./schedule-run.ts";

/**
 * An output at work. Its value is decided by the first active rule that names it, else by the action that holds it, else by the schedule that fired last
 * and still holds, else by its setting, else it is the safe one.
 */
export class OutputRun {
  readonly definition: Output;
  readonly #actuators: Actuators;
  #value: number;
  #cause: OutputCause = "safe";

  /** Claims the pin, which drives it to the safe value. Throws what the port throws when it cannot. */
  constructor(definition: Output, actuators: Actuators) {
    const { name, kind, pin, safeValue } = definition;
    actuators.configure({ name, kind, pin, safeValue });
    this.definition = definition;
    this.#actuators = actuators;
    this.#value = safeValue;
  }

  get state(): OutputState {
    return { name: this.definition.name, value: this.#value, cause: this.#cause };
  }

  /** Decides anew; true when value or cause is another than before. `held` is as `Acting.heldValue`. */
  decide(
    rules: readonly RuleRun[],
    schedules: readonly ScheduleRun[],
    setting: StateValue | undefined,
    held: number,
  ): boolean {
    const { name, kind, safeValue } = this.definition;
    let value = settingValue(setting);
    let cause: OutputCause = Number.isNaN(value) ? "safe" : "setting";
    if (cause === "safe") value = safeValue;
    let firedMs = -Infinity;
    for (let i = 0; i < schedules.length; i++) {
      const schedule = schedules[i]!;
      if (schedule.definition.output !== name || !(schedule.firedMs > firedMs)) continue;
      firedMs = schedule.firedMs;
      value = schedule.definition.value;
      cause = "schedule";
    }
    if (!Number.isNaN(held)) {
      value = held === Infinity ? safeValue : held;
      cause = held === Infinity ? "safe" : "action";
    }
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (!rule.active || rule.definition.output !== name) continue;
      value = rule.definition.value;
      cause = "rule";
      break;
    }
    value = kind === "digital" ? (value >= 0.5 ? 1 : 0) : Math.min(100, Math.max(0, value));
    const isChanged = value !== this.#value || cause !== this.#cause;
    if (value !== this.#value) this.#actuators.write(name, value);
    this.#value = value;
    this.#cause = cause;
    return isChanged;
  }

  release(): void {
    this.#actuators.release(this.definition.name);
  }
}

/** A number as it is, a boolean as 0 or 1; NaN for what drives no output. */
function settingValue(setting: StateValue | undefined): number {
  if (typeof setting === "boolean") return setting ? 1 : 0;
  return typeof setting === "number" ? setting : NaN;
}
