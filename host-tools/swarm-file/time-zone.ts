/**
 * From a zone's name to the rule that boards keep, in three steps: Intl tells when its clocks change in the years to come, a yearly rule is
 * guessed from the first change, and all the others must confirm it.
 *
 * Intl carries its own copy of the zone database (`process.versions.tz`), so that a swarm compiles alike on every system, with
 * or without `/usr/share/zoneinfo`.
 */
import { millisecondsOfMinute, minutesOfDay, weekdayOfDay } from "../../protocols/time/civil.ts";
import { parseZone, ZoneTextError } from "../../protocols/time/posix-tz.ts";
import { offsetMinutesAt, type YearlyChange, type Zone } from "../../protocols/time/zone.ts";

/** The rules of the zones that one swarm names, each worked out once. */
export class ZoneRules {
  readonly #nowMs: number;
  readonly #known = new Map<string, Zone>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /**
   * By its name, or by its rule as POSIX writes it, which has a comma: `CET-1CEST,M3.5.0,M10.5.0/3`.
   * @throws {UnknownZoneError | UnruledZoneError}
   */
  zone(text: string): Zone {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const zone = text.includes(",") ? zoneWritten(text) : zoneNamed(text, this.#nowMs);
    this.#known.set(text, zone);
    return zone;
  }
}

/** For saying what was meant. */
export function zoneNames(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone")];
}

/** No zone of Intl has this name. */
export class UnknownZoneError extends Error {
  constructor(name: string) {
    super(`Intl knows no time zone ${JSON.stringify(name)}.`);
  }
}

/** The zone's clocks change by no yearly rule, as where summers make way for Ramadan. */
export class UnruledZoneError extends Error {
  constructor(name: string) {
    super(`The clocks of ${name} follow no yearly rule.`);
  }
}

/** The Gregorian calendar's weekdays repeat after this many years, so that a rule that holds so long is the rule. */
const yearsConfirmed = 28;

/**
 * The rule of `Europe/Berlin` from `nowMs` on.
 * @throws {UnknownZoneError | UnruledZoneError}
 */
export function zoneNamed(name: string, nowMs: number): Zone {
  const offsets = new ZoneOffsets(name);
  const endMs = nowMs + yearsConfirmed * 366 * dayMs;
  const changes = offsets.changes(nowMs, endMs);
  if (changes.length === 0) return { standardMinutes: offsets.minutesAt(nowMs), daylight: undefined };
  const forward = changes.filter(({ toMinutes, fromMinutes }) => toMinutes > fromMinutes);
  const back = changes.filter(({ toMinutes, fromMinutes }) => toMinutes < fromMinutes);
  const begins = ruleOf(forward);
  const ends = ruleOf(back);
  if (begins === undefined || ends === undefined) throw new UnruledZoneError(name);
  const { fromMinutes: standardMinutes, toMinutes: minutes } = forward[0]!;
  const zone = { standardMinutes, daylight: { minutes, begins, ends } };
  for (const { atMs, fromMinutes, toMinutes } of changes) {
    const isConfirmed =
      offsetMinutesAt(zone, atMs - 1) === fromMinutes && offsetMinutesAt(zone, atMs) === toMinutes;
    if (!isConfirmed) throw new UnruledZoneError(name);
  }
  return zone;
}

function zoneWritten(text: string): Zone {
  try {
    return parseZone(text);
  } catch (error) {
    if (error instanceof ZoneTextError) throw new UnknownZoneError(text);
    throw error;
  }
}

export interface OffsetChange {
  /** The first instant of the new offset. */
  readonly atMs: number;
  /** Minutes east of UTC, before and after. */
  readonly fromMinutes: number;
  readonly toMinutes: number;
}

/** What Intl says of one zone. */
export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat;

  /** @throws {UnknownZoneError} */
  constructor(name: string) {
    try {
      this.#format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
    } catch (error) {
      if (error instanceof RangeError) throw new UnknownZoneError(name);
      throw error;
    }
  }

  minutesAt(atMs: number): number {
    // `1/31/2027, GMT+05:45`; at no offset `GMT` alone.
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(this.#format.format(atMs))!;
    if (sign === undefined) return 0;
    const size = Number(hours) * 60 + Number(minutes);
    return sign === "-" ? -size : size;
  }

  /** All changes within `(fromMs, toMs]`. Two within a week would be missed; no zone has such any more. */
  changes(fromMs: number, toMs: number): OffsetChange[] {
    const changes: OffsetChange[] = [];
    let knownMs = fromMs;
    let fromMinutes = this.minutesAt(knownMs);
    while (knownMs < toMs) {
      const laterMs = Math.min(knownMs + 7 * dayMs, toMs);
      const toMinutes = this.minutesAt(laterMs);
      if (toMinutes !== fromMinutes) {
        changes.push({ atMs: this.#turn(knownMs, laterMs, fromMinutes), fromMinutes, toMinutes });
      }
      knownMs = laterMs;
      fromMinutes = toMinutes;
    }
    return changes;
  }

  /** The first instant in `(beforeMs, afterMs]` whose offset is not `minutes` any more. */
  #turn(beforeMs: number, afterMs: number, minutes: number): number {
    let low = beforeMs;
    let high = afterMs;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.minutesAt(middle) === minutes) low = middle;
      else high = middle;
    }
    return high;
  }
}

const dayMs = minutesOfDay * millisecondsOfMinute;

/** The yearly rule that all `changes` follow, in the local time before each; undefined when there is none. */
function ruleOf(changes: readonly OffsetChange[]): YearlyChange | undefined {
  const [first] = changes;
  if (first === undefined) return undefined;
  const { day, minutes } = localOf(first);
  // A Sunday's change may, in a zone far from the one that it follows, come on Saturday or on Monday: the rule is about the Sunday.
  for (const shift of [0, 1, -1, 2, -2]) {
    const { month, dayOfMonth } = monthDayOf(day + shift);
    const weekday = weekdayOfDay(day + shift);
    const weeks = [...new Set([5, Math.ceil(dayOfMonth / 7)])];
    for (const week of weeks) {
      const rule: YearlyChange = {
        minutes: minutes - shift * minutesOfDay,
        on: { kind: "weekday", month, week, weekday },
      };
      if (changes.every((change) => isBy(rule, change))) return rule;
    }
  }
  return undefined;
}

/** Whether a zone that changes by this rule changes at this moment; the other change does not matter then. */
function isBy(rule: YearlyChange, { atMs, fromMinutes, toMinutes }: OffsetChange): boolean {
  const { month } = monthDayOf(Math.floor(atMs / dayMs));
  const other: YearlyChange = {
    minutes: 0,
    on: { kind: "weekday", month: ((month + 5) % 12) + 1, week: 1, weekday: 0 },
  };
  const daylight = { minutes: toMinutes, begins: rule, ends: other };
  const zone: Zone = { standardMinutes: fromMinutes, daylight };
  return offsetMinutesAt(zone, atMs - 1) === fromMinutes && offsetMinutesAt(zone, atMs) === toMinutes;
}

function localOf({ atMs, fromMinutes }: OffsetChange): { day: number; minutes: number } {
  const local = atMs / millisecondsOfMinute + fromMinutes;
  const day = Math.floor(local / minutesOfDay);
  return { day, minutes: local - day * minutesOfDay };
}

function monthDayOf(day: number): { month: number; dayOfMonth: number } {
  const date = new Date(day * dayMs);
  return { month: date.getUTCMonth() + 1, dayOfMonth: date.getUTCDate() };
}
