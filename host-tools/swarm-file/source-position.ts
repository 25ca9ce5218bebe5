/**
 * From the call that a part was written with to the very line of what is wrong in it: the key `pin` of an
 * `output.pwm({...})` that spans four lines, or one name in the list `voters`.
 */
import { readFileSync } from "node:fs";
import type { CallSite } from "./call-site.ts";

/**
 * The line of the last of `path` (keys, names, texts) that can be found, each after the one before it, within the
 * call's parentheses; the call's own line when none can.
 */
export function lineWithin(site: CallSite, path: readonly string[]): number {
  const source = read(site.url);
  if (source === undefined) return site.line;
  const tokens = callTokens(source, offsetOf(source, site));
  let line = site.line;
  let from = 0;
  for (const step of path) {
    const found = tokens.findIndex((token, i) => i >= from && token.text === step);
    if (found < 0) break;
    const { offset } = tokens[found]!;
    line = countLines(source, offset);
    from = found + 1;
  }
  return line;
}

interface Token {
  /** A name, a number, or the content of a string, without its quotes. */
  readonly text: string;
  readonly offset: number;
}

const tokenPattern =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'|`((?:\\.|[^`\\])*)`|(-?[\w$.]+)|([([{])|([)\]}])/g;

/** Names, numbers and strings from `start` to the parenthesis that closes the first one opened. */
function callTokens(source: string, start: number): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  tokenPattern.lastIndex = start;
  for (let match = tokenPattern.exec(source); match !== null; match = tokenPattern.exec(source)) {
    const [, double, single, template, word, open, close] = match;
    const text = double ?? single ?? template ?? word;
    if (text !== undefined && depth > 0) tokens.push({ text, offset: match.index });
    if (open !== undefined) depth += 1;
    if (close !== undefined) depth -= 1;
    if (close !== undefined && depth <= 0) break;
  }
  return tokens;
}

function offsetOf(source: string, site: CallSite): number {
  let offset = 0;
  for (let line = 1; line < site.line; line += 1) {
    const end = source.indexOf("\n", offset);
    if (end < 0) return offset;
    offset = end + 1;
  }
  return offset + site.column - 1;
}

function countLines(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}

function read(url: string): string | undefined {
  try {
    return readFileSync(new URL(url), "utf8");
  } catch {
    return undefined;
  }
}
