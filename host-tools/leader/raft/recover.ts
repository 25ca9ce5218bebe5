/**
 * Rebuilds a host's log from what other members hold, when nobody can lead any more: the disks of too many hosts are gone, and boards vote but never lead.
 *
 * It copies the most up-to-date log among the members that answer, by the messages of a host that catches up, and then appends, without asking anyone, a
 * configuration in which this host votes alone, in a term above all that it heard of. Raft has no rule that allows this; what it risks is in the report.
 * Boards need nothing: to them it is a new leader, whose policy makes them voters again.
 */
import type { Sha256 } from "../../../protocols/raft/chain.ts";
import type { Configuration } from "../../../protocols/raft/confchange.ts";
import { membersOf, noConfiguration } from "../../../protocols/raft/confchange.ts";
import { configurationFromEntry } from "../../../protocols/raft/membership.ts";
import { jointVoteResult } from "../../../protocols/raft/quorum.ts";
import type { LogRequest, LogResponse, MemberId, Message } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { aloneFrom, newMemberId } from "./founding.ts";
import type { HostDisk } from "./host-disk.ts";
import { HostLog } from "./host-log.ts";

import type { FoundLog } from "./recover-copy.ts";
import { copyLog, durable, RecoveryRefused } from "./recover-copy.ts";
import { hasLog } from "./segments.ts";
import { nameOf } from "./voter-policy.ts";

export { type FoundLog, RecoveryRefused };

export interface RecoverOptions {
  readonly hostName: string;
  readonly hostNames: readonly string[];
  /** Empty. If this fails, what was written to it is of no use: recover into a folder of its own, and give it its name at the end. */
  readonly disk: HostDisk;
  readonly sha256: Sha256;
  readonly random: () => number;
  /** Whom to ask: every member that has a connection. */
  readonly members: readonly MemberId[];
  /** Sends a request to its member and gives the answer; undefined when none came in time. */
  ask(request: LogRequest): Promise<Message | undefined>;
  /** Goes on although the group could go on without. */
  readonly isForced?: boolean;
}

export interface RecoveryReport {
  /** Under which this host takes part from now on. */
  readonly memberId: MemberId;
  readonly source: MemberId;
  /** Of the source's log; the forced configuration follows on it, in `term`. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly term: number;
  /** All that answered, the most up-to-date first. */
  readonly found: readonly FoundLog[];
  /** Who voted at the end of that log, and who of them did not answer. */
  readonly voters: readonly MemberId[];
  readonly votersNotHeard: readonly MemberId[];
  /** Whether everything that was ever acknowledged is there for certain. */
  readonly isComplete: boolean;
  /** All of it for the operator, a paragraph. */
  readonly text: string;
}

/** When it resolves, the disk holds a durable log that a plain start goes on from. @throws {RecoveryRefused} */
export async function recover(options: RecoverOptions): Promise<RecoveryReport> {
  const { hostName, hostNames, disk, sha256, random, isForced = false } = options;
  if (hasLog(disk)) {
    throw new RecoveryRefused(
      `Host ${hostName} has a Raft log: move its folder aside first, so that it can still be looked at.`,
    );
  }
  const isHost = (id: MemberId) => hostNames.includes(nameOf(id));
  const log = HostLog.create({ disk, sha256, isHost }, newMemberId(hostName, random));
  const found = await lookAround(log.memberId, options);
  if (found.length === 0) {
    throw new RecoveryRefused(
      `None of ${options.members.length} members answered with a log: connect those that have one, boards too, and try again.`,
    );
  }
  const source = await copyLog(log, found, options.ask);
  const configuration = configurationIn(log);
  const heard = new Set(found.map(({ id }) => id));
  const hasMajority = jointVoteResult(configuration, (voter) => heard.has(voter) || undefined) === "won";
  const leader = found.find(
    ({ id }) => isHost(id) && nameOf(id) !== hostName && configuration.voters.includes(id),
  );
  if (hasMajority && leader !== undefined && !isForced) {
    throw new RecoveryRefused(
      `A majority of the voters (${configuration.voters.join(", ")}) answers, and ${nameOf(leader.id)} can lead it: ` +
        `start host ${hostName} plainly with an empty folder, and it joins; nothing is lost that way.`,
    );
  }
  const lastIndex = log.lastIndex;
  const lastTerm = log.termAt(lastIndex)!;
  const term = 1 + Math.max(lastTerm, ...found.map((each) => each.term));
  log.append(aloneFrom(log.memberId, lastIndex + 1, term));
  await durable(log);
  const voters = membersOf(configuration).filter((id) => !configuration.learners.includes(id));
  const votersNotHeard = voters.filter((id) => !heard.has(id));
  const facts = { memberId: log.memberId, source, lastIndex, lastTerm, term, found, voters, votersNotHeard };
  return { ...facts, isComplete: hasMajority, text: describe(hostName, facts, hasMajority) };
}

