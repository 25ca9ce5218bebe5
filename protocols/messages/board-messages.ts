/**
 * What a board and a host say to each other beside Raft: who I am, what I measured, how I am.
 *
 * Every payload is a CBOR array whose first item is the version; a receiver refuses a version that it does not know and ignores items
 * beyond those it knows, so a newer board can say more to an older host. Times are the board's own monotonic
 * milliseconds; `sentMs` in the same message lets the host place them on its clock: at = received - (sentMs - takenMs).
 */
export const messageVersion = 1;

/** Topics. `covey/<swarm>/up/<board>/<channel>` from a board, `covey/<swarm>/down/<board>/raft` to it. */
export const channels = Object.freeze({
  hello: "hello",
  raft: "raft",
  report: "report",
  health: "health",
  gone: "gone",
});

export type UpChannel = "hello" | "raft" | "report" | "health" | "gone";

/** First message on every connection. Array: [version, memberId, model, firmware, term, lastIndex, appliedIndex]. */
export interface Hello {
  /** `board.incarnation`. */
  readonly memberId: string;
  readonly model: string;
  /** Version of the firmware, for example `0.1.0`. */
  readonly firmware: string;
  readonly term: number;
  readonly lastIndex: number;
  readonly appliedIndex: number;
}

/** 0 good; 1 the sensor gave nothing (value is NaN). More in later versions. */
export type Quality = 0 | 1;

export interface Reading {
  readonly metric: string;
  readonly takenMs: number;
  readonly value: number;
  readonly quality: Quality;
}

/** Array: [version, sentMs, sequence, [[metric, takenMs, value, quality], ...]]. */
export interface Report {
  readonly sentMs: number;
  /** Counts the board's reports since it booted, from 0, so that a gap shows. */
  readonly sequence: number;
  /** At most `messageLimits.readingsMax`. */
  readonly readings: readonly Reading[];
}

/** What decides an output's value at the moment. */
export type OutputCause = "safe" | "setting" | "rule";

export interface OutputState {
  readonly name: string;
  readonly value: number;
  readonly cause: OutputCause;
}

/**
 * Array: [version, sentMs, uptimeMs, term, lastIndex, commitIndex, appliedIndex, heapUsedBytes, heapPeakBytes, arenaBytes,
 * samplesIn, reportsOut, readingsDropped, reconnects, [[output, value, cause 0 safe | 1 setting | 2 rule], ...]].
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
}

export const messageLimits = Object.freeze({
  /** Bytes of any payload, both ways. */
  payloadBytesMax: 4096,
  readingsMax: 32,
  outputsMax: 16,
});
