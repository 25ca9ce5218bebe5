/** Why a host's core refuses a proposal. The name is a getter because an assignment would fail on a preloaded class. */
import type { MemberId } from "./types.ts";

/** Only the leader takes proposals. */
export class NotLeader extends Error {
  /** Whom to ask instead, when it is known. */
  readonly leaderId: MemberId | undefined;

  constructor(leaderId: MemberId | undefined) {
    super(
      leaderId === undefined
        ? "There is no leader at the moment: try again when one is elected."
        : `This host does not lead: ask ${leaderId}.`,
    );
    this.leaderId = leaderId;
  }

  override get name(): string {
    return "NotLeader";
  }
}

/** Too many entries wait for a majority. */
export class ProposalQueueFull extends Error {
  readonly waiting: number;

  constructor(waiting: number) {
    super(`${waiting} entries wait for a majority of the voters: try again when they are committed.`);
    this.waiting = waiting;
  }

  override get name(): string {
    return "ProposalQueueFull";
  }
}

/** The entry is beyond `limits.entryBytesMax`. */
export class EntryTooLarge extends Error {
  readonly bytes: number;

  constructor(bytes: number, bytesMax: number) {
    super(`The entry has ${bytes} bytes of data: at most ${bytesMax} are allowed, so put less into it.`);
    this.bytes = bytes;
  }

  override get name(): string {
    return "EntryTooLarge";
  }
}

/** The leader is handing over to another host, and takes nothing new until that is done or given up. */
export class TransferUnderWay extends Error {
  readonly to: MemberId;

  constructor(to: MemberId) {
    super(`Leadership is passing to ${to}: try again in a moment.`);
    this.to = to;
  }

  override get name(): string {
    return "TransferUnderWay";
  }
}

/** Leadership cannot go to this member; the message says why. */
export class TransferRefused extends Error {
  override get name(): string {
    return "TransferRefused";
  }
}

/** A change of the voters that would not be safe (thesis, section 4.1) or not possible; the message says why. */
export class MembershipRefused extends Error {
  override get name(): string {
    return "MembershipRefused";
  }
}
