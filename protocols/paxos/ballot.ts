/**
 * A ballot is a counter and the place of the member whose ballot it is, as one integer, so that ballots are compared as numbers and no two members ever have the
 * same one: 8 x counter + place. 0 is no ballot, below all.
 */
import { registerLimits } from "./types.ts";

/** Beyond it nobody proposes: 2^28 ballots of an epoch, 31 bits. */
export const ballotMax = 0x7fff_ffff;

/** The first ballot of the member at `place` that is above `after`; undefined when none is left in this epoch. */
export function nextBallot(after: number, place: number): number | undefined {
  const counter = Math.floor(after / places) + 1;
  const ballot = counter * places + place;
  return ballot > ballotMax ? undefined : ballot;
}

/** Whose it is. */
export function placeOf(ballot: number): number {
  return ballot % places;
}

const places = registerLimits.membersMax + 1;
