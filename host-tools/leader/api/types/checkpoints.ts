/** What `/api/checkpoints` answers. */

/** `GET /api/checkpoints`, the oldest first. */
export interface CheckpointListed {
  readonly name: string;
  readonly by: string;
  /** ISO 8601. */
  readonly time: string;
  /** Made before a restore; the oldest of them go first. */
  readonly isAutomatic: boolean;
  /** Whether its digest is agreed on; until then nothing can be done with it. */
  readonly isComplete: boolean;
  /** The state behind this entry of the log, and its term; 0 until it is complete. */
  readonly index: number;
  readonly term: number;
  /** SHA-256 of its content, hexadecimal. */
  readonly digest: string;
  /** What each connected host has on its disk. */
  readonly copies: Readonly<Record<string, "whole" | "damaged" | "missing">>;
}

export interface CheckpointListing {
  readonly checkpoints: readonly CheckpointListed[];
  /** What was restored last, by whom and when; undefined for nothing ever. */
  readonly restored?: string | undefined;
  /** What is being restored; undefined for nothing. */
  readonly restoring?: RestoreUnderWay | undefined;
}

/** `GET /api/checkpoints/restore`, where something is being restored. */
export interface RestoreUnderWay {
  readonly name: string;
  readonly by: string;
  /** Of its draft: how many are agreed on, of how many; 0 of 0 before the first, and where one entry holds all of it. */
  readonly pieces: number;
  readonly of: number;
}

export interface StateDifference {
  readonly part: "settings" | "programs" | "models" | "voters" | "releases" | "own";
  readonly key: string;
  /** `fan.duty: 40 -> 55`. */
  readonly text: string;
}

/** `GET /api/checkpoints/diff?from=now&to=NAME`. */
export interface CheckpointDifference {
  readonly from: string;
  readonly to: string;
  /** All that differs. */
  readonly differences: readonly StateDifference[];
  /** What would not come back, and why. */
  readonly leftOut: readonly string[];
  /** If `to` was restored where `from` is the state. */
  readonly restore: {
    readonly changes: readonly StateDifference[];
    /** To be said again when it is to be done. */
    readonly digest: string;
    readonly keys: number;
    readonly bytes: number;
    /** Entries of the log that this takes: the last one changes all of it, and those before it are a draft of it. */
    readonly entries: number;
    /** Whether it can be agreed on at once, which is the only way. */
    readonly fits: boolean;
    /** Why not: a sentence. */
    readonly objection?: string;
  };
}

/** `PUT /api/checkpoints/restore`. */
export interface CheckpointRestored {
  readonly name: string;
  /** Keys; 0: the state was so already. */
  readonly changed: number;
  readonly leftOut: readonly string[];
  /** Of the one entry that changed all of them. */
  readonly index?: number;
  /** How many it took: with those of the draft. */
  readonly entries?: number;
  /** The checkpoint of the state before. */
  readonly saved?: string;
}
