/** Checks and compiles one output. */
import type { Output } from "../../protocols/pipeline/program.ts";
import { isProgramName } from "../../protocols/pipeline/program-codec.ts";
import type { BoardDescription } from "../boards/boards.ts";
import type { Agreed } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, programNameRule, shown } from "./given.ts";
import type { OutputPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

export function compileOutput(
  name: string,
  part: OutputPart,
  agreed: Agreed,
  diagnostics: Diagnostics,
): Output {
  const wrong = (path: readonly string[], text: string) => diagnostics.add(part.site, path, text);
  const { pin, safe, follows } = part.given;
  if (!isProgramName(name)) wrong([], `${shown(name)} cannot name an output: ${programNameRule}.`);
  if (!Number.isInteger(pin)) wrong(["pin"], `pin must be a GPIO number, not ${shown(pin)}.`);
  const safeValue = outputValue(part.type, safe);
  if (safeValue === undefined) wrong(["safe"], `safe must be ${valueRule(part.type)}, not ${shown(safe)}.`);
  if (follows !== undefined) {
    const problem = followProblem(part.type, follows, agreed);
    if (problem !== undefined) wrong(["follows"], problem);
  }
  return { name, kind: part.type, pin: pin as number, safeValue: safeValue ?? 0, setting: follows };
}

/** Why an output cannot have this pin on this board; undefined when it can. */
export function pinProblem({ name, pins }: BoardDescription, pin: number): string | undefined {
  if (pins.usable.includes(pin) || !Number.isInteger(pin)) return undefined;
  const button = pins.buttons.find((each) => each.pin === pin);
  const use = `use ${pins.usable.slice(0, -1).join(", ")} or ${pins.usable.at(-1)}`;
  if (button) return `pin ${pin} of ${name} is its ${button.name} button; ${use}.`;
  if (pins.led?.pin === pin) return `pin ${pin} of ${name} is its LED; ${use}.`;
  if (pins.inputOnly.includes(pin)) return `pin ${pin} of ${name} can only be read; ${use}.`;
  return `pin ${pin} is not one that ${name} can drive; ${use}.`;
}

/** The value as the board keeps it; undefined when an output of this kind cannot have it. */
export function outputValue(kind: Output["kind"], given: unknown): number | undefined {
  if (kind === "digital") {
    if (typeof given === "boolean") return given ? 1 : 0;
    return given === 0 || given === 1 ? given : undefined;
  }
  return isNumberWithin(given, 0, 100) ? given : undefined;
}

/** Completes `safe must be ` */
export function valueRule(kind: Output["kind"]): string {
  return kind === "digital" ? "true or false" : "a duty cycle from 0 to 100 %";
}

function followProblem(kind: Output["kind"], key: unknown, agreed: Agreed): string | undefined {
  const setting = typeof key === "string" && Object.hasOwn(agreed, key) ? agreed[key] : undefined;
  if (setting === undefined) return `${shown(key)} is not a setting${suggestion(key, Object.keys(agreed))}`;
  if (kind === "digital") {
    return setting.type === "boolean"
      ? undefined
      : `a digital output follows a boolean setting, and "${key}" is a ${setting.type}.`;
  }
  if (setting.type !== "number")
    return `a PWM output follows a number in %, and "${key}" is a ${setting.type}.`;
  if (setting.unit !== "%")
    return `a PWM output follows a number in %, and "${key}" is in ${setting.unit || "no unit"}.`;
  if (setting.min < 0 || setting.max > 100) {
    return `a PWM output goes from 0 to 100 %, and "${key}" from ${setting.min} to ${setting.max}.`;
  }
  return undefined;
}
