/**
 * What a detection is worth to three kinds of user, as the Numenta Anomaly Benchmark weighs them (Lavin and Ahmad,
 * "Evaluating Real-time Anomaly Detection Algorithms", 2015, section II.C; weights of release 1.1).
 */
export interface Profile {
  name: ProfileName;
  /** Earned by a detection at the left edge of a window. */
  truePositive: number;
  /** Lost by a detection far from any window. */
  falsePositive: number;
  /** Lost by a window without a detection. */
  falseNegative: number;
}

export type ProfileName = "standard" | "reward_low_FP" | "reward_low_FN";

export const PROFILES: readonly Readonly<Profile>[] = Object.freeze([
  Object.freeze({ name: "standard", truePositive: 1, falsePositive: 0.11, falseNegative: 1 }),
  Object.freeze({ name: "reward_low_FP", truePositive: 1, falsePositive: 0.22, falseNegative: 1 }),
  Object.freeze({ name: "reward_low_FN", truePositive: 1, falsePositive: 0.11, falseNegative: 2 }),
]);
