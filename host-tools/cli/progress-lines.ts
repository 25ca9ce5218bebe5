/**
 * Progress of several things at once, a line each: painted in place on a terminal; elsewhere a line when a thing takes its next step; nothing with `--json`.
 */
import { stderr } from "node:process";
import type { Terminal } from "./terminal.ts";

export class ProgressLines {
  readonly #terminal: Terminal;
  readonly #names: readonly string[];
  readonly #lines = new Map<string, string>();
  readonly #steps = new Map<string, string>();
  readonly #nameWidth: number;
  #painted = 0;
  #paintedAtMs = 0;

  constructor(terminal: Terminal, names: readonly string[]) {
    this.#terminal = terminal;
    this.#names = names;
    this.#nameWidth = Math.max(...names.map(({ length }) => length));
  }

  /** @param done 0 to 1; undefined where nobody knows */
  show(name: string, step: string, note: string, done: number | undefined): void {
    if (this.#terminal.json) return;
    const said = `${step}${note === "" ? "" : ` (${note})`}`;
    const isNew = this.#steps.get(name) !== said;
    this.#steps.set(name, said);
    if (!stderr.isTTY) {
      if (isNew) stderr.write(`${name}: ${said}\n`);
      return;
    }
    this.#lines.set(
      name,
      `${name.padEnd(this.#nameWidth)}  ${done === undefined ? " ".repeat(barCells + 5) : bar(done)}  ${said}`,
    );
    const now = performance.now();
    if (isNew || now - this.#paintedAtMs >= paintEveryMs) this.#paint(now);
  }

  /** Takes the lines away, for the result. */
  end(): void {
    if (this.#painted > 0) stderr.write(`\x1b[${this.#painted}A\x1b[J`);
    this.#painted = 0;
    this.#lines.clear();
  }

  #paint(now: number): void {
    // Some terminals do not know how wide they are, and say 0.
    const width = (stderr.columns || 100) - 1;
    const lines = this.#names.map((name) => (this.#lines.get(name) ?? name).slice(0, width));
    const up = this.#painted > 0 ? `\x1b[${this.#painted}A` : "";
    stderr.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`);
    this.#painted = lines.length;
    this.#paintedAtMs = now;
  }
}

const barCells = 20;
const paintEveryMs = 80;

function bar(done: number): string {
  const full = Math.round(Math.min(1, Math.max(0, done)) * barCells);
  const percent = `${Math.floor(Math.min(1, done) * 100)}`.padStart(3);
  return `${"█".repeat(full)}${"░".repeat(barCells - full)} ${percent}%`;
}
