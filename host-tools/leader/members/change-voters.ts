/** `promote`, `demote` and `replace`: what the list of boards that ought to vote becomes, or why it must not. */
import { stateLimits } from "../../../protocols/state/command.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { MemberStatus, Members, VoterAction } from "../api/types/members.ts";
import { namedMembers, suggestion } from "./member-list.ts";
import { judgeVoters } from "./voter-advice.ts";
import { votersToText } from "./voter-names.ts";

export interface VoterChange {
  readonly action: VoterAction;
  /** Of boards; for `replace`, the old one and the new one. */
  readonly names: readonly string[];
  /** Do it though it is unwise. Nothing makes a group without a majority. */
  readonly force: boolean;
}

export interface VoterRules {
  /** Boards that sleep: nobody waits for a vote that comes in an hour. */
  readonly sleepers: ReadonlySet<string>;
}

export interface ChangedVoters {
  readonly names: readonly string[];
  /** Why it is unwise, where it was forced. */
  readonly warning: string | undefined;
}

/** The boards that ought to vote after the change. @throws {ApiFailure} */
export function changeVoters(
  present: readonly string[],
  members: Members,
  change: VoterChange,
  { sleepers }: VoterRules,
): ChangedVoters {
  const names = namesAfter(present, members.members, change);
  checkNames(names, sleepers);
  const named = namedMembers(members.members);
  const votes = (name: string) => names.includes(name);
  const { refusal, warning, better } = judgeVoters(
    named.filter(({ kind, name }) => kind === "host" || votes(name)),
    named.filter(({ kind, name }) => kind === "board" && !votes(name) && !sleepers.has(name)),
  );
  const hint = better === undefined ? "" : ` ${suggestion(present, better)}`;
  if (refusal !== undefined) throw new ApiFailure("no-quorum", `${refusal}${hint}`);
  if (warning !== undefined && !change.force) {
    throw new ApiFailure("unwise", `${warning}${hint} To do it all the same, add --force.`);
  }
  return { names, warning };
}

function namesAfter(
  present: readonly string[],
  members: readonly MemberStatus[],
  { action, names }: VoterChange,
): string[] {
  for (const name of names) checkBoard(name, members);
  if (action === "promote") {
    for (const name of names) {
      if (present.includes(name)) throw refused(`${name} is a voter already.`);
      checkAnswers(name, members);
    }
    return [...present, ...names];
  }
  if (action === "demote") {
    for (const name of names) checkVotes(name, present);
    return present.filter((name) => !names.includes(name));
  }
  const [old, successor] = names as [string, string];
  checkVotes(old, present);
  if (present.includes(successor)) {
    throw refused(
      `${successor} is a voter already; to take only ${old}'s vote away: covey members demote ${old}.`,
    );
  }
  checkAnswers(successor, members);
  return present.map((name) => (name === old ? successor : name));
}

function checkNames(names: readonly string[], sleepers: ReadonlySet<string>): void {
  const sleeper = names.find((name) => sleepers.has(name));
  if (sleeper !== undefined) {
    throw refused(
      `${sleeper} sleeps, and who sleeps can't vote: take its sleep away in swarm.ts, or choose another.`,
    );
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refused(`${twice} is named twice.`);
  const { length } = votersToText(names);
  if (length <= stateLimits.textBytesMax) return;
  throw new ApiFailure(
    "out-of-limits",
    `The voters' names would have ${length} characters together; ${stateLimits.textBytesMax} are the most.`,
  );
}

function checkBoard(name: string, members: readonly MemberStatus[]): void {
  const member = members.find((each) => each.name === name);
  if (member?.kind === "board") return;
  if (member?.kind === "host") {
    throw refused(`${name} is a host: hosts vote as long as swarm.ts names them. Name a board.`);
  }
  const boards = members.filter(({ kind }) => kind === "board").map((each) => each.name);
  throw new ApiFailure(
    "not-found",
    `This swarm has no board ${name}; it has ${[...new Set(boards)].join(", ")}.`,
  );
}

function checkVotes(name: string, present: readonly string[]): void {
  if (present.includes(name)) return;
  throw refused(`${name} is no voter; those that vote are ${present.join(", ") || "the hosts alone"}.`);
}

/** A vote that nobody casts only makes a majority harder. */
function checkAnswers(name: string, members: readonly MemberStatus[]): void {
  const answering = members.filter(({ answers, kind }) => answers && kind === "board");
  if (answering.some((member) => member.name === name)) return;
  const others = answering.filter(({ shouldVote }) => !shouldVote).map((member) => member.name);
  const hint =
    others.length === 0
      ? "bring it up first"
      : `bring it up first, or choose ${others.slice(0, 5).join(" or ")}`;
  throw refused(`${name} does not answer, so it cannot vote: ${hint}.`);
}

function refused(message: string): ApiFailure {
  return new ApiFailure("bad-request", message);
}
