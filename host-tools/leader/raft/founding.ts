/** How a member begins, and how a group does. */
import { noConfiguration } from "../../../protocols/raft/confchange.ts";
import { configurationToEntry } from "../../../protocols/raft/membership.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import type { LogChange } from "./log-writer.ts";

/** A host without a log is someone new (design, point 10). */
export function newMemberId(hostName: string, random: () => number): MemberId {
  const incarnation = Math.floor(random() * 2 ** 32).toString(16);
  return `${hostName}.${incarnation.padStart(8, "0")}`;
}

/** The entry at `index` with which `id` votes alone from `term` on, for which it voted itself: a group's first, or that of a recovery. */
export function aloneFrom(id: MemberId, index: number, term: number): LogChange {
  const configuration = configurationToEntry({ ...noConfiguration, voters: [id] });
  return {
    hardState: { term, vote: id },
    truncateFrom: 0,
    entries: [{ index, term, kind: EntryKind.membership, ...configuration }],
    snapshot: undefined,
  };
}
