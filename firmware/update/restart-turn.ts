/**
 * When a board whose new firmware is complete may restart into it.
 *
 * A learner restarts after a random pause, so that a swarm does not go dark all at once; nobody's vote hangs on it. A voter waits for its turn on
 * the wall's clock, which is the same for all: each voting board, by its place among all of them, has a turn as long as a whole trial, and begins its restart in the first
 * part of it. Hosts take no turns, and one voting board alone waits for nobody. So no two voters are ever away, or on trial, at once, whatever becomes of the firmware, and nobody has to be asked.
 *
 * ```
 * voters, sorted    a         b         c         a         b
 * time              |.........|.........|.........|.........|....
 *                    ^ a may begin here, and is back or rolled back before b's turn comes
 * ```
 */

import { nameOf } from "../../protocols/messages/member-name.ts";
import type { Configuration } from "../../protocols/raft/confchange.ts";
import type { MemberId } from "../../protocols/raft/types.ts";
import { programKeyPrefix } from "../../protocols/state/command.ts";
import type { Links } from "../board/links.ts";
import type { WallTime } from "../board/wall-time.ts";
import type { Random } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import { trialLimits } from "./trial.ts";

export const turnLimits = Object.freeze({
  /** A learner's pause is drawn from this. */
  learnerMsMax: 60_000,
  /** A trial, and two minutes for two starts, and for clocks that differ. */
  turnMs: trialLimits.trialMs + 120_000,
  /** From the beginning of its turn until a voter may no longer begin. */
  beginMs: 30_000,
  /** A voter that knows the time less exactly waits. */
  boundMsMax: 10_000,
  /** A voter that is kept from its turn by something looks again after this. */
  againMs: 10_000,
});

/** ms that a learner waits. */
export function learnerPauseMs(random: Random): number {
  const seed = new Uint8Array(2);
  random.fill(seed);
  return Math.floor(((seed[0]! * 256 + seed[1]!) * turnLimits.learnerMsMax) / 65_536);
}

/** What a board looks at before it restarts. */
export interface TurnParts {
  readonly store: Pick<BoardStore, "isVoter" | "configuration" | "memberId" | "get">;
  readonly links: Pick<Links, "areAllJoined" | "hearsLeader" | "isHost">;
  readonly time: Pick<WallTime, "wallMs" | "boundMs">;
}

/** ms until a board whose pause is over may restart, or is to ask again; 0 for now. */
export function waitForTurnMs({ store, links, time }: TurnParts, nowMs: number): number {
  const { againMs, boundMsMax } = turnLimits;
  // Without its leader it could not prove that the new firmware works.
  if (!links.hearsLeader(nowMs)) return againMs;
  const { configuration, memberId } = store;
  if (!store.isVoter || configuration === undefined) return 0;
  // Infinity while the time is not known.
  if (!links.areAllJoined || time.boundMs(nowMs) > boundMsMax) return againMs;
  // A host that this board does not know is taken for a board: then turns are longer, and none is shared.
  const isBoard = (id: MemberId) =>
    !links.isHost(nameOf(id)) || store.get(programKeyPrefix + nameOf(id)) !== undefined;
  const { place, count } = placeOf(configuration, memberId, isBoard);
  if (count === 1) return 0;
  return untilTurnMs(time.wallMs(nowMs), place, count);
}

/** ms until the voter at `place`, from 0, of `count` may begin; 0 for now. */
export function untilTurnMs(wallMs: number, place: number, count: number): number {
  const { turnMs, beginMs } = turnLimits;
  const roundMs = count * turnMs;
  const sinceMs = (wallMs - place * turnMs) % roundMs;
  return sinceMs < beginMs ? 0 : roundMs - sinceMs;
}

/** Place of `id` among all boards that vote, and how many they are; the same on every board that knows the same configuration. */
export function placeOf(
  { voters, outgoing }: Configuration,
  id: MemberId,
  isBoard: (id: MemberId) => boolean,
): { readonly place: number; readonly count: number } {
  let place = 0;
  let count = 0;
  const leaving = outgoing.filter((each) => !voters.includes(each));
  for (const each of [...voters, ...leaving]) {
    if (each !== id && !isBoard(each)) continue;
    count++;
    if (each < id) place++;
  }
  return { place, count };
}
