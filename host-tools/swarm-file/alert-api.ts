/** The words of `swarm.ts` about alerts: what a person is to be told of. Re-exported by `api.ts`. */
import { callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type { AlertPart, ConditionPart, SilentPart } from "./parts.ts";

/**
 * Tells a person when a condition holds, and when it is over: `alert(when("temperature").above(30, { for: "5m" }))`, on every board that has the
 * metric, or on the `boards` that are named. The leader judges it from what the boards report; what a board does by itself is a rule.
 */
export function alert<const BoardName extends string = never, const Key extends string = never>(
  condition: ConditionPart<string, Key> | SilentPart,
  options: { boards?: readonly BoardName[] } = {},
): AlertPart<BoardName, Key> {
  return { kind: "alert", site: callSite(), condition, boards: options?.boards };
}

/** Nothing at all was heard of a board for so long, 5s or longer. */
export function silent(duration: Duration): SilentPart {
  return { kind: "silent", site: callSite(), for: duration };
}
