/**
 * Time zones as POSIX describes them (IEEE 1003.1-2017, section 8.3, the variable TZ): a standard offset and, where summers differ, a
 * daylight offset between two yearly changes. All that a board needs to know of a zone fits in some twenty bytes, and the rules
 * of today hold until the zone's government decides otherwise, which takes another program.
 */
import {
  daysFromCivil,
  isLeapYear,
  millisecondsOfMinute,
  minutesOfDay,
  weekdayOfDay,
  yearOfDay,
} from "./civil.ts";

export interface Zone {
  /** Minutes east of UTC in standard time. */
  readonly standardMinutes: number;
  /** undefined: the same offset all year. */
  readonly daylight: Daylight | undefined;
}

export interface Daylight {
  /** Minutes east of UTC in daylight time; less than in standard time in Ireland, whose winter is what differs. */
  readonly minutes: number;
  /** In standard time. */
  readonly begins: YearlyChange;
  /** In daylight time. */
  readonly ends: YearlyChange;
}

/** A day of each year, and minutes from its beginning; fewer than 0 or more than a day is another day's (RFC 9636, section 3.3.1). */
export interface YearlyChange {
  readonly minutes: number;
  readonly on: /** `Mm.w.d`: the `week`th `weekday` (0 Sunday) of `month`; week 5 is the last. */
    | { readonly kind: "weekday"; readonly month: number; readonly week: number; readonly weekday: number }
    /** `Jn`: 1 to 365, the leap day never counted. */
    | { readonly kind: "julian"; readonly day: number }
    /** `n`: 0 to 365, the leap day counted. */
    | { readonly kind: "day"; readonly day: number };
}

export const zoneLimits = Object.freeze({
  /** Hours of an offset (POSIX). */
  offsetHoursMax: 24,
  /** Hours of a change's time, both ways (RFC 9636, section 3.3.1). */
  changeHoursMax: 167,
});

/** Minutes east of UTC at an instant. */
export function offsetMinutesAt(zone: Zone, atMs: number): number {
  const { standardMinutes, daylight } = zone;
  if (daylight === undefined) return standardMinutes;
  return lastChange(zone, daylight, atMs).toDaylight ? daylight.minutes : standardMinutes;
}

/**
 * The instant at which clocks in the zone show `minutes` after midnight of `day`. Shown twice, because clocks are set back: the
 * first time. Never shown, because clocks are set forward: the instant of the change.
 */
export function instantOf(zone: Zone, day: number, minutes: number): number {
  const localMs = (day * minutesOfDay + minutes) * millisecondsOfMinute;
  const { standardMinutes, daylight } = zone;
  if (daylight === undefined) return localMs - standardMinutes * millisecondsOfMinute;
  const eastMinutes = Math.max(standardMinutes, daylight.minutes);
  const westMinutes = Math.min(standardMinutes, daylight.minutes);
  const earlyMs = localMs - eastMinutes * millisecondsOfMinute;
  if (offsetMinutesAt(zone, earlyMs) === eastMinutes) return earlyMs;
  const lateMs = localMs - westMinutes * millisecondsOfMinute;
  if (offsetMinutesAt(zone, lateMs) === westMinutes) return lateMs;
  return lastChange(zone, daylight, lateMs).atMs;
}

/** The local day of an instant. */
export function dayAt(zone: Zone, atMs: number): number {
  const localMinutes = Math.floor(atMs / millisecondsOfMinute) + offsetMinutesAt(zone, atMs);
  return Math.floor(localMinutes / minutesOfDay);
}

interface Change {
  readonly atMs: number;
  readonly toDaylight: boolean;
}

/**
 * The last change up to an instant. Times may carry one over the turn of a year, so that the years beside count, too: the later first,
 * for daylight time all year is written as one that begins again at the moment at which the year before's ends.
 */
function lastChange(zone: Zone, daylight: Daylight, atMs: number): Change {
  const { standardMinutes } = zone;
  const year = yearOfDay(Math.floor(atMs / (minutesOfDay * millisecondsOfMinute)));
  let lastMs = -Infinity;
  let toDaylight = false;
  for (let candidate = year + 1; candidate >= year - 1; candidate--) {
    const endMs = changeMs(daylight.ends, candidate, daylight.minutes);
    const beginMs = changeMs(daylight.begins, candidate, standardMinutes);
    if (endMs <= atMs && endMs > lastMs) {
      lastMs = endMs;
      toDaylight = false;
    }
    if (beginMs <= atMs && beginMs > lastMs) {
      lastMs = beginMs;
      toDaylight = true;
    }
  }
  return { atMs: lastMs, toDaylight };
}

function changeMs({ minutes, on }: YearlyChange, year: number, offsetMinutes: number): number {
  return (dayOf(on, year) * minutesOfDay + minutes - offsetMinutes) * millisecondsOfMinute;
}

function dayOf(on: YearlyChange["on"], year: number): number {
  if (on.kind === "day") return daysFromCivil(year, 1, 1) + on.day;
  if (on.kind === "julian") {
    return daysFromCivil(year, 1, 1) + on.day - (isLeapYear(year) && on.day >= 60 ? 0 : 1);
  }
  const { month, week, weekday } = on;
  const first = daysFromCivil(year, month, 1);
  const day = first + ((weekday - weekdayOfDay(first) + 7) % 7) + (week - 1) * 7;
  const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
  return day < next ? day : day - 7;
}
