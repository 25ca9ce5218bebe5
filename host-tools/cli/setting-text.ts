/** Settings as people write and read them on the command line. */
import type { Setting } from "../leader/api/types/settings.ts";
import { WrongInput } from "./failure.ts";

/** `fan.duty = 40 %`. */
export function formatSetting(key: string, value: Setting["value"], unit: string): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `${key} = ${text}${unit === "" ? "" : ` ${unit}`}`;
}

/** Reads `text` as a value of the kind that the setting has now; a number may carry the setting's own unit. Throws `WrongInput`. */
export function parseSettingValue(
  key: string,
  text: string,
  present: Pick<Setting, "value" | "unit">,
): Setting["value"] {
  if (typeof present.value === "string") return text;
  if (typeof present.value === "boolean") {
    if (text === "true" || text === "on") return true;
    if (text === "false" || text === "off") return false;
    throw new WrongInput(`${key} takes on or off (or true or false), not "${text}".`);
  }
  const digits =
    present.unit !== "" && text.endsWith(present.unit) ? text.slice(0, -present.unit.length) : text;
  const value = Number(digits);
  if (digits.trim() !== "" && Number.isFinite(value)) return value;
  const unit = present.unit === "" ? "" : ` in ${present.unit}`;
  throw new WrongInput(`${key} takes a number${unit}, not "${text}".`);
}
