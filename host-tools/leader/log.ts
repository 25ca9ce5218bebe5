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

export const logLimits = {
  /** Warnings of one event in `everyMs`: what strangers do is a warning, and whoever connects by the thousand is to fill no disk. */
  warningsMax: 50,
  everyMs: 10_000,
  /** Characters of one fact of a warning. */
  factLengthMax: 300,
} as const;

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
  const flood = new Flood();
  const warn = at("warn");
  return {
    debug: at("debug"),
    info: at("info"),
    warn: (event, facts = {}) => {
      const left = flood.pass(event, now().getTime());
      if (left === undefined) return;
      warn(event, left === 0 ? shortened(facts) : { ...shortened(facts), leftOutBefore: left });
    },
    error: at("error"),
  };
}

/** Lets so many of each event pass in a time, and counts the rest. */
class Flood {
  readonly #events = new Map<string, { sinceMs: number; passed: number; left: number }>();

  /** How many were left out before this one, or undefined when this one is to be. */
  pass(event: string, nowMs: number): number | undefined {
    const counted = this.#events.get(event);
    const ageMs = nowMs - (counted?.sinceMs ?? 0);
    // Below 0: the clock was set back.
    if (counted === undefined || ageMs < 0 || ageMs >= logLimits.everyMs) {
      this.#events.set(event, { sinceMs: nowMs, passed: 1, left: 0 });
      return counted?.left ?? 0;
    }
    if (counted.passed++ < logLimits.warningsMax) return 0;
    counted.left++;
    return undefined;
  }
}

function shortened(facts: LogFacts): LogFacts {
  const { factLengthMax } = logLimits;
  const entries = Object.entries(facts).map(([name, value]) => {
    const isLong = typeof value === "string" && value.length > factLengthMax;
    return [name, isLong ? `${value.slice(0, factLengthMax)}...` : value] as const;
  });
  return Object.fromEntries(entries);
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
