/**
 * Carrying a command to whoever leads, as somebody who waits for the answer sees it: agreed, refused, or not known in time.
 *
 * A host that does not lead asks the leader, and goes on asking while leadership changes: the command's id makes
 * sure that it is carried out once. That is why every command gets one, the client's or one made here.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  EntryTooLarge,
  MembershipRefused,
  NotLeader,
  ProposalQueueFull,
  TransferUnderWay,
} from "../../../protocols/raft/errors.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { type CommandId, commandIdToText } from "../raft/command-id.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import {
  type Committed,
  ConditionFailed,
  OutcomeForgotten,
  OutcomeUnknown,
  ReplicaStopped,
  StateFull,
  Superseded,
  TooManyReads,
} from "../raft/outcomes.ts";
import type { Replica } from "../raft/replica.ts";
import type { Deployment } from "./deployment.ts";

/** How long a client waits for a majority; several elections fit. */
export const agreementWaitMs = 10_000;

/** Between one attempt and the next. */
const pauseMs = 50;

export interface Command {
  readonly key: string;
  /** undefined deletes the key. */
  readonly value: StateValue | undefined;
  readonly id: CommandId;
  /** The command is carried out only if this is the value before; undefined: whatever it is. */
  readonly expected: StateValue | undefined;
  /** Carried out only if there is no value before; not for commands of which another host is asked. */
  readonly isNew?: boolean;
}

export interface CommandGroup {
  readonly replica: Replica;
  readonly deployment: Deployment;
  /** Asks the leader, if it is another host and known; `undefined` when there is nobody to ask. Rejects with `ApiFailure`. */
  askLeader(command: Command, timeoutMs: number): Promise<Committed> | undefined;
}

/**
 * Resolves once the command is committed and applied by the leader. `isForwarded`: another host asks, and asks again if need be, so one attempt is made.
 * Rejects with an `ApiFailure`; one with the code `timeout` means that the command may still be carried out.
 */
export async function carryOut(
  group: CommandGroup,
  command: Command,
  isForwarded: boolean,
): Promise<Committed> {
  const deadlineMs = performance.now() + agreementWaitMs;
  let isUnknown = false;
  let last: ApiFailure | undefined;
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0)
      throw isUnknown ? outcomeUnknown(group.replica, command) : (last ?? notLeading(group.replica));
    try {
      if (group.replica.isLeader) return await agree(group, group.replica, command, leftMs);
      if (isForwarded) throw notLeading(group.replica);
      const asked = group.askLeader(command, leftMs);
      if (asked !== undefined) return await asked;
    } catch (error) {
      const failure = explain(group.replica, command, error);
      if (!(failure instanceof ApiFailure) || isForwarded) throw failure;
      if (failure.code !== "not-leader" && failure.code !== "timeout") throw failure;
      last = failure;
      isUnknown ||= failure.code === "timeout";
    }
    await sleep(pauseMs);
  }
}

async function agree(
  { deployment }: CommandGroup,
  replica: Replica,
  { key, value, id, expected, isNew = false }: Command,
  timeoutMs: number,
): Promise<Committed> {
  let isProposed = false;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(isProposed ? new TooLate() : new NotLeader(undefined)), timeoutMs);
  });
  try {
    await Promise.race([deployment.proposed(replica), tooLate]);
    const condition = expected === undefined && !isNew ? {} : { expected: { value: expected } };
    const committed = replica.propose({ key, value, id, ...condition });
    isProposed = true;
    return await Promise.race([committed, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Several changes in one entry, while this host leads: all are carried out or none. One attempt; rejects with an `ApiFailure`, of which `timeout`
 * means that they may still be.
 */
export async function carryOutAll(
  { replica, deployment }: Pick<CommandGroup, "replica" | "deployment">,
  puts: readonly ExpectedPut[],
): Promise<Committed> {
  const id = replica.newCommandId();
  try {
    if (!replica.isLeader) throw notLeading(replica);
    await deployment.proposed(replica);
    return await replica.proposeAll({ puts, id });
  } catch (error) {
    throw explainAll(replica, id, error);
  }
}

/** What becomes of an error on the way of several changes that go together: an `ApiFailure` where there is something to say. */
export function explainAll(replica: Replica, id: CommandId, error: unknown): unknown {
  return explain(replica, { key: "", value: undefined, id, expected: undefined }, error);
}

/** No majority agreed in time. */
class TooLate extends Error {}

function outcomeUnknown(replica: Replica, { key, id }: Command): ApiFailure {
  if (key === "") {
    const what = `No majority has agreed yet (${describeVoters(replica)})`;
    return new ApiFailure(
      "timeout",
      `${what}; all of it may still happen, or nothing: look before you try again.`,
    );
  }
  return new ApiFailure(
    "timeout",
    `No majority agreed within ${agreementWaitMs / 1_000} s (${describeVoters(replica)}); the change may still happen, ` +
      `so look with "covey get ${key}", or repeat it with the same idempotency-key ${commandIdToText(id)}.`,
  );
}

export const notLeadingMessage =
  "This swarm has no leader at the moment, or none that a majority confirms; try again when it has one.";

export function notLeading(replica: Replica): ApiFailure {
  const what = `This swarm has no leader at the moment (${describeVoters(replica)})`;
  return new ApiFailure("not-leader", `${what}; nothing was changed, try again when it has one.`);
}

function explain(replica: Replica, command: Command, error: unknown): unknown {
  if (error instanceof NotLeader) return notLeading(replica);
  if (error instanceof OutcomeUnknown || error instanceof TooLate) return outcomeUnknown(replica, command);
  if (error instanceof ConditionFailed) {
    const found = foundText(error.found);
    return new ApiFailure("unexpected-value", `${error.key} is ${found} by now; nothing was changed.`);
  }
  if (error instanceof OutcomeForgotten) return new ApiFailure("forgotten", error.message);
  if (
    error instanceof Superseded ||
    error instanceof ReplicaStopped ||
    error instanceof ProposalQueueFull ||
    error instanceof TransferUnderWay ||
    error instanceof TooManyReads
  ) {
    return new ApiFailure("not-leader", error.message);
  }
  if (error instanceof EntryTooLarge || error instanceof MembershipRefused || error instanceof StateFull) {
    return new ApiFailure("out-of-limits", error.message);
  }
  return error;
}

function foundText(found: StateValue | undefined): string {
  if (found === undefined) return "nothing";
  return found instanceof Uint8Array ? `another one of ${found.length} bytes` : JSON.stringify(found);
}

/** `2 of 3 voters answer`, as far as this host knows. */
export function describeVoters(replica: Replica): string {
  const { id, role, voters, members } = replica.status();
  if (replica.isBlank) return "this host waits for the others to answer";
  if (role !== "leader") return `this host knows ${voters.length} voters`;
  const heard = new Set(
    members.filter(({ silentMs }) => silentMs !== undefined && silentMs < heardWithinMs).map((m) => m.id),
  );
  const present = voters.filter((voter) => voter === id || heard.has(voter)).length;
  return `${present} of ${voters.length} voters answer`;
}

/** A member that was heard of within this answers: twelve heartbeats. */
export const heardWithinMs = 3_000;
