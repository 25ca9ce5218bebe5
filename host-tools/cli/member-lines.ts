/** The members of a swarm as a table. */
import type { MemberStatus, Members } from "../leader/api/types/members.ts";
import { type Cell, type Column, cell, table } from "./live-view/table.ts";
import type { Terminal } from "./terminal.ts";

const columns: readonly Column[] = Object.freeze([
  { title: "member", min: 6, max: 40 },
  { title: "kind", min: 5, max: 5 },
  { title: "role", min: 7, max: 7 },
  { title: "log", min: 5, max: 12, align: "right" },
  { title: "applied", min: 7, max: 12, align: "right" },
  { title: "connected to", min: 12, max: 24 },
  { title: "last answer", min: 11, max: 16 },
  { title: "", min: 0, max: 40, yields: true },
]);

export function memberLines(members: Members, terminal: Terminal): string[] {
  const rows = members.members.map((member) => cellsOf(member, members));
  // In a pipe or a file nothing needs to be cut.
  const width = terminal.interactive ? terminal.columns : 240;
  const lines = table(columns, rows, width, (style, text) => terminal.style(style, text)).map((line) =>
    line.trimEnd(),
  );
  const leads = members.leader === undefined ? "Nobody leads" : `${members.leader} leads`;
  lines.push("", `${leads} in term ${members.term}; ${standing(members)}.`);
  if (members.advice !== undefined) lines.push(terminal.style("yellow", members.advice));
  return lines;
}

/** `4 of 5 voters answer, 3 must: one more may be lost`. */
export function standing({ answering, quorum, spare, members }: Members): string {
  const voters = members.filter(({ role }) => role === "voter" || role === "leader").length;
  const who = voters === 1 ? "voter answers" : "voters answer";
  const what = `${answering} of ${voters} ${who}, ${quorum} must`;
  if (spare < 0) return `${what}: nothing can be decided`;
  if (spare === 0) return `${what}: none may be lost`;
  return `${what}: ${spare} more may be lost`;
}

function cellsOf(member: MemberStatus, { commitIndex, leader }: Members): Cell[] {
  const { name, memberId, kind, role, matchIndex, appliedIndex, hosts, silentMs, answers } = member;
  const isKnown = leader !== undefined && silentMs !== undefined;
  return [
    cell(memberId ?? name, "bold"),
    cell(kind),
    cell(role, role === "leader" ? "green" : role === "unknown" ? "dim" : undefined),
    cell(isKnown ? String(matchIndex) : "-", isKnown && matchIndex < commitIndex ? "yellow" : undefined),
    cell(isKnown ? String(appliedIndex) : "-"),
    cell(hosts.join(", ") || "nobody", hosts.length === 0 ? "red" : undefined),
    cell(silenceText(silentMs), answers ? undefined : "yellow"),
    cell(remark(member), "dim"),
  ];
}

function silenceText(silentMs: number | undefined): string {
  if (silentMs === undefined) return "never";
  if (silentMs < 1000) return "now";
  return `${Math.round(silentMs / 1000)} s ago`;
}

function remark({ shouldVote, role, answers }: MemberStatus): string {
  const votes = role === "voter" || role === "leader";
  if (shouldVote && !votes) return answers ? "is to vote, catches up" : "is to vote";
  if (!shouldVote && votes) return "is to stop voting";
  return "";
}
