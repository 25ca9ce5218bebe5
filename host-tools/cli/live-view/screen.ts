/**
 * The terminal's screen while the live view has it: the alternate screen, no cursor, and only lines that changed are
 * written, between marks that let the terminal show them all at once. Whatever ends the process, the screen is given back.
 */
import type { WriteStream } from "node:tty";

const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const beginUpdate = "\x1b[?2026h";
const endUpdate = "\x1b[?2026l";

export class Screen {
  readonly #out: WriteStream;
  #shown: string[] = [];
  #open = false;
  readonly #onExit = () => this.close();
  readonly #onResume = () => this.#restart();
  /** Ctrl-Z: the shell gets its screen back meanwhile. */
  readonly #onSuspend = () => {
    this.#out.write(leave, () => process.kill(process.pid, "SIGSTOP"));
  };

  constructor(out: WriteStream) {
    this.#out = out;
  }

  get columns(): number {
    return this.#out.columns || 80;
  }

  get rows(): number {
    return this.#out.rows || 24;
  }

  /** `onResize` is called when the size has changed and a new picture is due. */
  open(onResize: () => void): void {
    this.#open = true;
    this.#out.write(enter);
    this.#out.on("resize", () => {
      this.#restart();
      onResize();
    });
    process.on("exit", this.#onExit);
    process.on("SIGCONT", this.#onResume);
    process.on("SIGTSTP", this.#onSuspend);
  }

  /** Shows `lines`; those that are on the screen already are not written again. */
  show(lines: readonly string[]): void {
    if (!this.#open) return;
    let update = "";
    for (let row = 0; row < Math.max(lines.length, this.#shown.length); row++) {
      const text = lines[row] ?? "";
      // Cleared before, not after: with the last column written, the cursor still stands on it.
      if (text !== this.#shown[row]) update += `\x1b[${row + 1};1H\x1b[K${text}`;
    }
    this.#shown = [...lines];
    if (update !== "") this.#out.write(beginUpdate + update + endUpdate);
  }

  /** Gives the screen back. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#onExit);
    process.off("SIGCONT", this.#onResume);
    process.off("SIGTSTP", this.#onSuspend);
    this.#out.removeAllListeners("resize");
    this.#out.write(leave);
  }

  #restart(): void {
    this.#shown = [];
    if (this.#open) this.#out.write(enter);
  }
}
