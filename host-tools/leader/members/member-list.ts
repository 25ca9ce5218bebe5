/** The members of the group as `covey members` shows them: hosts and boards of the definition, and whoever else still votes. */
import { majorityOf } from "../../../protocols/raft/quorum.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import type { MemberStatus, Members } from "../api/types/members.ts";
import type { BoardStatus, HostStatus } from "../api/types/status.ts";
import type { HostMemberStatus } from "../raft/host-member-types.ts";
import { nameOf } from "../raft/voter-policy.ts";
import { heardWithinMs } from "../state/commands.ts";
import { judgeVoters, type NamedMember } from "./voter-advice.ts";

export interface MemberListView {
  /** Of the host that answers. */
  readonly replica: HostMemberStatus;
  readonly hosts: readonly HostStatus[];
  readonly boards: readonly BoardStatus[];
  /** Names of the boards that ought to vote. */
  readonly voterNames: readonly string[];
}

export function listMembers({ replica, hosts, boards, voterNames }: MemberListView): Members {
  const members: MemberStatus[] = [];
  const row = (
    kind: "host" | "board",
    name: string,
    memberId: MemberId | undefined,
    at: readonly string[],
  ) => {
    const progress = progressOf(replica, memberId);
    members.push({
      name,
      kind,
      memberId,
      role: roleOf(replica, memberId),
      shouldVote: kind === "host" || voterNames.includes(name),
      ...progress,
      hosts: at,
      answers: progress.silentMs !== undefined && progress.silentMs < heardWithinMs,
    });
  };
  const up = hosts.filter(({ link }) => link === "up").map(({ name }) => name);
  for (const { name, memberId } of hosts)
    row("host", name, memberId ?? voterNamed(replica, name), up.includes(name) ? [name] : []);
  for (const { id, memberId, hosts: at } of boards) row("board", id, memberId ?? voterNamed(replica, id), at);
  const known = new Set(members.map(({ memberId }) => memberId));
  for (const voter of replica.voters) {
    if (known.has(voter)) continue;
    const isHost = hosts.some(({ name }) => name === nameOf(voter));
    row(isHost ? "host" : "board", nameOf(voter), voter, []);
  }
  const voters = members.filter(isVoting);
  const answering = voters.filter(({ answers }) => answers).length;
  const quorum = majorityOf(replica.voters.length);
  return {
    leader: replica.leaderId,
    term: replica.term,
    commitIndex: replica.commitIndex,
    answering,
    quorum,
    spare: answering - quorum,
    members,
    advice: adviceOn(members, voterNames),
  };
}

function isVoting({ role }: MemberStatus): boolean {
  return role === "voter" || role === "leader";
}

/** Members by name, as voters are judged: a board answers if any of its incarnations does. */
export function namedMembers(members: readonly MemberStatus[]): NamedMember[] {
  const named = new Map<string, NamedMember>();
  for (const { name, kind, answers } of members) {
    named.set(name, { name, kind, answers: answers || named.get(name)?.answers === true });
  }
  return [...named.values()];
}

function adviceOn(members: readonly MemberStatus[], voterNames: readonly string[]): string | undefined {
  const named = namedMembers(members);
  const isVoter = ({ kind, name }: NamedMember) => kind === "host" || voterNames.includes(name);
  const verdict = judgeVoters(
    named.filter(isVoter),
    named.filter((member) => !isVoter(member)),
  );
  const what = verdict.refusal ?? verdict.warning;
  if (what === undefined) return undefined;
  // "That makes ..." is said of a change; here it is so already, or will be once those who are to vote have caught up.
  const votes = new Set(members.filter(isVoting).map(({ name }) => name));
  const areInForce = named.every((member) => isVoter(member) === votes.has(member.name));
  const said = areInForce
    ? what.replace("That makes", "There are").replace("That would leave", "There is")
    : what
        .replace("That makes", "Once all vote that are to, there are")
        .replace("That would leave", "Once all vote that are to, there would be");
  return verdict.better === undefined ? said : `${said} ${suggestion(voterNames, verdict.better)}`;
}

/** The command that leads from one set of voting boards to another. */
export function suggestion(present: readonly string[], better: readonly string[]): string {
  const added = better.filter((name) => !present.includes(name));
  const removed = present.filter((name) => !better.includes(name));
  const replaced = Math.min(added.length, removed.length);
  const commands: string[] = [];
  for (let i = 0; i < replaced; i++) commands.push(`covey members replace ${removed[i]} ${added[i]}`);
  if (added.length > replaced) commands.push(`covey members promote ${added.slice(replaced).join(" ")}`);
  if (removed.length > replaced) commands.push(`covey members demote ${removed.slice(replaced).join(" ")}`);
  const which =
    better.length === 0 ? "no board votes" : `${listed(better)} vote${better.length === 1 ? "s" : ""}`;
  if (commands.length === 0) return `As it is, ${which}, which is better.`;
  return `Better, so that ${which}: ${commands.join(", then ")}.`;
}

/** `n1, n2 and n3`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function roleOf({ leaderId, voters }: HostMemberStatus, id: MemberId | undefined): MemberStatus["role"] {
  if (id === undefined) return "unknown";
  if (id === leaderId) return "leader";
  return voters.includes(id) ? "voter" : "learner";
}

/** Of a member that did not say hello since this host started, but votes. */
function voterNamed({ voters }: HostMemberStatus, name: string): MemberId | undefined {
  return voters.find((voter) => nameOf(voter) === name);
}

function progressOf(
  { id, role, members, lastIndex, appliedIndex }: HostMemberStatus,
  member: MemberId | undefined,
): Pick<MemberStatus, "matchIndex" | "appliedIndex" | "silentMs"> {
  if (member === id) return { matchIndex: lastIndex, appliedIndex, silentMs: 0 };
  const found = role === "leader" ? members.find((each) => each.id === member) : undefined;
  if (found === undefined) return { matchIndex: 0, appliedIndex: 0, silentMs: undefined };
  const { matchIndex, appliedIndex: applied, silentMs } = found;
  return {
    matchIndex,
    appliedIndex: applied,
    silentMs: silentMs === undefined ? undefined : Math.round(silentMs),
  };
}
