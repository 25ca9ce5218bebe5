/**
 * Whether a board may run its program. One that crashes again and again stops: after `crashesMax` crashes, none of them after
 * a quiet `quietMs`, it boots into safe mode, where outputs are at their safe values and all else works, so that a new program or
 * an update can mend it. It leaves safe mode when a new program is committed, or restarts after `safeModeMs` without a crash.
 * Crashes are counted in flash, and only crashes are: a power cut is none.
 */
import type { StartReason } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";

export const crashLimits = Object.freeze({
  crashesMax: 3,
  /** A board that ran for so long has recovered from the crashes before. */
  quietMs: 600_000,
  safeModeMs: 3_600_000,
});

export class CrashLoop {
  readonly #store: BoardStore;
  readonly #log: BoardLog;
  #isSafe: boolean;
  /** When the board has been quiet for long enough; Infinity when nothing hangs on it. */
  #dueMs = Infinity;

  /** `reason` is why the board started; undefined when the platform cannot say. */
  constructor(store: BoardStore, log: BoardLog, reason: StartReason | undefined, nowMs: number) {
    this.#store = store;
    this.#log = log;
    // The engine or the chip gave up, and could not note it.
    if (reason === "crash" || reason === "watchdog") store.noteCrashes(store.crashes + 1);
    const { crashes } = store;
    this.#isSafe = crashes >= crashLimits.crashesMax;
    if (crashes === 0) return;
    this.#dueMs = nowMs + (this.#isSafe ? crashLimits.safeModeMs : crashLimits.quietMs);
    if (this.#isSafe) log.write("error", "safe-mode", "crashes", crashes);
    else log.write("warn", "crashed-before", "crashes", crashes);
  }

  /** Whether the program must not run. */
  get isSafe(): boolean {
    return this.#isSafe;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** True when the board should restart, to try its program again. */
  run(nowMs: number): boolean {
    if (nowMs < this.#dueMs) return false;
    this.#dueMs = Infinity;
    this.#store.noteCrashes(0);
    return this.#isSafe;
  }

  /** A new program is committed, which ends safe mode. */
  onNewProgram(): void {
    if (!this.#isSafe) return;
    this.#isSafe = false;
    this.#dueMs = Infinity;
    this.#store.noteCrashes(0);
    this.#log.write("info", "safe-mode-ends");
  }
}
