/** The words for what several boards do together: `action` and `metric`. */
import { callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type { ActionPart, RequirementPart } from "./parts.ts";

/**
 * What several boards do together or not at all, when `covey act NAME` asks for it. Each sets these outputs, `for` so long or until another action does;
 * a rule still goes before. A board takes part only if all of `require` holds there.
 *
 * ```ts
 * actions: { "open-valves": action({ set: { valve: true }, for: "10m", require: [metric("pressure").between(1, 3)], safety: "30s" }) }
 * ```
 */
export function action<const BoardName extends string = never>(given: {
  /** Which boards, where the command does not say; all that have the outputs and the metrics if neither does. */
  boards?: readonly BoardName[];
  /** By output: percent for PWM, true or false for digital. */
  set: Readonly<Record<string, number | boolean>>;
  /** Until another action if not said. */
  for?: Duration;
  require?: readonly RequirementPart[];
  /**
   * A board that has promised to act and hears no decision for so long goes to its safe values and says so: the only exception to all or none. If
   * not said, it waits for the decision.
   */
  safety?: Duration;
}): ActionPart<BoardName> {
  return { kind: "action", site: callSite(), given: { ...given } };
}

export interface Freshness {
  /** How old the reading may be at most; 10 s if not said. */
  within?: Duration;
}

/** Begins a requirement: that a board has a good reading of this metric, and what it is. */
export function metric(name: string) {
  const site = callSite();
  const part = (min: number, max: number, options: Freshness = {}): RequirementPart => ({
    ...{ kind: "requirement", site, metric: name, min, max },
    within: options?.within,
  });
  return {
    between: (min: number, max: number, options?: Freshness) => part(min, max, options),
    atLeast: (min: number, options?: Freshness) => part(min, Number.MAX_VALUE, options),
    atMost: (max: number, options?: Freshness) => part(-Number.MAX_VALUE, max, options),
  };
}
