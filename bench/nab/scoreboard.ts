import type { ProfileName } from "./profiles.ts";

export interface Published {
  detector: string;
  scores: Readonly<Record<ProfileName, number>>;
}

/** Files and windows of the whole benchmark, release 1.1, which the published scores are of. */
export const wholeBenchmark = Object.freeze({ files: 58, windows: 116 });

/** The scoreboard of numenta/NAB, as its README has it (December 2024), the best first. */
export const SCOREBOARD: readonly Readonly<Published>[] = Object.freeze([
  published("Perfect", 100, 100, 100),
  published("ARTime", 74.9, 65.1, 80.4),
  published("Numenta HTM", 70.5, 62.6, 75.2),
  published("CAD OSE", 69.9, 67.0, 73.2),
  published("Skyline (earthgecko)", 58.2, 46.2, 63.9),
  published("KNN CAD", 58.0, 43.4, 64.8),
  published("Relative Entropy", 54.6, 47.6, 58.8),
  published("Random Cut Forest", 51.7, 38.4, 59.7),
  published("Twitter ADVec", 47.1, 33.6, 53.5),
  published("Windowed Gaussian", 39.6, 20.9, 47.4),
  published("Skyline (Etsy)", 35.7, 27.1, 44.5),
  published("Bayesian Changepoint", 17.7, 3.2, 32.2),
  published("EXPoSE", 16.4, 3.2, 26.9),
  published("Random", 11.0, 1.2, 19.5),
  published("Null", 0, 0, 0),
]);

function published(detector: string, standard: number, lowFP: number, lowFN: number): Readonly<Published> {
  const scores = Object.freeze({ standard, reward_low_FP: lowFP, reward_low_FN: lowFN });
  return Object.freeze({ detector, scores });
}
