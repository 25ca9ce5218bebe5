/**
 * What a board and a host say to each other beside Raft: who I am, what I measured, how I am.
 *
 * Every payload is a CBOR array whose first item is the version; a receiver refuses a version that it does not know and ignores items
 * beyond those it knows, so a newer board can say more to an older host. Times are the board's own monotonic
 * milliseconds; `sentMs` in the same message lets the host place them on its clock: at = received - (sentMs - takenMs).
 *
 * A host answers some of the health messages with the time: the first ones of a connection, then one a minute. The board knows
 * when it sent that message and when the answer came, so that this is a whole exchange for one small message (`SessionClock`).
 */
import type { MetricBlock } from "../series/block.ts";

export const messageVersion = 1;

/** The last part of the topics of a board: `topics.ts`. */
export const channels = Object.freeze({
  edhoc: "edhoc",
  hello: "hello",
  raft: "raft",
  report: "report",
  health: "health",
  update: "update",
  query: "query",
  action: "action",
  lease: "lease",
  turn: "turn",
  keep: "keep",
  register: "register",
  gone: "gone",
});

/** What a board says within its session. */
export type SealedChannel =
  | "hello"
  | "raft"
  | "report"
  | "health"
  | "update"
  | "query"
  | "action"
  | "lease"
  | "turn"
  | "keep"
  | "register";
export type UpChannel = "edhoc" | SealedChannel | "gone";
export type DownChannel =
  | "edhoc"
  | "raft"
  | "time"
  | "group"
  | "update"
  | "query"
  | "lease"
  | "keep"
  | "register";

/** First message on every connection. Array: [version, memberId, model, firmware, term, lastIndex, appliedIndex, startId]. */
export interface Hello {
  /** `board.incarnation`. */
  readonly memberId: string;
  readonly model: string;
  /** Version of the firmware, for example `0.1.0`. */
  readonly firmware: string;
  readonly term: number;
  readonly lastIndex: number;
  readonly appliedIndex: number;
  /** Drawn at random at each start of the firmware: 32 bits. One that comes back after a later one betrays a second device of the same identity. */
  readonly startId: number;
}

/**
 * What a reading is worth: 0 good; 1 the sensor gave nothing (value is NaN); 2 out of range; 3 stuck at one value; 4 good, but
 * samples before it were missed, because the board came late by a period or more. Of 2 and 3 the value is the one refused.
 */
export type Quality = 0 | 1 | 2 | 3 | 4;

export interface Reading {
  readonly metric: string;
  readonly takenMs: number;
  readonly value: number;
  readonly quality: Quality;
}

/** Array: [version, sentMs, sequence, [[metric, takenMs, value, quality], ...], [block, ...]]; a block as in `protocols/series/block.ts`. */
export interface Report {
  readonly sentMs: number;
  /** Counts the board's reports since it booted, from 0, so that a gap shows. */
  readonly sequence: number;
  /** At most `messageLimits.readingsMax`. */
  readonly readings: readonly Reading[];
  /** Readings in blocks, at most `messageLimits.blocksMax`. */
  readonly blocks: readonly MetricBlock[];
}

/**
 * What decides an output's value at the moment. The last two are younger than the others: only a host that knows them commits what leads to them.
 */
export type OutputCause = "safe" | "setting" | "rule" | "schedule" | "action";

export interface OutputState {
  readonly name: string;
  readonly value: number;
  readonly cause: OutputCause;
}

/**
 * Array: [version, sentMs, uptimeMs, term, lastIndex, commitIndex, appliedIndex, heapUsedBytes, heapPeakBytes, arenaBytes,
 * samplesIn, reportsOut, readingsDropped, reconnects, [[output, value, cause 0 safe | 1 setting | 2 rule | 3 schedule | 4 action], ...],
 * wallMs, timeBoundMs, device, firmware, contact]; of the last five, what the board does not know is null, or left out at the end.
 */
export interface Health {
  readonly sentMs: number;
  readonly uptimeMs: number;
  readonly term: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly heapUsedBytes: number;
  readonly heapPeakBytes: number;
  readonly arenaBytes: number;
  readonly samplesIn: number;
  readonly reportsOut: number;
  readonly readingsDropped: number;
  readonly reconnects: number;
  readonly outputs: readonly OutputState[];
  /** The time on the wall at `sentMs`, in Unix milliseconds; undefined while the board does not know it. */
  readonly wallMs?: number | undefined;
  /** `wallMs` is off by this at most. */
  readonly timeBoundMs?: number | undefined;
  /** Undefined for a board of an older firmware. */
  readonly device?: DeviceHealth | undefined;
  /** Undefined where there are no updates. */
  readonly firmware?: FirmwareHealth | undefined;
  /** The number of the contact by which the board is here: `protocols/provisioning/contact.ts`. Undefined where it keeps none. */
  readonly contact?: number | undefined;
}

/** What the board runs, and how far the release that it is to run has come. Array: [sequence, target, stage, percent, reason or null]. */
export interface FirmwareHealth {
  /** Of the release that runs and has proved to work; 0 for a firmware that came by cable. On trial, of the one before it. */
  readonly sequence: number;
  /** Of the release that the board is to run; 0 for none. */
  readonly target: number;
  readonly stage: FirmwareStage;
  /** Of the target's image that is in the flash: 0 to 100. */
  readonly percent: number;
  /** Why the target is not run: of `refused` and `rolled-back`. */
  readonly reason: string | undefined;
}

/**
 * `steady`: it runs what it is to run. `fetching`: the image comes. `ready`: it is complete and checked, and the restart is near. `trial`: it runs, and has not
 * caught up with the swarm yet. `rolled-back`: it ran, did not catch up, and the one before runs again. `refused`: it is for another board, older than what runs, or not signed.
 */
export type FirmwareStage = "steady" | "fetching" | "ready" | "trial" | "rolled-back" | "refused";

/**
 * How the device itself is. Array: [safe mode, crashes, loopDelayMs, sectorErases, sectors, checkpointsRefused,
 * stackPeakSlots, recordsRefused].
 */
export interface DeviceHealth {
  /** It crashed again and again and runs no program: outputs are at their safe values. */
  readonly isSafe: boolean;
  /** In a row. */
  readonly crashes: number;
  /** By how much a timer came too late, at most, since the last health message. */
  readonly loopDelayMs: number;
  /** Of its log's flash since that was new, over all `sectors`. */
  readonly sectorErases: number;
  readonly sectors: number;
  /** Checkpoints since it booted that its flash had no room for. */
  readonly checkpointsRefused: number;
  /** The deepest that the JavaScript stack ever was; 0 where that is not known. */
  readonly stackPeakSlots: number;
  /** Records and publications since it booted that did not open, and messages that were not their sender's to send. */
  readonly recordsRefused: number;
}

/** The answer to a health message. Array: [version, askedMs, toldMs]. */
export interface TimeAnswer {
  /** `sentMs` of the health message. */
  readonly askedMs: number;
  /** Unix milliseconds, rounded down, between its arrival and the sending of this. */
  readonly toldMs: number;
}

export const messageLimits = Object.freeze({
  /** Bytes of any payload, both ways. */
  payloadBytesMax: 4096,
  readingsMax: 32,
  blocksMax: 4,
  outputsMax: 16,
  /** UTF-8 bytes of why a release is not run. */
  reasonBytesMax: 96,
});
