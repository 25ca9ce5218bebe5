/** Checks and compiles a duration. */
import type { CallSite } from "./call-site.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { durationText, parseDuration } from "./duration.ts";
import { shown } from "./given.ts";

/** The longest duration in a program; times on the board stay small integers. */
const durationMsMax = 24 * 3_600_000;

/** Reads a duration of at least `minMs`; notes a mistake and gives `minMs` when it is none. */
export function compileDuration(
  given: unknown,
  minMs: number,
  name: string,
  site: CallSite | undefined,
  diagnostics: Diagnostics,
): number {
  const ms = parseDuration(given);
  if (ms !== undefined && ms >= minMs && ms <= durationMsMax) return ms;
  const text =
    ms === undefined
      ? `${shown(given)} is not a duration; write ${name} as "500ms", "5s", "2m" or "1h".`
      : `${name} is ${given}; it must be from ${durationText(minMs)} to 24h.`;
  diagnostics.add(site, typeof given === "string" ? [given] : [name], text);
  return minMs;
}
