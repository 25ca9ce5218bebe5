/** Checks and compiles when a board sleeps. */
import { programLimits, type SleepPlan } from "../../protocols/pipeline/program.ts";
import { compileDuration } from "./compile-duration.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isRecord, shown } from "./given.ts";
import type { BoardPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

export function compileSleep(
  part: BoardPart,
  given: unknown,
  diagnostics: Diagnostics,
): SleepPlan | undefined {
  const wrong = (path: readonly string[], text: string) => diagnostics.add(part.site, path, text);
  if (given === undefined) return undefined;
  if (!isRecord(given)) {
    wrong(["sleep"], 'sleep must be an object such as { awake: "10s", every: "10m" }.');
    return undefined;
  }
  for (const key of Object.keys(given)) {
    if (!keys.includes(key)) wrong(["sleep", key], `sleep has no ${shown(key)}${suggestion(key, keys)}`);
  }
  const { awakeMsMin, sleepMsMin } = programLimits;
  const awakeMs = compileDuration(given.awake, awakeMsMin, "awake", part.site, diagnostics);
  const everyMs = compileDuration(given.every, awakeMsMin + sleepMsMin, "every", part.site, diagnostics);
  if (everyMs >= awakeMs + sleepMsMin) return { awakeMs, everyMs };
  wrong(["sleep"], `a board that wakes every ${given.every} and is awake for ${given.awake} never sleeps.`);
  return undefined;
}

const keys = ["awake", "every"];
