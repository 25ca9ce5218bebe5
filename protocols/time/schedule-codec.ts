/**
 * Schedules and zones as CBOR values.
 *
 * ```
 * schedule  [0, atMs] | [1, everyMs] | [2, minutes, weekdays, zone]      zone: its place in the program's list of zones
 * zone      [standardMinutes] | [standardMinutes, daylightMinutes, begins, ends]
 * change    [minutes, month, week, weekday] | [minutes, day] | [minutes, 0, julian day]
 * ```
 *
 * `...FromWire` throw `ShapeError` for what does not fit; `format` and `part` say where it was.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { minutesOfDay } from "./civil.ts";
import { everyWeekday, type Schedule } from "./schedule.ts";
import { type YearlyChange, type Zone, zoneLimits } from "./zone.ts";

export const scheduleLimits = Object.freeze({
  everyMsMin: 1_000,
  /** A board's timers end here. */
  everyMsMax: 0x7fff_ffff,
  /** The year 9999; also keeps sums of times whole. */
  atMsMax: 253_402_300_799_000,
});

/** `zones` is the list of the program's zones so far; one that it lacks is added to it. */
export function scheduleToWire(schedule: Schedule, zones: CborValue[]): CborValue {
  switch (schedule.kind) {
    case "at":
      return [0, schedule.atMs];
    case "every":
      return [1, schedule.everyMs];
    case "daily":
      return [2, schedule.minutes, schedule.weekdays, placeOf(zoneToWire(schedule.zone), zones)];
  }
}

export function scheduleFromWire(
  value: CborValue,
  zones: readonly Zone[],
  format: string,
  part: string,
): Schedule {
  const items = new ItemReader(value, format, part, 2);
  const kind = items.integer("kind", 0, 2);
  let schedule: Schedule;
  if (kind === 0) schedule = { kind: "at", atMs: items.integer("atMs", 0, scheduleLimits.atMsMax) };
  else if (kind === 1) {
    const { everyMsMin, everyMsMax } = scheduleLimits;
    schedule = { kind: "every", everyMs: items.integer("everyMs", everyMsMin, everyMsMax) };
  } else {
    const minutes = items.integer("minutes", 0, minutesOfDay - 1);
    const weekdays = items.integer("weekdays", 1, everyWeekday);
    const place = items.integer("zone", 0, zones.length - 1);
    schedule = { kind: "daily", minutes, weekdays, zone: zones[place]! };
  }
  items.end();
  return schedule;
}

export function zoneToWire({ standardMinutes, daylight }: Zone): CborValue {
  if (daylight === undefined) return [standardMinutes];
  return [standardMinutes, daylight.minutes, changeToWire(daylight.begins), changeToWire(daylight.ends)];
}

export function zoneFromWire(value: CborValue, format: string, part: string): Zone {
  const items = new ItemReader(value, format, part, 1);
  const offsetMax = 60 * zoneLimits.offsetHoursMax + 59;
  const standardMinutes = items.integer("standardMinutes", -offsetMax, offsetMax);
  if ((value as readonly CborValue[]).length === 1) return { standardMinutes, daylight: undefined };
  const minutes = items.integer("daylightMinutes", -offsetMax, offsetMax);
  const begins = changeFromWire(items.any(), format, `the beginning of ${part}`);
  const ends = changeFromWire(items.any(), format, `the end of ${part}`);
  items.end();
  return { standardMinutes, daylight: { minutes, begins, ends } };
}

function changeToWire({ minutes, on }: YearlyChange): CborValue {
  switch (on.kind) {
    case "weekday":
      return [minutes, on.month, on.week, on.weekday];
    case "julian":
      return [minutes, 0, on.day];
    case "day":
      return [minutes, on.day];
  }
}

function changeFromWire(value: CborValue | undefined, format: string, part: string): YearlyChange {
  const items = new ItemReader(value, format, part, 2);
  const minutesMax = 60 * zoneLimits.changeHoursMax + 59;
  const minutes = items.integer("minutes", -minutesMax, minutesMax);
  const { length } = value as readonly CborValue[];
  let on: YearlyChange["on"];
  if (length === 2) on = { kind: "day", day: items.integer("day", 0, 365) };
  else if (length === 3) {
    items.integer("month", 0, 0);
    on = { kind: "julian", day: items.integer("day", 1, 365) };
  } else {
    const month = items.integer("month", 1, 12);
    const week = items.integer("week", 1, 5);
    on = { kind: "weekday", month, week, weekday: items.integer("weekday", 0, 6) };
  }
  items.end();
  return { minutes, on };
}

/** Zones are few, and alike when their wire forms are. */
function placeOf(zone: CborValue, zones: CborValue[]): number {
  const text = JSON.stringify(zone);
  const known = zones.findIndex((other) => JSON.stringify(other) === text);
  return known >= 0 ? known : zones.push(zone) - 1;
}
