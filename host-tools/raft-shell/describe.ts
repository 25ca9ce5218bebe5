/** What the shell knows, as JSON that a program compares and a person reads: null is unknown or none, hashes are in hexadecimal. */
import { configurationFromEntry } from "../../protocols/raft/membership.ts";
import type { Entry, SnapshotItem } from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import type { ShellMember } from "./member.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { Parcel } from "./network.ts";

type Described = Readonly<Record<string, unknown>>;

export function describeMember(member: ShellMember): Described {
  const { id, kind, log, core, node } = member;
  const { firstIndex, lastIndex, staged } = log;
  const place = {
    firstIndex,
    lastIndex,
    snapshot: log.snapshot?.index ?? null,
    staged: staged === undefined ? null : { index: staged.index, items: staged.items },
    unsyncedWrites: log.unsyncedCount,
  };
  if (core === undefined)
    return { id, kind, up: false, ...log.hardState, vote: log.hardState.vote ?? null, ...place };
  return {
    id,
    kind,
    up: true,
    role: node?.role ?? "follower",
    term: core.term,
    vote: core.vote ?? null,
    lead: core.leaderId ?? null,
    commit: core.commitIndex,
    applied: member.appliedIndex,
    ...place,
    ...(node === undefined
      ? {}
      : {
          membership: node.configuration,
          transferringTo: node.transferringTo ?? null,
          catchingUpFrom: node.catchingUpFrom ?? null,
          progress: progressOf(node),
        }),
  };
}

function progressOf(node: NonNullable<ShellMember["node"]>): Described[] {
  return Array.from(node.members, ([id, progress]) => {
    const { state, matchIndex, nextIndex, appliedIndex, isPaused, listens, transfer } = progress;
    const snapshot = transfer === undefined ? null : { index: transfer.place.index, item: transfer.nextItem };
    const indexes = { match: matchIndex, next: nextIndex, applied: appliedIndex };
    return { id, state, ...indexes, paused: isPaused, listens, snapshot };
  });
}

export function describeParcel(parcel: Parcel): Described {
  switch (parcel.type) {
    case "append-request":
    case "publication": {
      const entries = parcel.entries.map(describeEntry);
      return { ...parcel, prevHash: hexOf(parcel.prevHash), entries };
    }
    case "log-response":
      return { ...parcel, entries: parcel.entries.map(describeEntry) };
    case "snapshot-chunk":
      return { ...parcel, hash: hexOf(parcel.hash), items: parcel.items.map(describeItem) };
    default:
      return { ...parcel };
  }
}

/** A log from entry `from` on, and the snapshot before it. */
export function describeLog(log: MemoryLog, from: number): Described {
  const { firstIndex, lastIndex, snapshot } = log;
  const entries: Described[] = [];
  for (let index = from; index <= lastIndex; index++) entries.push(describeEntry(log.entry(index)));
  if (snapshot === undefined) return { firstIndex, snapshot: null, entries };
  const { index, term, hash } = snapshot;
  const items = log.snapshotContents.map(describeItem);
  return { firstIndex, snapshot: { index, term, hash: hexOf(hash), items }, entries };
}

function describeEntry(entry: Entry): Described {
  return { index: entry.index, term: entry.term, ...describeItem(entry) };
}

function describeItem({ kind, version, data }: SnapshotItem): Described {
  if (kind === EntryKind.noop) return { type: "noop" };
  if (kind === EntryKind.membership) {
    return { type: "membership", membership: configurationFromEntry(version, data) ?? null };
  }
  return { type: "put", data: new TextDecoder().decode(data) };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
