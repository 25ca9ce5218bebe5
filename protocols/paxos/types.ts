/**
 * The nouns of registers: a few named values that a group of boards agrees on over its LAN, without any host, by CASPaxos (Rystsov, "CASPaxos: Replicated State
 * Machines without logs", arXiv 1802.07000, 2018): each register is single-decree Paxos repeated, over a state that every change replaces by the next one.
 */
import { programLimits } from "../pipeline/program.ts";
import type { MemberId } from "../raft/types.ts";
import { reservedKeyPrefix } from "../state/command.ts";
import { utf8Length } from "../text/utf8.ts";

/** Under which the swarm agrees on who votes about which registers: `group.ts`. */
export const groupKey = `${reservedKeyPrefix}registers`;

/** `covey/register/NAME`: the log's copy of a register: `copy.ts`. */
export const copyKeyPrefix = `${reservedKeyPrefix}register/`;

export const registerLimits = Object.freeze({
  /** Of a group: an odd number, so that one more would bear no more losses. */
  membersMax: 7,
  registersMax: 8,
  /** Characters of a register's name: that of its copy's key fits 48. */
  nameLengthMax: programLimits.nameLengthMax,
  /** UTF-8 bytes of a value that is a text. */
  textBytesMax: 32,
  epochMax: 0xffff_ffff,
  versionMax: 0xffff_ffff,
  /** Requests are 32 bits that whoever makes one draws at random. */
  requestMax: 0xffff_ffff,
  /** States that are chosen and that no leader has recorded yet, at one board. */
  untoldMax: 16,
  /** Changes of one register at one member at a time: the one that goes on, and those that wait. */
  changesMax: 4,
  /** Outcomes that a member remembers, for who asks again. */
  outcomesMax: 8,
  /** What a member keeps over a power cut, in bytes. */
  keptBytesMax: 1_900,
  /** A datagram, unsealed. */
  messageBytesMax: 256,
});

/** `coordinator`: the name of a member of the group, or "". */
export type RegisterKind = "flag" | "number" | "text" | "coordinator";

export type RegisterValue = boolean | number | string;

export interface RegisterDefinition {
  readonly name: string;
  readonly kind: RegisterKind;
  /** Of a number: the least and the greatest that it may be; 0 otherwise. */
  readonly min: number;
  readonly max: number;
}

/** What a register is, once it is chosen; no two states of one register that are ever chosen have the same version. */
export interface RegisterState {
  /** Counts its changes from 1; 0 for the initial value. */
  readonly version: number;
  readonly value: RegisterValue;
  /** The board whose change this was; "" for nobody's. */
  readonly by: string;
  /** Its own number of the change, so that a change that is tried again is made once. */
  readonly request: number;
  /** Unix milliseconds at that board when it began; 0 where it did not know them. */
  readonly atMs: number;
}

/** A state that a majority of the group of that epoch has accepted, or with which the epoch began. */
export interface Chosen {
  readonly register: string;
  readonly epoch: number;
  readonly state: RegisterState;
}

/** Who votes, and on what; `covey/registers` in the agreed state, which only a leader changes: `group.ts` says how. */
export interface Group {
  /** Counts the groups from 1. */
  readonly epoch: number;
  /** Its members promise and accept nothing any more, and tell the leader what they have accepted. */
  readonly isClosing: boolean;
  /** `board.incarnation`: who has lost its memory is somebody new. A member's place here is part of its ballots. */
  readonly members: readonly MemberId[];
  readonly registers: readonly RegisterDefinition[];
  /** With which each register began in this epoch. */
  readonly base: readonly RegisterState[];
}

/** What a member that has closed accepted last, of each register of its epoch. */
export interface Accepted {
  /** 0 for what the epoch began with. */
  readonly ballot: number;
  readonly state: RegisterState;
}

/** A change of a register that a member is asked for. */
export interface Change {
  readonly register: string;
  /** Drawn at random for this change; the same when it is asked for again. */
  readonly request: number;
  /** undefined: it is only read. */
  readonly value: RegisterValue | undefined;
  /** It is made only in place of this version; undefined for any. */
  readonly ifVersion: number | undefined;
  /** Unix milliseconds; 0 where they are not known. */
  readonly atMs: number;
  /** On the clock of the board: then it gives up. */
  readonly deadlineMs: number;
}

/**
 * `done`: it is so, once, and a majority holds it; of a read, this is the state. `conflict`: the version was another, and nothing was changed. `unknown`: it may have
 * been made, or may yet be, at most once. `unreached`: no majority answered, and nothing was changed. `refused`: there is no such register here, or the value does
 * not fit it. `busy`: too many changes wait already.
 */
export type OutcomeKind = "done" | "conflict" | "unknown" | "unreached" | "refused" | "busy";

export interface Outcome {
  readonly register: string;
  readonly request: number;
  readonly kind: OutcomeKind;
  /** Of `done` what it is now, of `conflict` what was found; undefined otherwise. */
  readonly state: RegisterState | undefined;
}

/** Whether a register may have this value. */
export function fits({ kind, min, max }: RegisterDefinition, value: RegisterValue): boolean {
  if (kind === "flag") return typeof value === "boolean";
  if (kind === "number") return typeof value === "number" && value >= min && value <= max;
  if (typeof value !== "string") return false;
  const bytes = utf8Length(value);
  return bytes >= 0 && bytes <= registerLimits.textBytesMax;
}

/** Of so many members; a group of none has no majority. */
export function majorityOf(members: number): number {
  return Math.floor(members / 2) + 1;
}
