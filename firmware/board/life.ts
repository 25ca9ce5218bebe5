/**
 * Where a board is in its life.
 *
 * ```
 *   boot ---> offline ---> linking ---> joining ---> catching-up ---> running ---> asleep ---> boot
 *  (flash,     ^ network     ^ TCP        ^ MQTT,      ^ hello said     ^ the log    all is told,
 *  identity,   | down        | to a host  | hello      | to a host      | agrees     checkpoint
 *  program)    |             |            |            |                | with the   saved
 *              |             |            |            |                | leader's
 *              +-------------+------------+ last link lost ---+---------+
 * ```
 *
 * The program runs from boot on, in every state: it needs no leader. Only a crash loop stops it (`crash-loop.ts`). A board that runs on
 * a battery sleeps as its program says, once it has been awake for its time and has told all it has: `awake -> telling ->
 * asleep`. One that does not reach its leader sleeps all the same, after `offlineMs` more, and what it could not tell is lost. A
 * voter never sleeps, nor does a board in safe mode.
 */
import type { SleepPlan } from "../../protocols/pipeline/program.ts";
import type { LogLevel } from "../platform/ports.ts";
import type { BoardLog } from "./board-log.ts";
import type { LinkState } from "./link.ts";

export const lifeLimits = Object.freeze({
  /** How much longer than its time awake a board waits for its leader before it sleeps. */
  offlineMs: 60_000,
  /** Sleep is never shorter. */
  sleepMsMin: 1_000,
});

export type LifeState =
  | "boot"
  | "offline"
  | "linking"
  | "joining"
  | "catching-up"
  | "running"
  | "asleep"
  | "halted";

export class Life {
  readonly #log: BoardLog;
  readonly #bootMs: number;
  #state: LifeState = "boot";
  #hasCaughtUp = false;
  /** undefined for a board that never sleeps. */
  #plan: SleepPlan | undefined;

  constructor(log: BoardLog, bootMs: number) {
    this.#log = log;
    this.#bootMs = bootMs;
  }

  get state(): LifeState {
    return this.#state;
  }

  /** The last link has changed to, or the best of several is in, this state. */
  onLink(link: LinkState): void {
    if (this.isOver) return;
    const isLive = this.#state === "catching-up" || this.#state === "running";
    if (link === "joined") {
      if (!isLive) this.enter("catching-up", "info");
    } else if (link === "joining") {
      this.enter("joining", "debug");
    } else {
      this.enter(link === "offline" ? "offline" : "linking", "debug");
    }
  }

  /** The board's log agrees with the leader's, and all that is committed is applied. True the first time since it booted. */
  onCaughtUp(): boolean {
    if (this.#state === "catching-up") this.enter("running", "info");
    const isFirst = !this.#hasCaughtUp;
    this.#hasCaughtUp = true;
    return isFirst;
  }

  /** Nothing happens any more. */
  halt(): void {
    this.#state = "halted";
  }

  // Sleep.

  /** Whether it is to sleep, now and then. */
  get sleeps(): boolean {
    return this.#plan !== undefined;
  }

  /** What the program says of sleep; undefined for a board that is not to. */
  planSleep(plan: SleepPlan | undefined): void {
    this.#plan = plan;
  }

  /** Whether the time awake is over and all that is left is to tell what there is to tell. */
  isTelling(nowMs: number): boolean {
    return this.#state === "running" && nowMs >= this.awakeUntilMs;
  }

  /** Whether to sleep now. `isTold`: the leader's host has all that the board had to say. */
  isTired(nowMs: number, isTold: boolean): boolean {
    return (this.isTelling(nowMs) && isTold) || nowMs >= this.awakeUntilMs + lifeLimits.offlineMs;
  }

  /** When either changes with time alone; Infinity for never. */
  dueMs(nowMs: number): number {
    const untilMs = this.awakeUntilMs;
    return nowMs < untilMs ? untilMs : untilMs + lifeLimits.offlineMs;
  }

  /** Goes to sleep. For how long, so that the board wakes once in `everyMs`. */
  sleep(nowMs: number): number {
    const everyMs = this.#plan?.everyMs ?? 0;
    this.enter("asleep", "info");
    return Math.max(lifeLimits.sleepMsMin, everyMs - (nowMs - this.#bootMs));
  }

  /** Infinity for a board that does not sleep. */
  private get awakeUntilMs(): number {
    return this.#plan === undefined ? Infinity : this.#bootMs + this.#plan.awakeMs;
  }

  private get isOver(): boolean {
    return this.#state === "halted" || this.#state === "asleep";
  }

  private enter(state: LifeState, level: LogLevel): void {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#log.isOn(level)) this.#log.write(level, "life", "state", state);
  }
}
