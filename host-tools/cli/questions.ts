/** Questions at a terminal, for what must not stand on a command line or is not known yet. They go to stderr, so that results can be piped on. */
import { stderr, stdin } from "node:process";
import { createInterface } from "node:readline/promises";
import { Failed } from "./failure.ts";

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return stdin.isTTY === true;
}

/** One line, trimmed. @throws {Failed} after Ctrl-C or the end of input */
export async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: stdin, output: stderr });
  try {
    const ended = new Promise<never>((_, reject) => reader.once("close", () => reject(stopped())));
    return (await Promise.race([reader.question(question), ended])).trim();
  } finally {
    reader.close();
  }
}

/** One line that is not shown. @throws {Failed} after Ctrl-C */
export async function askHidden(question: string): Promise<string> {
  // First the echo, then the question: what is typed at once is not to be seen either.
  stdin.setRawMode(true).setEncoding("utf8").resume();
  stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      let line = "";
      stdin.on("data", (typed: string) => {
        for (const character of typed) {
          if (character === "\r" || character === "\n") return resolve(line);
          if (character === "\x03" || character === "\x04") return reject(stopped());
          if (character === "\x7f" || character === "\b") line = [...line].slice(0, -1).join("");
          else if (character >= " ") line += character;
        }
      });
    });
  } finally {
    stdin.removeAllListeners("data").setRawMode(false).pause();
    stderr.write("\n");
  }
}

function stopped(): Failed {
  return new Failed("Nothing was changed.", "not-confirmed");
}
