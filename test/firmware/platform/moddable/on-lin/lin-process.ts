/** A program that was built for the SDK's `lin`, running without a display; what it says is awaited line by line. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Compiles the runner that stands in for the SDK's simulator, with the compiler that make takes, too. @returns its path */
export function compileRunner(moddable: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const runner = join(folder, "run-on-lin");
  const gio = execFileSync("pkg-config", ["--cflags", "--libs", "gio-2.0"], { encoding: "utf8" });
  const source = join(import.meta.dirname, "run-on-lin.c");
  const headers = join(moddable, "build/simulators/modules");
  const [compiler, ...flags] = (process.env.CC ?? "gcc").trim().split(/\s+/);
  execFileSync(compiler!, [
    ...flags,
    "-o",
    runner,
    source,
    "-I",
    headers,
    ...gio.trim().split(/\s+/),
    "-ldl",
  ]);
  return runner;
}

export class LinProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #looked = 0;

  /** @param folder where it keeps its flash */
  constructor(runner: string, program: string, folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#child = spawn(runner, [program], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => this.#hear(line));
    }
    this.#child.on("close", () =>
      this.#hear(`(ended with ${this.#child.signalCode ?? this.#child.exitCode})`),
    );
  }

  /**
   * Gives the first line that holds `part`, of those after the one that was last awaited.
   *
   * @throws Error with all lines so far when it does not come within 30 s
   */
  async until(part: string): Promise<string> {
    const deadlineMs = performance.now() + 30_000;
    for (;;) {
      for (; this.#looked < this.lines.length; this.#looked++) {
        const line = this.lines[this.#looked]!;
        if (!line.includes(part)) continue;
        this.#looked++;
        return line;
      }
      const leftMs = deadlineMs - performance.now();
      const isGone = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (leftMs <= 0 || isGone) throw new Error(`"${part}" was not said:\n${this.lines.join("\n")}`);
      await this.#nextLine(leftMs);
    }
  }

  /** The power fails. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }

  #hear(line: string): void {
    this.lines.push(line);
    for (const wake of this.#waiting) wake();
  }

  #nextLine(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
    });
  }
}
