/** The words for metrics that follow from others by a rule: `docs/pipelines.md`. */
import type { JoinOperation } from "../../protocols/pipeline/joined-use.ts";
import { callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type { ModelPart } from "./parts.ts";
import type { StatisticName } from "./pipeline-api.ts";

export type { JoinOperation };

/** How far apart in time values may be and still be one row; one sampling period, the longest, if not said. Beyond that nothing comes of them. */
export interface Together {
  within?: Duration;
}

/**
 * Readings of several metrics made one: `join("gradient", "difference", ["top", "bottom"])`. `sum`, `product`, `mean`, `min` and `max` take 2 to 8 of them, the others two, in their order; `dew-point`,
 * `absolute-humidity`, `vapour-deficit` and `heat-index` take a temperature in °C and a relative humidity.
 */
export function join<const Name extends string, const Metric extends string>(
  metric: Name,
  operation: JoinOperation,
  of: readonly Metric[],
  options: Together = {},
): ModelPart<Name, Metric> {
  return {
    kind: "model",
    site: callSite(),
    type: "join",
    metric,
    given: { ...options, operation, joins: of },
  };
}

/**
 * How far two metrics go together, -1 to 1: Pearson's correlation over their last `rows` rows (3 to 100), with each row once there are so many, or every so many of them.
 */
export function correlation<const Name extends string, const Metric extends string>(
  metric: Name,
  of: readonly [Metric, Metric],
  options: Together & { rows: number; every?: number },
): ModelPart<Name, Metric> {
  return { kind: "model", site: callSite(), type: "correlation", metric, given: { ...options, joins: of } };
}

export interface Grouping<Metric extends string, Group extends string> {
  of: Metric;
  /** A metric that says which group it is: a contact, a hysteresis, the class of a model. */
  by: Metric;
  /** What it is called, and the metric's value (rounded) while it is so; at most 8: `{ closed: 0, open: 1 }`. */
  groups: Readonly<Record<Group, number>>;
  window: Duration;
  stat: StatisticName;
}

/** A statistic of one metric for each state of another, window by window: `power.open`, `power.closed`. Each group is a metric of its own. */
export function groupBy<const Name extends string, const Metric extends string, const Group extends string>(
  name: Name,
  grouping: Grouping<Metric, Group>,
): ModelPart<`${Name}.${Group}`, Metric> {
  const { of, by, groups, window, stat } = grouping ?? {};
  return {
    kind: "model",
    site: callSite(),
    type: "group",
    metric: name as `${Name}.${Group}`,
    given: { joins: [of, by], groups, window, statistic: stat },
  };
}
