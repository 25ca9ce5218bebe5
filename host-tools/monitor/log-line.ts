/** What a line of a board's console says: level, source, and the facts in it. */

export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export interface LogLine {
  /** Undefined where the line names none. */
  readonly level: Level | undefined;
  /** "board": our firmware's log. "esp-idf": `I (310) wifi: ...`. "xs": what the engine says by itself. */
  readonly source: "board" | "esp-idf" | "xs" | undefined;
  /** Without its level. */
  readonly text: string;
  /** What happened, of our firmware's lines: `joined`. */
  readonly event: string | undefined;
  readonly facts: Readonly<Record<string, string>>;
  /** Since the chip's start, in ms, where the line tells. */
  readonly uptimeMs: number | undefined;
}

/** Takes any line; what it does not know is text. */
export function readLogLine(line: string): LogLine {
  const plain = { event: undefined, facts: {}, uptimeMs: undefined };
  const ours = /^(debug|info|warn|error): (.*)$/.exec(line);
  if (ours !== null) {
    const [, level, text] = ours;
    return { ...plain, level: level as Level, source: "board", text: text!, ...readFacts(text!) };
  }
  const idf = /^([EWIDV]) \(([\d:.]{1,16})\) ([^:]{1,40}: .*)$/.exec(line);
  if (idf !== null) {
    const [, letter, clock, text] = idf;
    const uptimeMs = /^\d+$/.test(clock!) ? Number(clock) : undefined;
    return { ...plain, level: idfLevels[letter!], source: "esp-idf", text: text!, uptimeMs };
  }
  const engine = /^# (Exception|Error|Warning): (.*)$/.exec(line);
  if (engine !== null) {
    const [, kind, text] = engine;
    const level = kind === "Error" ? "error" : "warn";
    return { ...plain, level, source: "xs", text: `${kind!.toLowerCase()}: ${text!}` };
  }
  if (line.startsWith("# ")) return { ...plain, level: "debug", source: "xs", text: line.slice(2) };
  return { ...plain, level: undefined, source: undefined, text: line };
}

/** A member is called as its board, with what tells its lives apart: `north-1.4f1c`. */
export function boardNameIn({ source, facts }: LogLine): string | undefined {
  if (source !== "board") return undefined;
  return /^([a-z0-9][a-z0-9-]{0,31})\.[0-9a-z]+$/.exec(facts.member ?? "")?.[1];
}

const idfLevels: Readonly<Record<string, Level>> = {
  E: "error",
  W: "warn",
  I: "info",
  D: "debug",
  V: "debug",
};

/** `joined host=main reason="timed out"`: the first word, then names and values (firmware/board/board-log.ts). */
function readFacts(text: string): Pick<LogLine, "event" | "facts"> {
  const event = /^[a-z][a-z0-9-]*(?= |$)/.exec(text)?.[0];
  const facts: Record<string, string> = {};
  if (event === undefined) return { event, facts };
  for (const [, name, value] of text
    .slice(event.length)
    .matchAll(/ ([A-Za-z]\w{0,31})=("(?:[^"\\]|\\.)*"|\S*)/g)) {
    facts[name!] = unquoted(value!);
  }
  return { event, facts };
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
