/**
 * When a board whose new firmware is complete may restart into it.
 *
 * A learner restarts after a random pause, so that a swarm does not go dark all at once; nobody's vote hangs on it. A voter restarts when the swarm gives it the turn to be
 * away (`voter-turn.ts`), which it gives to one board at a time.
 */
import type { Random } from "../platform/ports.ts";
import type { UpdateParts } from "./update-parts.ts";

export const restartLimits = Object.freeze({
  /** A learner's pause is drawn from this. */
  learnerMsMax: 60_000,
  /** A board that is kept from its restart looks again after this. */
  againMs: 10_000,
});

/** ms that a learner waits. */
export function learnerPauseMs(random: Random): number {
  const seed = new Uint8Array(2);
  random.fill(seed);
  return Math.floor(((seed[0]! * 256 + seed[1]!) * restartLimits.learnerMsMax) / 65_536);
}

/** Whether a board whose pause is over may restart: without its leader it could not prove that the new firmware works. */
export function mayRestart(
  { links, leaving }: Pick<UpdateParts, "links" | "leaving">,
  nowMs: number,
): boolean {
  return links.hearsLeader(nowMs) && leaving.mayLeave("update", nowMs);
}
