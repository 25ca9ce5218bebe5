/** Publications that no leader ever made, from one that a leader did: what somebody with the group's key could write, or a broker mangle. */
import type { Entry, Publication } from "../../../../protocols/raft/types.ts";
import type { Random } from "../random.ts";

export function forged(publication: Publication, random: Random): Publication {
  const { entries } = publication;
  const at = random.between(0, entries.length - 1);
  switch (random.between(0, 6)) {
    case 0:
      return { ...publication, entries: withData(entries, at, random) };
    case 1:
      return { ...publication, entries: entries.slice(0, at + 1) };
    case 2:
      // Without its first entries, and yet in the same place.
      return { ...publication, entries: renumbered(entries.slice(at), publication.prevLogIndex) };
    case 3:
      return { ...publication, entries: renumbered([...entries].reverse(), publication.prevLogIndex) };
    case 4:
      return { ...publication, prevHash: publication.prevHash.map((byte) => byte ^ 0xff) };
    case 5: {
      const prevLogIndex = publication.prevLogIndex + random.between(1, 3);
      return { ...publication, prevLogIndex, entries: renumbered(entries, prevLogIndex) };
    }
    default:
      return publication;
  }
}

function withData(entries: readonly Entry[], at: number, random: Random): readonly Entry[] {
  // Not longer, or nobody would read it.
  const data = entries[at]!.data.map(() => random.between(0, 255));
  return entries.map((entry, i) => (i === at ? { ...entry, data } : entry));
}

function renumbered(entries: readonly Entry[], prevLogIndex: number): readonly Entry[] {
  const terms = entries.map(({ term }) => term).sort((a, b) => a - b);
  return entries.map((entry, i) => ({ ...entry, index: prevLogIndex + 1 + i, term: terms[i]! }));
}
