/** What `/api/registers` answers. */
import type { RegisterDefinition } from "../../../swarm-file/definition.ts";

/** Of a register, as the log has it: boards may have agreed on another since, and not told yet. */
export interface RegisterStatus {
  readonly value: number | string | boolean;
  readonly unit: string;
  /** Counts its changes; 0 while it has its initial value. */
  readonly version: number;
  /** The board that proposed it; "" for nobody. */
  readonly by: string;
  /** Unix milliseconds at that board; undefined where it did not know them. */
  readonly atMs: number | undefined;
  /** Log index of the entry that says so, or a later one; 0 for none yet. */
  readonly index: number;
  /** Its type and limits, as `swarm.ts` defines them. */
  readonly takes: RegisterDefinition;
  /** The names that it takes, beside "" for nobody; absent where it does not hold a name. */
  readonly choices?: readonly string[];
}

export interface RegistersStatus {
  readonly group: RegisterGroupStatus;
  readonly registers: Readonly<Record<string, RegisterStatus>>;
}

/** Who agrees. */
export interface RegisterGroupStatus {
  /** `none`: not all boards were here yet. `closing`: another group is to follow, and until then nothing changes. */
  readonly phase: "none" | "open" | "closing";
  readonly epoch: number;
  readonly majority: number;
  /** The boards of `swarm.ts`. */
  readonly members: readonly RegisterMemberStatus[];
  /** Boards that were never here, without which no group is agreed on. */
  readonly missing: readonly string[];
}

export interface RegisterMemberStatus {
  readonly board: string;
  readonly link: "up" | "down";
  /** False where it was declared since, or has lost its memory. */
  readonly isMember: boolean;
  /** Of a group that is closing: it has told what it accepted. */
  readonly hasClosed: boolean;
  /** Changes that it forgot before it could tell them: it keeps 16. */
  readonly lost: number;
}

/** As a majority of the boards has it; `via` is the one that asked them. */
export interface RegisterRead extends Pick<RegisterStatus, "value" | "version" | "by" | "atMs"> {
  readonly name: string;
  readonly via: string;
}

/** The last changes of a register, the oldest first; those up to version `floor` are not kept any more. */
export interface RegisterChanges {
  readonly name: string;
  readonly floor: number;
  readonly changes: readonly Pick<RegisterStatus, "value" | "version" | "by" | "atMs">[];
}
