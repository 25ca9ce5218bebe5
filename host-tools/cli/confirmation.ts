/** A question before something that cannot be undone. */
import { stderr, stdin } from "node:process";
import { createInterface } from "node:readline/promises";

/** True for y or yes; anything else, also the end of input, is no. */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  const reader = createInterface({ input: stdin, output: stderr });
  try {
    const closed = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
    const answer = await Promise.race([reader.question(`${question} [y/N] `, { signal }), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    reader.close();
  }
}
