/**
 * How a verb ends when it can't do what it was asked: one sentence that says what is wrong and what to do, and an exit
 * code. Only a fault of Covey's own shows where it happened, and only when asked (COVEY_TRACE=1).
 */
import { stderr, stdout } from "node:process";
import { CommanderError } from "commander";
import { SwarmFileError, SwarmFileMissingError } from "../swarm-file/diagnostics.ts";

/** The work could not be done: exit 1, or 2 when a leader finds that what was asked for is wrong. */
export class Failed extends Error {
  readonly exitCode: 1 | 2;
  /** For programs; lower case with dashes. */
  readonly code: string;

  constructor(message: string, code = "failed", exitCode: 1 | 2 = 1) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** What the user gave is wrong: exit 2. Several mistakes are several sentences, a line each. */
export class WrongInput extends Error {
  readonly problems: readonly string[];

  constructor(...problems: readonly [string, ...string[]]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Prints what ended the verb, as people or programs read it, and gives the exit code. */
export function reportFailure(thrown: unknown, json: boolean): number {
  const failure = describe(thrown);
  if (failure === undefined) return 0;
  const { message, code, exitCode } = failure;
  if (json) {
    stdout.write(`${JSON.stringify({ error: failure })}\n`);
  } else {
    stderr.write(`${message}\n`);
    if (code === "fault" && process.env.COVEY_TRACE && thrown instanceof Error)
      stderr.write(`${thrown.stack}\n`);
  }
  return exitCode;
}

interface Failure {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
  /** One sentence each, where there may be several. */
  readonly problems?: readonly string[];
}

function describe(thrown: unknown): Failure | undefined {
  if (thrown instanceof Failed)
    return { message: thrown.message, code: thrown.code, exitCode: thrown.exitCode };
  if (thrown instanceof WrongInput) return wrongInput(thrown.message, thrown.problems);
  if (thrown instanceof SwarmFileError) return wrongInput(thrown.message, thrown.lines);
  if (thrown instanceof SwarmFileMissingError) return wrongInput(thrown.message);
  // What was asked for, the help or the version, has been printed.
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return undefined;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const hint = process.env.COVEY_TRACE ? "" : " (COVEY_TRACE=1 shows where)";
  return { message: `covey failed: ${message}${hint}`, code: "fault", exitCode: 1 };
}

function wrongInput(message: string, problems: readonly string[] = [message]): Failure {
  return { message, code: "wrong-input", exitCode: 2, problems };
}
