/** Proposing a change, as somebody who waits for the answer sees it: agreed, refused, or not known in time. */
import {
  EntryTooLarge,
  MembershipRefused,
  NotLeader,
  ProposalQueueFull,
  TransferUnderWay,
} from "../../protocols/raft/errors.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import type { PutCommand } from "../../protocols/state/command.ts";
import { ApiFailure } from "./api-failure.ts";
import type { Deployment } from "./deployment.ts";
import { encodePut } from "./entries.ts";
import { OutcomeUnknown, ReplicaStopped, Superseded } from "./raft/proposals.ts";
import type { Replica } from "./raft/replica.ts";

/** How long a client waits for a majority; several elections fit. */
export const agreementWaitMs = 10_000;

export interface Group {
  readonly replica: Replica;
  readonly deployment: Deployment;
}

/**
 * Resolves once the entry is committed and applied here. Rejects with an `ApiFailure`; one with the code `timeout` means that the
 * entry may still be committed.
 */
export async function agreeOn(group: Group, command: PutCommand): Promise<{ index: number; term: number }> {
  const { replica, deployment } = group;
  let isProposed = false;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const refuse = () => reject(isProposed ? outcomeUnknown(replica, command.key) : notLeading(replica));
    timer = setTimeout(refuse, agreementWaitMs);
  });
  try {
    await Promise.race([deployment.proposed(replica), tooLate]);
    const committed = replica.propose(EntryKind.put, encodePut(command));
    isProposed = true;
    return await Promise.race([committed, tooLate]);
  } catch (error) {
    throw explain(replica, command.key, error);
  } finally {
    clearTimeout(timer);
  }
}

function outcomeUnknown(
  replica: Replica,
  key: string,
  when = `within ${agreementWaitMs / 1_000} s`,
): ApiFailure {
  return new ApiFailure(
    "timeout",
    `No majority agreed ${when} (${describeVoters(replica)}); ` +
      `the change may still happen, so look with "covey get ${key}" before you repeat it.`,
  );
}

function notLeading(replica: Replica): ApiFailure {
  const what = `This swarm has no leader at the moment (${describeVoters(replica)})`;
  return new ApiFailure("not-leader", `${what}; nothing was changed, try again when it has one.`);
}

function explain(replica: Replica, key: string, error: unknown): unknown {
  if (error instanceof NotLeader) return notLeading(replica);
  if (error instanceof OutcomeUnknown) {
    return outcomeUnknown(replica, key, "before this host stopped leading");
  }
  if (
    error instanceof Superseded ||
    error instanceof ReplicaStopped ||
    error instanceof ProposalQueueFull ||
    error instanceof TransferUnderWay
  ) {
    return new ApiFailure("not-leader", error.message);
  }
  if (error instanceof EntryTooLarge || error instanceof MembershipRefused) {
    return new ApiFailure("out-of-limits", error.message);
  }
  return error;
}

function describeVoters(replica: Replica): string {
  const { id, voters, members } = replica.status();
  const heard = new Set(
    members.filter(({ silentMs }) => silentMs !== undefined && silentMs < heardWithinMs).map((m) => m.id),
  );
  const present = voters.filter((voter) => voter === id || heard.has(voter)).length;
  return `${present} of ${voters.length} voters answer`;
}

/** Twelve heartbeats. */
const heardWithinMs = 3_000;
