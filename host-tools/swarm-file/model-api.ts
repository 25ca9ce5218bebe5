/** The words for what a board works out of several metrics together: `docs/learning.md`. */
import { callSite } from "./call-site.ts";
import type { ModelPart } from "./parts.ts";

export interface ModelOptions<Metric extends string> {
  /** Which metric is which feature of the model: `{ mean: "temperature.mean" }`. Not said: they are called alike. */
  from?: Readonly<Record<string, Metric>>;
  /** Tells what share of the model, 0 to 1, speaks for this class, instead of the class's number. */
  share?: string;
  /** Of k-means: tells the distance to the nearest centre instead of the cluster's number. */
  distance?: boolean;
  /** Of half-spaces: go on learning on the board, from what it sees. */
  learn?: boolean;
}

/**
 * A model that `covey model` has made, at work on a board: each whole row of its features becomes a reading of `metric`. A classifier tells the number of the class, from 0 in the order
 * in which `covey model info` lists them. The path is relative to the folder of `swarm.ts`.
 */
export function model<const Name extends string, const Metric extends string = never>(
  metric: Name,
  file: string,
  options: ModelOptions<Metric> = {},
): ModelPart<Name, Metric> {
  return { kind: "model", site: callSite(), type: "trained", metric, given: { ...options, file } };
}

export interface RegressionOptions<Metric extends string> {
  /** The metric to be told from the others, 1 to 8 of them. */
  of: Metric;
  from: readonly Metric[];
  /** What is reported: what it should be, or how far it is beyond that (not said: this). */
  gives?: "prediction" | "residual";
  /** Rows after which a row weighs 1/e, 10 to 1,000,000; 1,000 if not said. */
  memory?: number;
}

/** A linear model of one metric by others that the board learns as it goes, without data from anywhere else. */
export function regression<const Name extends string, const Metric extends string>(
  metric: Name,
  given: RegressionOptions<Metric>,
): ModelPart<Name, Metric> {
  return { kind: "model", site: callSite(), type: "regression", metric, given: { ...given } };
}
