/** What a setting may be set to: checked here, before anything is proposed, so that no board ever sees a value beyond its limits. */

import { stateLimits } from "../../../protocols/state/command.ts";
import type { SettingDefinition } from "../../swarm-file/definition.ts";

export type SettingValue = number | string | boolean;

export type SettingDefinitions = Readonly<Record<string, SettingDefinition>>;

/** The value is of the wrong type or beyond the limits; the message is one sentence for the user. */
export class SettingRefused extends Error {
  override readonly name = "SettingRefused";
  readonly key: string;
  readonly code: "bad-request" | "out-of-limits" | "not-found";

  constructor(key: string, code: "bad-request" | "out-of-limits" | "not-found", message: string) {
    super(message);
    this.key = key;
    this.code = code;
  }
}

/** @throws {SettingRefused} when no setting has this key. */
export function settingDefinition(definitions: SettingDefinitions, key: string): SettingDefinition {
  if (Object.hasOwn(definitions, key)) return definitions[key]!;
  const known = Object.keys(definitions);
  const hint = known.length === 0 ? "this swarm has none" : `it has ${known.join(", ")}`;
  throw new SettingRefused(key, "not-found", `There is no setting ${key}: ${hint}.`);
}

/** @returns the value, now known to be one. @throws {SettingRefused} */
export function checkSetting(definitions: SettingDefinitions, key: string, value: unknown): SettingValue {
  const definition = settingDefinition(definitions, key);
  switch (definition.type) {
    case "number":
      return checkNumber(key, definition, value);
    case "boolean":
      if (typeof value === "boolean") return value;
      throw wrongType(key, "true or false", value);
    case "text":
      return checkText(key, definition.lengthMax, value);
  }
}

function checkNumber(
  key: string,
  definition: SettingDefinition & { type: "number" },
  value: unknown,
): number {
  const { min, max, unit } = definition;
  const range = `${min} to ${max}${unit === "" ? "" : ` ${unit}`}`;
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrongType(key, range, value);
  if (value >= min && value <= max) return value;
  const side = value < min ? "low" : "high";
  throw new SettingRefused(key, "out-of-limits", `${key} takes ${range}; ${value} is too ${side}.`);
}

function checkText(key: string, lengthMax: number, value: unknown): string {
  if (typeof value !== "string") throw wrongType(key, "text", value);
  const length = [...value].length;
  if (length > lengthMax) {
    const limit = `${key} takes text of at most ${lengthMax} characters`;
    throw new SettingRefused(key, "out-of-limits", `${limit}; this has ${length}.`);
  }
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > stateLimits.textBytesMax) {
    const limit = `${key} takes text of at most ${stateLimits.textBytesMax} bytes in UTF-8`;
    throw new SettingRefused(key, "out-of-limits", `${limit}; this has ${bytes}.`);
  }
  return value;
}

function wrongType(key: string, takes: string, value: unknown): SettingRefused {
  const shown = value === undefined ? "nothing" : JSON.stringify(value);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}...` : shown;
  return new SettingRefused(key, "bad-request", `${key} takes ${takes}; ${short} is not that.`);
}
