/**
 * A command that runs as long as a lease lasts. In time before its end it is asked to stop (SIGTERM), and when the lease is over it is killed (SIGKILL), with all that it started,
 * by a guard that is a process of its own: so it ends in time even if this process is killed or stands still.
 */
import type { GuardedProcess } from "./guarded-process.ts";
import type { Surroundings } from "./surroundings.ts";

export interface HeldCommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** How long before the lease ends it is asked to stop. */
  readonly graceMs: number;
  readonly surroundings: Omit<Surroundings, "sleep">;
  /** It has ended: see `ProcessStart`. */
  onEnd(exitCode: number | undefined, reason: string | undefined): void;
}

/** The last moment before a lease ends belongs to nobody: signals take their time. */
export const killMarginMs = 100;

export class HeldCommand {
  readonly #options: HeldCommandOptions;
  readonly #process: GuardedProcess;
  #callOff = () => {};
  #untilMs = 0;
  #hasEnded = false;
  #isStopping = false;

  /** Starts it, for as long as `untilMs` allows. */
  constructor(options: HeldCommandOptions, untilMs: number) {
    this.#options = options;
    const { command, args, environment, surroundings } = options;
    this.#process = surroundings.start({
      ...{ command, args, environment },
      onEnd: (exitCode, reason) => this.#end(exitCode, reason),
    });
    this.extend(untilMs);
  }

  /** It was told to stop, and may still be at it. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** The lease lasts until then now. */
  extend(untilMs: number): void {
    if (this.#hasEnded || this.#isStopping) return;
    this.#untilMs = untilMs;
    const leftMs = this.#leftMs;
    this.#process.allow(leftMs);
    this.#callOff();
    const { surroundings, graceMs } = this.#options;
    this.#callOff = surroundings.after(Math.max(0, leftMs - graceMs), () => this.stop());
  }

  /** Asks it to stop; the guard kills it when the lease that it has is over, and within `mostMs`. */
  stop(mostMs = Infinity): void {
    if (this.#hasEnded || this.#isStopping) return;
    this.#isStopping = true;
    this.#callOff();
    this.#process.allow(Math.min(mostMs, this.#leftMs));
    this.#process.askToStop();
  }

  /** Until it has to be dead. */
  get #leftMs(): number {
    return this.#untilMs - killMarginMs - this.#options.surroundings.nowMs();
  }

  #end(exitCode: number | undefined, reason: string | undefined): void {
    this.#hasEnded = true;
    this.#callOff();
    this.#process.clear();
    this.#options.onEnd(exitCode, reason);
  }
}
