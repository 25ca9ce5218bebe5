/** What the shell knows, as JSON that a program compares and a person reads: null is unknown or none. */
import { configurationFromEntry } from "../../protocols/raft/membership.ts";
import type { Entry, Message } from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import type { ShellMember } from "./member.ts";

type Described = Readonly<Record<string, unknown>>;

export function describeMember(member: ShellMember): Described {
  const { id, kind, log, core, node } = member;
  const { firstIndex, lastIndex, unsyncedCount } = log;
  const place = { firstIndex, lastIndex, unsyncedWrites: unsyncedCount };
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
          progress: progressOf(node),
        }),
  };
}

function progressOf(node: NonNullable<ShellMember["node"]>): Described[] {
  return Array.from(node.members, ([id, { state, matchIndex, nextIndex, appliedIndex, isPaused }]) => {
    return { id, state, match: matchIndex, next: nextIndex, applied: appliedIndex, paused: isPaused };
  });
}

export function describeMessage(message: Message): Described {
  if (message.type !== "append-request") return { ...message };
  return { ...message, entries: message.entries.map(describeEntry) };
}

export function describeEntry({ index, term, kind, version, data }: Entry): Described {
  if (kind === EntryKind.noop) return { index, term, type: "noop" };
  if (kind === EntryKind.membership) {
    return { index, term, type: "membership", membership: configurationFromEntry(version, data) ?? null };
  }
  return { index, term, type: "put", data: new TextDecoder().decode(data) };
}
