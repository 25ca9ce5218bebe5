/** What a value that a user gave turns out to be. */
import { programLimits } from "../../protocols/pipeline/program.ts";
import type { Part } from "./parts.ts";

export const nameLengthMax = 32;

/** Completes `... cannot name a board: ` */
export const nameRule = `use lower-case letters, digits and "-", at most ${nameLengthMax}, a letter first`;

/** Swarm, host and board names stand in topics, member ids, keys and file names. */
export function isName(given: unknown): given is string {
  return typeof given === "string" && given.length <= nameLengthMax && /^[a-z][a-z0-9-]*$/.test(given);
}

/** Completes `... cannot name an output: `; `isProgramName` in `protocols/pipeline/program-codec.ts` says the same. */
export const programNameRule = `use lower-case letters, digits, "." and "-", at most ${programLimits.nameLengthMax}`;

export function isRecord(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

export function isPart<Kind extends Part<string>>(given: unknown, kind: Kind["kind"]): given is Kind {
  return isRecord(given) && given.kind === kind;
}

export function isNumberWithin(given: unknown, min: number, max: number): given is number {
  return typeof given === "number" && given >= min && given <= max;
}

/** As it would stand in the user's file. */
export function shown(given: unknown): string {
  if (typeof given === "function") return "a function";
  const isJson = typeof given === "string" || (typeof given === "object" && given !== null);
  return isJson ? JSON.stringify(given) : String(given);
}
