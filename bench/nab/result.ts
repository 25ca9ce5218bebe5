import { anomalyLimits } from "../../firmware/sensing/stages/anomaly-score.ts";
import type { Detected } from "./detect.ts";
import { PROFILES, type Profile, type ProfileName } from "./profiles.ts";
import { SCOREBOARD, wholeBenchmark } from "./scoreboard.ts";
import { type FileScore, onScale, scoreCorpus, scoreFiles } from "./scorer.ts";

/** What `npm run bench:nab -- --json` prints. */
export interface NabResult {
  detector: "covey";
  /** What the scores are of. Comparable with the scoreboard only if it is all of them. */
  covers: { files: number; ofFiles: number; windows: number; ofWindows: number; rows: number };
  stateBytes: number;
  profiles: Record<ProfileName, ProfileResult>;
  scoreboard: typeof SCOREBOARD;
}

export interface ProfileResult {
  /** With the threshold that earns most over these files, as the benchmark has it. */
  score: number;
  threshold: number;
  windowsFound: number;
  falsePositives: number;
  /** With the threshold that the firmware suggests, whatever the files. */
  scoreAtAlarm: number;
  files: FileScore[];
}

export function resultOf(detected: readonly Detected[]): NabResult {
  const sum = (count: (one: Detected) => number) => detected.reduce((total, one) => total + count(one), 0);
  return {
    detector: "covey",
    covers: {
      files: detected.length,
      ofFiles: wholeBenchmark.files,
      windows: sum(({ series }) => series.windows.length),
      ofWindows: wholeBenchmark.windows,
      rows: sum(({ scores }) => scores.length),
    },
    stateBytes: anomalyLimits.stateBytes,
    profiles: Object.fromEntries(
      PROFILES.map((profile) => [profile.name, profileResult(detected, profile)]),
    ) as Record<ProfileName, ProfileResult>,
    scoreboard: SCOREBOARD,
  };
}

function profileResult(detected: readonly Detected[], profile: Profile): ProfileResult {
  const { score, threshold, files } = scoreCorpus(detected, profile);
  return {
    score,
    threshold,
    windowsFound: files.reduce((sum, file) => sum + file.found, 0),
    falsePositives: files.reduce((sum, file) => sum + file.falsePositives, 0),
    scoreAtAlarm: onScale(scoreFiles(detected, profile, anomalyLimits.alarmScore), profile),
    files,
  };
}
