/** One run of `covey task hold`, as it ships, on a simulated computer. It may be killed, and stand still while its command and the guard go on. */
import { Failed } from "../../../../host-tools/cli/failure.ts";
import { type HoldOptions, hold } from "../../../../host-tools/cli/hold/hold.ts";
import type { Surroundings } from "../../../../host-tools/cli/hold/surroundings.ts";
import { LeaseClock } from "../../../../host-tools/leader/tasks/lease-clock.ts";
import type { Computer } from "./computer.ts";
import { GuardedCommand } from "./guarded-command.ts";

export interface RoleProcessOptions {
  readonly task: string;
  readonly computer: Computer;
  /** As of `HoldOptions`. */
  readonly ask: HoldOptions["ask"];
}

export class RoleProcess {
  readonly task: string;
  readonly computer: Computer;
  /** It has ended by itself, or was killed. */
  hasEnded = false;
  readonly #interrupted = new AbortController();
  #isKilled = false;
  #frozenUntilMs = 0;
  readonly #started: GuardedCommand[] = [];

  constructor({ task, computer, ask }: RoleProcessOptions) {
    this.task = task;
    this.computer = computer;
    const options = {
      ...{ task, command: "gateway", args: [], graceMs: undefined, interrupted: this.#interrupted.signal },
      ask: (body: object) => this.#awake(ask(body)),
      say: () => {},
    };
    const ended = () => {
      this.hasEnded = true;
    };
    hold(options, this.#surroundings()).then(ended, (error: Error) => {
      if (!(error instanceof Failed)) throw error;
      ended();
    });
  }

  /** What it started and does something at this moment. */
  get commands(): GuardedCommand[] {
    return this.#started.filter(({ isRunning }) => isRunning);
  }

  get isFrozen(): boolean {
    return this.computer.world.nowMs < this.#frozenUntilMs;
  }

  /** SIGKILL: the guard notices at once, unless the computer sleeps. */
  kill(): void {
    this.#isKilled = true;
    this.hasEnded = true;
    this.computer.after(0, () => this.#abandon());
  }

  /** With the computer's power all of it is gone. */
  lose(): void {
    this.#isKilled = true;
    this.hasEnded = true;
    this.#abandon();
  }

  /** SIGSTOP, and SIGCONT some time later. */
  freeze(durationMs: number): void {
    this.#frozenUntilMs = this.computer.world.nowMs + durationMs;
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.computer.after(0, () => this.#interrupted.abort(), this.#readyMs);
  }

  /** It goes on then. */
  readonly #readyMs = () => (this.#isKilled ? Infinity : this.#frozenUntilMs);

  #surroundings(): Surroundings {
    const { computer } = this;
    const { random } = computer.world;
    const clock = new LeaseClock(
      () => computer.steadyMs(),
      () => computer.wallMs(),
      Math.floor(random() * 2 ** 40),
    );
    return {
      nowMs: () => clock.nowMs(),
      sleep: (durationMs, interrupted) =>
        new Promise((resolve) => {
          computer.after(durationMs, resolve, this.#readyMs);
          interrupted?.addEventListener("abort", () => resolve());
        }),
      after: (delayMs, act) => computer.after(delayMs, act, this.#readyMs),
      start: (start) => {
        const onEnd: typeof start.onEnd = (...how) =>
          computer.after(0, () => start.onEnd(...how), this.#readyMs);
        const command = new GuardedCommand(computer, { ...start, onEnd });
        this.#started.push(command);
        return command;
      },
    };
  }

  #abandon(): void {
    for (const command of this.#started) command.abandon();
  }

  /** It sees an answer when it does not stand still. */
  #awake<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const hand = (act: () => void) => void this.computer.after(0, act, this.#readyMs);
      answer.then(
        (value) => hand(() => resolve(value)),
        (error) => hand(() => reject(error)),
      );
    });
  }
}
