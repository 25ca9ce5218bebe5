import type { ProfileName } from "./profiles.ts";
import { PROFILES } from "./profiles.ts";
import type { NabResult } from "./result.ts";
import { SCOREBOARD } from "./scoreboard.ts";

interface Row {
  detector: string;
  scores: Readonly<Record<ProfileName, number>>;
  note: string;
}

const profiles = PROFILES.map((profile) => profile.name);

/** The result among the published ones, and what it is of. */
export function resultTable(result: NabResult): string {
  const { covers } = result;
  const isWhole = covers.files === covers.ofFiles && covers.windows === covers.ofWindows;
  const own: Row = {
    detector: "Covey, on the board",
    scores: scoresOf(result, "score"),
    note: `<- ${covers.files} of the ${covers.ofFiles} files`,
  };
  const rows = [...SCOREBOARD.map((published) => ({ ...published, note: "" })), own];
  rows.sort((a, b) => b.scores.standard - a.scores.standard);
  const lines = [
    `Numenta Anomaly Benchmark: ${covers.files} of the ${covers.ofFiles} files, ${covers.windows} of the ${covers.ofWindows} windows, ${covers.rows} rows`,
    "",
    `${"".padEnd(24)}${profiles.map((name) => name.padStart(15)).join("")}`,
    ...rows.map(lineOf),
    "",
    "One threshold for all files, the best for the profile, as the benchmark has it:",
    ...profiles.map((name) => {
      const { threshold, windowsFound, falsePositives } = result.profiles[name];
      return `  ${name.padEnd(22)}threshold ${threshold.toFixed(3)}, ${windowsFound} of ${covers.windows} windows found, ${falsePositives} false detections`;
    }),
    lineOf({ detector: "With 0.5 for all", scores: scoresOf(result, "scoreAtAlarm"), note: "" }),
    `State of a stream: ${result.stateBytes} bytes.`,
  ];
  if (!isWhole) lines.push(`The published scores are of all ${covers.ofFiles} files: compare with care.`);
  return lines.join("\n");
}

function scoresOf(result: NabResult, which: "score" | "scoreAtAlarm"): Record<ProfileName, number> {
  const { standard, reward_low_FP, reward_low_FN } = result.profiles;
  return {
    standard: standard[which],
    reward_low_FP: reward_low_FP[which],
    reward_low_FN: reward_low_FN[which],
  };
}

function lineOf({ detector, scores, note }: Row): string {
  const figures = profiles.map((name) => scores[name].toFixed(1).padStart(15)).join("");
  return `  ${detector.padEnd(22)}${figures}  ${note}`.trimEnd();
}
