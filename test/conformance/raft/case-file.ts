/**
 * Readable test files in the manner of etcd's "datadriven": comments, a command, a line of dashes, what must come back, an empty
 * line. With COVEY_REWRITE=1 the answers are written into the file instead of compared; review the difference.
 */
import { readFileSync, writeFileSync } from "node:fs";

export interface Case {
  /** Last line of the command, from 1. */
  readonly line: number;
  /** All lines between comments and dashes. */
  readonly command: string;
  readonly expected: string;
}

/** Runs every case of a file in order. Throws at the first whose answer differs. Returns how many there were. */
export function runCases(path: string, answer: (command: string) => string): number {
  const lines = linesOf(path);
  const cases = casesIn(lines);
  if (process.env.COVEY_REWRITE === "1") {
    writeFileSync(path, rewritten(lines, cases, answer));
    return cases.length;
  }
  for (const { line, command, expected } of cases) {
    const answered = answer(command);
    if (answered !== expected) {
      throw new Error(`${path}:${line}: ${command}\nexpected:\n${expected}\nanswered:\n${answered}`);
    }
  }
  return cases.length;
}

export function readCases(path: string): Case[] {
  return casesIn(linesOf(path));
}

function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").split("\n");
}

function casesIn(lines: readonly string[]): Case[] {
  const cases: Case[] = [];
  for (let at = 1; at < lines.length; at++) {
    if (lines[at] !== "----") continue;
    const end = endOfAnswer(lines, at + 1);
    let start = at - 1;
    while (start > 0 && lines[start - 1] !== "" && !lines[start - 1]!.startsWith("#")) start--;
    const command = lines.slice(start, at).join("\n");
    cases.push({ line: at, command, expected: lines.slice(at + 1, end).join("\n") });
    at = end;
  }
  return cases;
}

function rewritten(
  lines: readonly string[],
  cases: readonly Case[],
  answer: (command: string) => string,
): string {
  const out: string[] = [];
  let at = 0;
  for (const { line, command } of cases) {
    out.push(...lines.slice(at, line + 1), ...answer(command).split("\n"));
    at = endOfAnswer(lines, line + 1);
  }
  return [...out, ...lines.slice(at)].join("\n");
}

function endOfAnswer(lines: readonly string[], from: number): number {
  let end = from;
  while (end < lines.length && lines[end] !== "") end++;
  return end;
}
