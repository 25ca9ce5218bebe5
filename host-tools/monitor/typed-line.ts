/** The line that a person types to the boards, on a terminal in raw mode: kept apart from what the boards say, and sent when it is whole. */

export interface Typed {
  /** Lines that are whole now, without their ends. */
  readonly lines: readonly string[];
  readonly quits: boolean;
}

export class TypedLine {
  #text = "";

  get text(): string {
    return this.#text;
  }

  /** @param keys as the terminal gives them: characters, or a sequence for a key that is none */
  type(keys: string): Typed {
    const lines: string[] = [];
    // Arrows and the like do nothing here.
    if (keys.startsWith("\x1b")) return { lines, quits: false };
    for (const key of keys) {
      if (key === ctrlC || key === ctrlRightBracket) return { lines, quits: true };
      if (key === "\r" || key === "\n") {
        lines.push(this.#text);
        this.#text = "";
      } else if (key === "\x7f" || key === "\b") this.#text = [...this.#text].slice(0, -1).join("");
      else if (key === ctrlU) this.#text = "";
      else if (key >= " " || key === "\t") this.#text = (this.#text + key).slice(0, lengthMax);
    }
    return { lines, quits: false };
  }
}

const [ctrlC, ctrlU, ctrlRightBracket] = ["\x03", "\x15", "\x1d"];
const lengthMax = 1024;
