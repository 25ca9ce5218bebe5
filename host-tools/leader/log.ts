/** What the leader tells its operator: one line an event on stderr, readable by a person and by `grep`. */

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Facts are written as `name=value`, in the given order; text with spaces is quoted. */
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: string, facts?: LogFacts): void;
  info(event: string, facts?: LogFacts): void;
  warn(event: string, facts?: LogFacts): void;
  error(event: string, facts?: LogFacts): void;
}

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export const logLevels = Object.keys(order) as readonly LogLevel[];

/** @param write receives whole lines, line end included. Lines below `levelMin` are dropped. */
export function createLog(
  levelMin: LogLevel,
  write: (line: string) => void,
  now: () => Date = () => new Date(),
): Log {
  const at =
    (level: LogLevel) =>
    (event: string, facts: LogFacts = {}) => {
      if (order[level] >= order[levelMin]) write(formatLine(now(), level, event, facts));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** For example `2026-11-22T22:30:00.123Z info  board-joined board=north-1 member=north-1.5f3a90c2`. */
function formatLine(time: Date, level: LogLevel, event: string, facts: LogFacts): string {
  let line = `${time.toISOString()} ${level.padEnd(5)} ${event}`;
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) line += ` ${name}=${formatFact(value)}`;
  }
  return `${line}\n`;
}

/** Quoting also keeps a line end or an escape sequence sent by a stranger from forging a line or painting the terminal. */
function formatFact(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w.:/+@-]+$/.test(text) ? text : JSON.stringify(text);
}
