/** The CLI in a process of its own, as a user runs it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dirname, "../../../host-tools/cli/bin.js");

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class CoveyProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  constructor(
    words: readonly string[],
    cwd: string,
    environment: NodeJS.ProcessEnv = process.env,
    file: string = program,
  ) {
    this.child = spawn(process.execPath, [file, ...words], {
      cwd,
      env: { ...environment, NO_COLOR: "1" },
    });
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.on("close", (exitCode) => resolve({ exitCode, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Resolves with the first line on stdout; throws when the process ends without one. */
  async firstLine(): Promise<string> {
    const ended = this.ended.then(() => "ended" as const);
    while (!this.stdout.includes("\n")) {
      const came = new Promise<"data">((resolve) => this.child.stdout.once("data", () => resolve("data")));
      if ((await Promise.race([came, ended])) === "ended" && !this.stdout.includes("\n")) {
        throw new Error(`covey ended early: ${this.stderr}`);
      }
    }
    return this.stdout.slice(0, this.stdout.indexOf("\n"));
  }

  /** Ctrl-C. */
  interrupt(): Promise<Ended> {
    this.child.kill("SIGINT");
    return this.ended;
  }
}

export function covey(
  words: readonly string[],
  cwd: string,
  environment?: NodeJS.ProcessEnv,
): Promise<Ended> {
  const process = new CoveyProcess(words, cwd, environment);
  process.child.stdin.end();
  return process.ended;
}

/** As `covey`, from another checkout. */
export function runCovey(file: string, words: readonly string[], cwd: string): Promise<Ended> {
  const child = new CoveyProcess(words, cwd, process.env, file);
  child.child.stdin.end();
  return child.ended;
}

/** A folder for one test file, with its removal. */
export function scratchFolder(): { folder: string; remove: () => void } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "covey-cli-")));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