/** Asks everyone for an entry that nobody has, which is answered with the end of the log. */
async function lookAround(self: MemberId, { members, ask }: RecoverOptions): Promise<FoundLog[]> {
  const beyond = { afterIndex: Number.MAX_SAFE_INTEGER, afterTerm: Number.MAX_SAFE_INTEGER };
  const requests = members.map((to) =>
    ask({ type: "log-request", from: self, to, term: 1, ...beyond, snapshotIndex: 0, snapshotFirst: 0 }),
  );
  const answers = (await Promise.all(requests)).filter(
    (answer): answer is LogResponse => answer?.type === "log-response",
  );
  return answers
    .filter(({ lastLogIndex }) => lastLogIndex > 0)
    .map(({ from, term, lastLogIndex, lastLogTerm, commitIndex }) => ({
      id: from,
      term,
      lastLogIndex,
      lastLogTerm,
      commitIndex,
    }))
    .sort((a, b) => b.lastLogTerm - a.lastLogTerm || b.lastLogIndex - a.lastLogIndex);
}

/** The configuration in force at the end of a log. */
function configurationIn(log: HostLog): Configuration {
  let configuration = noConfiguration;
  const note = ({ kind, version, data }: { kind: number; version: number; data: Uint8Array }): void => {
    if (kind === EntryKind.membership) configuration = configurationFromEntry(version, data) ?? configuration;
  };
  for (const item of log.snapshotContents) note(item);
  for (let index = log.firstIndex; index <= log.lastIndex; index++) note(log.entry(index));
  return configuration;
}

function describe(
  hostName: string,
  facts: Omit<RecoveryReport, "isComplete" | "text">,
  hasMajority: boolean,
): string {
  const { memberId, source, lastIndex, lastTerm, found, voters, votersNotHeard } = facts;
  const committed = Math.max(...found.map(({ commitIndex }) => commitIndex));
  const sentences = [
    `Host ${hostName} takes part again as ${memberId}, and votes alone until the others have caught up.`,
    `Its log was rebuilt from ${source} up to entry ${lastIndex} of term ${lastTerm}, the most up-to-date among ${found.length} that answered (${found.map(({ id }) => id).join(", ")}); ` +
      `up to entry ${committed} it was known to be committed, and what follows counts as committed now.`,
    votersNotHeard.length === 0
      ? `All voters answered (${voters.join(", ")}).`
      : `Of the voters ${voters.join(", ")} did not answer: ${votersNotHeard.join(", ")}.`,
    hasMajority
      ? "A majority of the voters did, so nothing that was acknowledged is lost."
      : `No majority did, so changes after entry ${lastIndex} that were acknowledged by the missing ones are lost, if there were any.`,
  ];
  const missingHosts = votersNotHeard.filter((id) => nameOf(id) !== hostName);
  if (missingHosts.length > 0) {
    sentences.push(
      `A missing host must not come back with its old disk while it believes in the old group: empty its Raft folder before you start it, and it joins as someone new.`,
    );
  }
  return sentences.join(" ");
}
