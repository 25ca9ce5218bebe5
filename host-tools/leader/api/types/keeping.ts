/** What `/api/keep` answers. */

/** Answer of `GET /api/keep`. */
export interface KeepStatus {
  /** Those of which something is kept. */
  readonly boards: readonly KeptBoardStatus[];
  readonly keepers: readonly KeeperStatus[];
  /** Blocks that each host has taken and not placed, and those that it had no room for, since it has its disk. */
  readonly hosts: readonly KeepHostStatus[];
  /** Of the host that leads, since it began. */
  readonly mending: {
    readonly isBusy: boolean;
    readonly copied: number;
    readonly copiedBytes: number;
    /** Blocks that a board listed and none gave whole. */
    readonly unreadable: number;
  };
  readonly restored?: KeepRestored | undefined;
}

export interface KeptBoardStatus {
  readonly board: string;
  readonly metrics: readonly string[];
  /** As many as are wanted, and as are whole. */
  readonly copies: number;
  readonly whole: number;
  readonly keepers: readonly {
    readonly board: string;
    readonly zone: string;
    /** `behind`: it is being given what it lacks. `away`: it is not connected, whole or not. */
    readonly state: "whole" | "behind" | "away";
    readonly isWhole: boolean;
    /** Blocks that it lacked when it was last looked at; undefined while it was not. */
    readonly missing: number | undefined;
  }[];
  /** On all keepers together, when they were last listed; each counts once. */
  readonly blocks: number;
  /** About, by the mean block of the host that answers. */
  readonly bytes: number;
  /** Why there are too few whole copies; absent when there are enough, or soon will be. */
  readonly reason?: string;
}

export interface KeeperStatus {
  readonly board: string;
  readonly zone: string;
  readonly link: "up" | "down";
  readonly isDrained: boolean;
  /** Boards whose readings it keeps. */
  readonly of: readonly string[];
  /** Of flash, when it was last listed; undefined before. */
  readonly bytes: number | undefined;
  readonly usedBytes: number | undefined;
  /** For each block that comes its oldest goes. */
  readonly isFull: boolean;
  /** Blocks that were found damaged when it was last listed. */
  readonly damaged: number;
  /** Why it keeps nothing: no-room, sleeps, flash. */
  readonly refusal?: string;
}

export interface KeepHostStatus {
  readonly host: string;
  readonly waiting: number;
  /** Gave way while some of their keepers had them. */
  readonly short: number;
  /** No board has these. */
  readonly lost: number;
}

export interface KeepRestored {
  /** Counts them, since the host that leads began. */
  readonly number: number;
  readonly state: "running" | "done" | "failed";
  readonly series: number;
  readonly seriesDone: number;
  readonly blocks: number;
  /** Readings that the host that leads did not have. */
  readonly readings: number;
  /** Blocks that are listed and that nobody gave. */
  readonly missing: number;
  /** That were given the readings. */
  readonly hosts: readonly string[];
  /** Boards that said what they keep. */
  readonly boards: readonly string[];
  readonly reason?: string;
}

/** Blocks of a host that are counted as lost no more. */
export interface KeepAccepted {
  readonly host: string;
  /** On fewer boards than they ought to be. */
  readonly short: number;
  /** On no board. */
  readonly lost: number;
}
