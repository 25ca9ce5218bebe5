/** A command and its guard as two processes of a simulated computer. The guard never stands still, and looks at both clocks, as `host-tools/cli/hold/guard.ts` does. */
import type { Deadline } from "../../../../host-tools/cli/hold/deadline.ts";
import type { GuardedProcess, ProcessStart } from "../../../../host-tools/cli/hold/guarded-process.ts";
import type { Computer } from "./computer.ts";

/** So often the guard looks at the clocks. */
const lookEveryMs = 250;
/** By a clock that is a tenth too slow. */
const lookEveryMsMax = lookEveryMs / 0.9;

export class GuardedCommand implements GuardedProcess {
  readonly token: number;
  readonly #computer: Computer;
  readonly #start: ProcessStart;
  /** From SIGTERM to its end; Infinity for one that ignores it. */
  readonly #stopMs: number;
  #deadline: Deadline | undefined;
  #isRunning = true;

  constructor(computer: Computer, start: ProcessStart) {
    this.#computer = computer;
    this.#start = start;
    this.token = Number(start.environment.COVEY_TASK_TOKEN);
    const { random } = computer.world;
    this.#stopMs = random() < 0.3 ? Infinity : 10 + random() * random() * 4_000;
    if (random() < 0.05) computer.after(random() * 30_000, () => this.#end(0));
  }

  /** It does something at this moment. What it does in the quarter of a second before the guard of a computer that slept has seen the clocks, only its token can stop (`docs/tasks.md`). */
  get isRunning(): boolean {
    return this.#isRunning && this.#computer.awakeMs > lookEveryMsMax;
  }

  allow(durationMs: number): void {
    const steadyMs = this.#computer.steadyMs() + durationMs;
    const deadline = { steadyMs, wallMs: this.#computer.wallMs() + durationMs };
    this.#deadline = deadline;
    this.#guard(deadline);
  }

  askToStop(): void {
    if (this.#stopMs < Infinity) this.#computer.after(this.#stopMs, () => this.#end(143));
  }

  clear(): void {
    this.#isRunning = false;
  }

  /** Whoever started it is gone, and so is the guard's pipe. */
  abandon(): void {
    this.#isRunning = false;
  }

  #guard(deadline: Deadline): void {
    if (this.#deadline !== deadline || !this.#isRunning) return;
    const { steadyMs, wallMs } = deadline;
    const leftMs = Math.min(steadyMs - this.#computer.steadyMs(), wallMs - this.#computer.wallMs());
    if (leftMs <= 0) this.#end(137);
    else this.#computer.after(Math.min(leftMs, lookEveryMs), () => this.#guard(deadline));
  }

  #end(exitCode: number): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#start.onEnd(exitCode, undefined);
  }
}
