/**
 * A command that runs as long as a lease lasts. In time before its end it is asked to stop (SIGTERM), and when the lease is over it is killed (SIGKILL), with all that it started,
 * by a guard that is a process of its own: so it ends in time even if this process is killed or stands still.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { deadlineText } from "./deadline.ts";
import { killGroup } from "./process-group.ts";

export interface HeldCommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** How long before the lease ends it is asked to stop. */
  readonly graceMs: number;
  /** By which the lease counts. */
  nowMs(): number;
  /** It has ended, whoever ended it: with this code, 128 and more for a signal. Undefined: it could not be started. */
  onEnd(exitCode: number | undefined, reason: string | undefined): void;
}

/** The last moment before a lease ends belongs to nobody: signals take their time. */
export const killMarginMs = 100;

const guardMain = fileURLToPath(new URL("./guard.ts", import.meta.url));

export class HeldCommand {
  readonly #options: HeldCommandOptions;
  readonly #child: ChildProcess;
  readonly #guard: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #untilMs = 0;
  #hasEnded = false;
  #isStopping = false;

  /** Starts it, for as long as `untilMs` allows. */
  constructor(options: HeldCommandOptions, untilMs: number) {
    this.#options = options;
    const { command, args, environment } = options;
    // A group of its own, so that what it starts ends with it.
    this.#child = spawn(command, args, {
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...environment },
    });
    this.#child.on("error", (error) => this.#end(undefined, error.message));
    this.#child.on("exit", (code, signal) => this.#end(code ?? 128 + constants.signals[signal!], undefined));
    if (this.#child.pid === undefined) return;
    this.#guard = spawn(process.execPath, [guardMain, `${this.#child.pid}`], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#guard.stdin?.on("error", () => {});
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
    this.#guard?.stdin?.write(`${deadlineText(leftMs)}\n`);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), Math.max(0, leftMs - this.#options.graceMs));
  }

  /** Asks it to stop; the guard kills it when the lease that it has is over, and within `mostMs`. */
  stop(mostMs = Infinity): void {
    if (this.#hasEnded || this.#isStopping) return;
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#guard?.stdin?.write(`${deadlineText(Math.min(mostMs, this.#leftMs))}\n`);
    killGroup(this.#child.pid ?? 0, "SIGTERM");
  }

  /** Until it has to be dead. */
  get #leftMs(): number {
    return this.#untilMs - killMarginMs - this.#options.nowMs();
  }

  #end(exitCode: number | undefined, reason: string | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    // What it has left behind ends too.
    killGroup(this.#child.pid ?? 0, "SIGKILL");
    this.#guard?.stdin?.end("done\n");
    this.#options.onEnd(exitCode, reason);
  }
}
