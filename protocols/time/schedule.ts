/**
 * Schedules: when, on the wall's clock, something is to be done.
 *
 * Everything follows from the time alone, nothing from what was done before, so that a board that restarts, or learns the time only
 * now, knows at once what it would be doing. A local time that is skipped when clocks are set forward fires at the moment of the
 * change; one that comes twice when they are set back fires the first time only.
 */
import { weekdayOfDay } from "./civil.ts";
import { dayAt, instantOf, type Zone } from "./zone.ts";

export type Schedule =
  /** Once, at an instant in Unix milliseconds. */
  | { readonly kind: "at"; readonly atMs: number }
  /** At every multiple of `everyMs` since 1970-01-01T00:00Z, so that all boards fire together: every 15 minutes is on the quarter hour. */
  | { readonly kind: "every"; readonly everyMs: number }
  /** At `minutes` after midnight in `zone`, on the days of the week whose bits are set: bit 0 Sunday to bit 6 Saturday. */
  | { readonly kind: "daily"; readonly minutes: number; readonly weekdays: number; readonly zone: Zone };

export const everyWeekday = 0b1111111;

/** The first firing after `afterMs`; Infinity when there is none any more. */
export function nextFireMs(schedule: Schedule, afterMs: number): number {
  switch (schedule.kind) {
    case "at":
      return schedule.atMs > afterMs ? schedule.atMs : Infinity;
    case "every":
      return (Math.floor(afterMs / schedule.everyMs) + 1) * schedule.everyMs;
    case "daily": {
      const today = dayAt(schedule.zone, afterMs);
      for (let day = today; day <= today + daysMax; day++) {
        if (!firesOn(schedule.weekdays, day)) continue;
        const atMs = instantOf(schedule.zone, day, schedule.minutes);
        if (atMs > afterMs) return atMs;
      }
      return Infinity;
    }
  }
}

/** The last firing up to and at `atMs`; -Infinity when there was none yet. */
export function lastFireMs(schedule: Schedule, atMs: number): number {
  switch (schedule.kind) {
    case "at":
      return schedule.atMs <= atMs ? schedule.atMs : -Infinity;
    case "every":
      return Math.floor(atMs / schedule.everyMs) * schedule.everyMs;
    case "daily": {
      const today = dayAt(schedule.zone, atMs);
      // Where clocks are set back over midnight, tomorrow has begun already and comes again.
      for (let day = today + 1; day >= today - daysMax; day--) {
        if (!firesOn(schedule.weekdays, day)) continue;
        const firedMs = instantOf(schedule.zone, day, schedule.minutes);
        if (firedMs <= atMs) return firedMs;
      }
      return -Infinity;
    }
  }
}

/** Every day of the week has come again by then, and a day more for a change of clocks. */
const daysMax = 8;

function firesOn(weekdays: number, day: number): boolean {
  return ((weekdays >> weekdayOfDay(day)) & 1) === 1;
}
