/** How a command or a read can end, other than well. */
import type { StateValue } from "../../../protocols/state/command.ts";

/** Told once, perhaps before the call that asked for it returns. */
export type Done<T> = (outcome: T | Error) => void;

/** Where a command stands in the log; it is applied here. */
export interface Committed {
  readonly index: number;
  /** undefined for a command that was applied so long ago that the log no longer holds it. */
  readonly term: number | undefined;
}

/** Another leader's entry stands where the proposed one was to be: it was not carried out, and may be proposed again. */
export class Superseded extends Error {
  override readonly name = "Superseded";
  readonly index: number;

  constructor(index: number) {
    super(`A new leader replaced entry ${index} before it was committed: propose it again.`);
    this.index = index;
  }
}

/**
 * This host led when the entry was proposed and leads no more, for want of a majority or because another does: whether the entry is carried out is not
 * known here. A command with an id may be proposed again to whoever leads: it is applied once.
 */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
  readonly index: number;

  constructor(index: number) {
    super(
      `This host stopped leading before entry ${index} was agreed on; it may still be: look before you propose it again.`,
    );
    this.index = index;
  }
}

/**
 * The command is so old that nobody remembers any more whether it was applied; it is not applied now. Read the value and decide; then it is a
 * new command, with a new id.
 */
export class OutcomeForgotten extends Error {
  override readonly name = "OutcomeForgotten";
  readonly after: number;
  /** Commands that stand in the log at or before this index may be forgotten. */
  readonly floor: number;

  constructor(after: number, floor: number) {
    super(
      `The command was first tried after entry ${after}, and commands up to entry ${floor} may be forgotten: ` +
        "whether it was applied is not known. Read the value, and give a new command if it is still needed.",
    );
    this.after = after;
    this.floor = floor;
  }
}

/** The key did not have the expected value; nothing was changed. */
export class ConditionFailed extends Error {
  override readonly name = "ConditionFailed";
  readonly key: string;
  /** What the key had instead, at `index`; undefined for nothing. */
  readonly found: StateValue | undefined;
  readonly index: number;

  constructor(key: string, found: StateValue | undefined, index: number) {
    super(
      `${key} does not have the expected value at entry ${index}: nothing was changed. Read it and decide again.`,
    );
    this.key = key;
    this.found = found;
    this.index = index;
  }
}

/** The state holds as many keys as it may. */
export class StateFull extends Error {
  override readonly name = "StateFull";

  constructor(key: string, keysMax: number) {
    super(
      `${key} would be a new key, and the swarm's state holds ${keysMax}, which is the most: delete another first.`,
    );
  }
}

/** This host takes no part any more; what was proposed may or may not be committed by others. */
export class ReplicaStopped extends Error {
  override readonly name = "ReplicaStopped";

  constructor() {
    super("This host is stopping: ask again when it, or another, leads.");
  }
}

/** As many reads as may wait do. */
export class TooManyReads extends Error {
  override readonly name = "TooManyReads";

  constructor(readsMax: number) {
    super(`${readsMax} reads wait for a majority of the voters: try again when they are answered.`);
  }
}

/** The log on this disk is of another host. */
export class ForeignLog extends Error {
  override readonly name = "ForeignLog";

  constructor(owner: string, hostName: string) {
    super(`The Raft log belongs to host ${owner}, not ${hostName}: start this host with its own folder.`);
  }
}
