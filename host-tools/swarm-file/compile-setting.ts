/** Checks and compiles one setting. */
import { stateLimits } from "../../protocols/state/command.ts";
import type { SettingDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, shown } from "./given.ts";
import type { SettingPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";
import { isUnit, units } from "./units.ts";

export function compileSetting(key: string, part: SettingPart, diagnostics: Diagnostics): SettingDefinition {
  const wrong = (path: readonly string[], text: string) => diagnostics.add(part.site, path, text);
  if (part.type === "boolean") return booleanSetting(key, part, wrong);
  if (part.type === "text") return textSetting(key, part, wrong);
  return numberSetting(key, part, wrong);
}

type Wrong = (path: readonly string[], text: string) => void;

function numberSetting(key: string, { given }: SettingPart, wrong: Wrong): SettingDefinition {
  const { unit, min, max, initial } = given;
  const finite = (value: unknown) => isNumberWithin(value, -Number.MAX_VALUE, Number.MAX_VALUE);
  if (!isUnit(unit)) wrong(["unit"], `${shown(unit)} is not a unit${suggestion(unit, units)}`);
  for (const [name, value] of Object.entries({ min, max, initial })) {
    if (!finite(value)) wrong([name], `${name} of "${key}" must be a number, not ${shown(value)}.`);
  }
  if (finite(min) && finite(max) && finite(initial)) {
    if ((min as number) > (max as number)) wrong(["min"], `min of "${key}" is above its max; swap them.`);
    else if (!isNumberWithin(initial, min as number, max as number)) {
      wrong(["initial"], `initial of "${key}" is ${initial}; it must be from ${min} to ${max}.`);
    }
  }
  return {
    type: "number",
    unit: unit as string,
    min: min as number,
    max: max as number,
    initial: initial as number,
  };
}

function booleanSetting(key: string, { given }: SettingPart, wrong: Wrong): SettingDefinition {
  const { initial } = given;
  if (typeof initial !== "boolean")
    wrong(["initial"], `initial of "${key}" must be true or false, not ${shown(initial)}.`);
  return { type: "boolean", initial: initial === true };
}

function textSetting(key: string, { given }: SettingPart, wrong: Wrong): SettingDefinition {
  const { initial, lengthMax = stateLimits.textBytesMax } = given;
  if (!Number.isInteger(lengthMax) || !isNumberWithin(lengthMax, 1, stateLimits.textBytesMax)) {
    wrong(
      ["lengthMax"],
      `lengthMax of "${key}" must be a whole number from 1 to ${stateLimits.textBytesMax}.`,
    );
  }
  if (typeof initial !== "string")
    wrong(["initial"], `initial of "${key}" must be a text, not ${shown(initial)}.`);
  else if (Buffer.byteLength(initial) > (lengthMax as number)) {
    wrong(["initial"], `initial of "${key}" is longer than ${lengthMax} bytes.`);
  }
  return { type: "text", lengthMax: lengthMax as number, initial: initial as string };
}
