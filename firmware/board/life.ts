/**
 * Where a board is in its life, and whether it may run its program.
 *
 * ```
 *   boot ---> offline ---> linking ---> joining ---> catching-up ---> running
 *  (flash,      ^ network     ^ TCP, MQTT  | hello        | the log agrees      |
 *  identity,    | down        |            | said         | with the leader's   |
 *  program)     |             |            |              |                     |
 *               +-------------+---- link lost ------------+---------------------+
 * ```
 *
 * The program runs from boot on, in every state: it needs no leader. Only a board that crashes again and again stops running it:
 * after `crashesMax` crashes, none of them after a quiet `quietMs`, it boots into safe mode, where outputs are at their safe
 * values and all else works, so that a new program or an update can mend it. It leaves safe mode when a new program is
 * committed, or restarts after `safeModeMs` without a crash. Crashes are counted in flash, and only crashes are: a power cut is none.
 */
import type { LogLevel, StartReason } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";
import type { LinkState } from "./link.ts";

export const lifeLimits = Object.freeze({
  crashesMax: 3,
  /** A board that ran for so long has recovered from the crashes before. */
  quietMs: 600_000,
  safeModeMs: 3_600_000,
});

export type LifeState = "boot" | "offline" | "linking" | "joining" | "catching-up" | "running" | "halted";

export class Life {
  readonly #store: BoardStore;
  readonly #log: BoardLog;
  #state: LifeState = "boot";
  #isSafe: boolean;
  /** When the board has been quiet for long enough; Infinity when nothing hangs on it. */
  #dueMs = Infinity;

  /** `reason` is why the board started; undefined when the platform cannot say. */
  constructor(store: BoardStore, log: BoardLog, reason: StartReason | undefined, nowMs: number) {
    this.#store = store;
    this.#log = log;
    // The engine or the chip gave up, and could not note it.
    if (reason === "crash" || reason === "watchdog") store.noteCrashes(store.crashes + 1);
    this.#isSafe = store.crashes >= lifeLimits.crashesMax;
    if (store.crashes > 0) {
      this.#dueMs = nowMs + (this.#isSafe ? lifeLimits.safeModeMs : lifeLimits.quietMs);
      this.#log.write(
        this.#isSafe ? "error" : "warn",
        this.#isSafe ? "safe-mode" : "crashed-before",
        "crashes",
        store.crashes,
      );
    }
  }

  get state(): LifeState {
    return this.#state;
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

  onLink(link: LinkState): void {
    if (this.#state === "halted") return;
    const isLive = this.#state === "catching-up" || this.#state === "running";
    if (link === "joined") {
      if (!isLive) this.#enter("catching-up", "info");
    } else if (link === "joining") {
      this.#enter("joining", "debug");
    } else {
      this.#enter(link === "offline" ? "offline" : "linking", "debug");
    }
  }

  /** The board's log agrees with the leader's, and all that is committed is applied. */
  onCaughtUp(): void {
    if (this.#state === "catching-up") this.#enter("running", "info");
  }

  /** A new program is committed: true when the board was in safe mode, which ends with it. */
  onNewProgram(): boolean {
    if (!this.#isSafe) return false;
    this.#isSafe = false;
    this.#dueMs = Infinity;
    this.#store.noteCrashes(0);
    this.#log.write("info", "safe-mode-ends");
    return true;
  }

  /** Nothing happens any more. A crash is counted, an orderly restart is not. */
  halt(isCrash: boolean): void {
    this.#state = "halted";
    if (isCrash) this.#store.noteCrashes(this.#store.crashes + 1);
  }

  #enter(state: LifeState, level: LogLevel): void {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#log.isOn(level)) this.#log.write(level, "life", "state", state);
  }
}
