/**
 * Where a verb prints: people read lines and see progress on a terminal; a program (`--json`) reads exactly one JSON
 * value from stdout. Colours only where they are seen: on a terminal, and not with NO_COLOR.
 */
import { stderr, stdout } from "node:process";
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export class Terminal {
  readonly json: boolean;
  #progressShown = false;

  constructor(options: { json: boolean }) {
    this.json = options.json;
  }

  /** True when stdout is a terminal that a person watches; a live view needs it. */
  get interactive(): boolean {
    return !this.json && stdout.isTTY === true;
  }

  get columns(): number {
    return stdout.columns ?? 100;
  }

  /** A line for people on stdout; nothing with `--json`. */
  line(text = ""): void {
    if (this.json) return;
    this.endProgress();
    stdout.write(`${text}\n`);
  }

  /** Shows `lines` in place of all that the terminal showed; only where `interactive`. */
  repaint(lines: readonly string[]): void {
    if (!this.interactive) return;
    // Home, each line to its end, then whatever is left below: no flicker, unlike clearing first.
    stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\n")}\x1b[K\n\x1b[J`);
  }

  /** The verb's one JSON value; nothing without `--json`. */
  result(value: unknown): void {
    if (this.json) stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A remark beside the result, on stderr: a fallback taken, a thing to know. Also with `--json`, where stdout stays pure. */
  note(text: string): void {
    this.endProgress();
    stderr.write(`${text}\n`);
  }

  /** What takes longer than a second says so: replaced in place on a terminal, a line each elsewhere, nothing with `--json`. */
  progress(text: string): void {
    if (this.json) return;
    if (stderr.isTTY) {
      stderr.write(`\r\x1b[2K${text}`);
      this.#progressShown = true;
    } else {
      stderr.write(`${text}\n`);
    }
  }

  endProgress(): void {
    if (this.#progressShown) stderr.write("\r\x1b[2K");
    this.#progressShown = false;
  }

  /** `text` in a colour, where stdout shows colours. */
  style(style: Style, text: string): string {
    return this.json ? text : styleText(style, text, { stream: stdout });
  }
}
