/**
 * Stands ready at one host to carry out a role, and runs a command whenever and as long as that host holds it.
 *
 * What the host answers counts from when it was asked. The command is never started, and never goes on, by a lease of which this process does not know that it lasts.
 */
import { randomBytes } from "node:crypto";
import type { HoldAnswer } from "../../leader/api/types/tasks.ts";
import { Failed } from "../failure.ts";
import { HeldCommand, killMarginMs } from "./held-command.ts";
import { type Surroundings, thisComputer } from "./surroundings.ts";

export interface HoldOptions {
  readonly task: string;
  readonly command: string;
  readonly args: readonly string[];
  /** undefined: a quarter of the lease. */
  readonly graceMs: number | undefined;
  /** Whoever started it wants it to end. */
  readonly interrupted: AbortSignal;
  /** Rejects with `Failed`. */
  ask(body: object): Promise<HoldAnswer>;
  /** For people. */
  say(text: string): void;
}

export interface HoldResult {
  readonly task: string;
  /** Undefined: it never ran. */
  readonly exitCode: number | undefined;
  /** How often the role was held. */
  readonly tenures: number;
}

/** Between two questions to a host that does not answer. */
const pauseMs = 500;
/** Of a command that is asked to stop because this process is. */
const interruptedGraceMs = 10_000;

/** Until the command ends by itself, or whoever started this has had enough. @throws {Failed} */
export function hold(options: HoldOptions, surroundings = thisComputer()): Promise<HoldResult> {
  return new Hold(options, surroundings).run();
}

class Hold {
  readonly #options: HoldOptions;
  readonly #surroundings: Surroundings;
  readonly #process = randomBytes(8).toString("hex");
  #number = 0;
  #command: HeldCommand | undefined;
  #token = 0;
  #tenures = 0;
  /** How the command ended by itself. */
  #ended: { readonly exitCode: number | undefined; readonly reason: string | undefined } | undefined;
  #wasReached = true;

  constructor(options: HoldOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
  }

  async run(): Promise<HoldResult> {
    const { interrupted, task } = this.#options;
    const { sleep } = this.#surroundings;
    interrupted.addEventListener("abort", () => this.#command?.stop(interruptedGraceMs));
    while (!interrupted.aborted && this.#ended === undefined) {
      const waitMs = await this.#askOnce(false);
      await sleep(this.#ended === undefined ? waitMs : 0, interrupted);
    }
    while (this.#command !== undefined) await sleep(20);
    await this.#askOnce(true);
    if (this.#ended?.reason !== undefined) {
      throw new Failed(
        `${this.#options.command} could not be started: ${this.#ended.reason}.`,
        "command-failed",
      );
    }
    return { task, exitCode: this.#ended?.exitCode, tenures: this.#tenures };
  }

  /** How long to wait before the next question. */
  async #askOnce(isLeaving: boolean): Promise<number> {
    const askedMs = this.#surroundings.nowMs();
    const isRunning = this.#command !== undefined;
    try {
      const number = ++this.#number;
      const answer = await this.#options.ask({ process: this.#process, number, isRunning, isLeaving });
      if (!isLeaving) this.#take(answer, askedMs);
      this.#wasReached = true;
      return answer.askAgainMs;
    } catch (error) {
      const isWrong = !(error instanceof Failed) || error.exitCode === 2 || error.code === "forbidden";
      if (isWrong && !isLeaving && !isRunning) throw error;
      if (this.#wasReached && !isLeaving) this.#options.say((error as Error).message);
      this.#wasReached = false;
      return pauseMs;
    }
  }

  #take({ state, token = 0, leftMs = 0, leaseMs, host, askAgainMs }: HoldAnswer, askedMs: number): void {
    const command = this.#command;
    const untilMs = askedMs + leftMs;
    if (command !== undefined) {
      // Another tenure is another start: what the command writes is fenced by the token that it was given.
      if (state === "held" && token === this.#token) command.extend(untilMs);
      else command.stop();
      return;
    }
    const graceMs = this.#options.graceMs ?? leaseMs / 4;
    // One that would have to stop before the next answer is not started.
    const isLongEnough = untilMs - this.#surroundings.nowMs() > graceMs + killMarginMs + askAgainMs;
    if (state !== "held" || !isLongEnough || this.#options.interrupted.aborted || this.#ended !== undefined)
      return;
    this.#start(token, host, graceMs, untilMs);
  }

  #start(token: number, host: string, graceMs: number, untilMs: number): void {
    const { task, command, args, say } = this.#options;
    this.#token = token;
    this.#tenures++;
    say(`${host} holds ${task} under token ${token}: ${command} runs.`);
    const started: HeldCommand = new HeldCommand(
      {
        ...{ command, args, graceMs, surroundings: this.#surroundings },
        environment: { COVEY_TASK: task, COVEY_TASK_TOKEN: `${token}`, COVEY_HOST: host },
        onEnd: (exitCode, reason) => {
          this.#command = undefined;
          if (!started.isStopping) this.#ended = { exitCode, reason };
          else say(`${command} has stopped; ${host} stands ready for ${task}.`);
        },
      },
      untilMs,
    );
    this.#command = started;
  }
}
