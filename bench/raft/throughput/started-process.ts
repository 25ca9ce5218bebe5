/** Processes that a bench starts: each is ended by its id, whatever happens, and what it says is kept for when it fails. */
import { type ChildProcess, spawn } from "node:child_process";

/** Of what a process says, for an error's message. */
const saidCharactersMax = 4_000;

export class StartedProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #said = "";

  constructor(name: string, command: string, args: readonly string[], cwd: string) {
    this.name = name;
    this.#child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#said = (this.#said + text).slice(-saidCharactersMax);
      });
    }
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", resolve);
    });
    // Whoever ends it hears of a failure to start; until then it is not unhandled.
    this.#ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it wrote to stdout and stderr. */
  get said(): string {
    return this.#said;
  }

  /** Asks it to end, and makes it end after `patienceMs`. */
  async end(signal: NodeJS.Signals = "SIGTERM", patienceMs = 5_000): Promise<void> {
    if (this.isRunning) this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    await this.#ended.catch(() => {});
    clearTimeout(timer);
  }

  /** Power off: nothing that it holds in memory survives. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }
}

/** Runs a program to its end and parses what it prints. Throws when it fails. */
export function runForJson<Result>(command: string, args: readonly string[]): Promise<Result> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(printed) as Result);
      else reject(new Error(`${command} ${args[0]} ended with code ${code}.`));
    });
  });
}
