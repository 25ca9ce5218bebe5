/** Checks and compiles one schedule. */
import type { Output, ScheduledValue } from "../../protocols/pipeline/program.ts";
import { daysFromCivil } from "../../protocols/time/civil.ts";
import { everyWeekday, type Schedule } from "../../protocols/time/schedule.ts";
import { scheduleLimits } from "../../protocols/time/schedule-codec.ts";
import { instantOf, type Zone } from "../../protocols/time/zone.ts";
import { compileDuration } from "./compile-duration.ts";
import { compileEffect } from "./compile-rule.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { shown } from "./given.ts";
import type { SchedulePart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";
import { UnknownZoneError, UnruledZoneError, type ZoneRules, zoneNames } from "./time-zone.ts";

export interface ScheduleSurroundings {
  readonly outputs: readonly Output[];
  readonly zones: ZoneRules;
}

export function compileSchedule(
  part: SchedulePart,
  board: ScheduleSurroundings,
  diagnostics: Diagnostics,
): ScheduledValue {
  const schedule = new ScheduleCompilation(part, board, diagnostics).schedule();
  const value = compileEffect(part, board.outputs, diagnostics);
  const { everyMsMin } = scheduleLimits;
  const forMs =
    part.for === undefined ? 0 : compileDuration(part.for, everyMsMin, "for", part.effectSite, diagnostics);
  return { schedule, output: part.output, value, forMs };
}

/** The place of a day is its bit. */
const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const utc: Zone = { standardMinutes: 0, daylight: undefined };

class ScheduleCompilation {
  readonly #part: SchedulePart;
  readonly #zones: ZoneRules;
  readonly #diagnostics: Diagnostics;

  constructor(part: SchedulePart, board: ScheduleSurroundings, diagnostics: Diagnostics) {
    this.#part = part;
    this.#zones = board.zones;
    this.#diagnostics = diagnostics;
  }

  schedule(): Schedule {
    const { fires } = this.#part;
    switch (fires.kind) {
      case "at":
        return { kind: "at", atMs: this.#instant(fires.instant, fires.zone) };
      case "every": {
        const { everyMsMin } = scheduleLimits;
        const everyMs = compileDuration(
          fires.period,
          everyMsMin,
          "every",
          this.#part.site,
          this.#diagnostics,
        );
        return { kind: "every", everyMs };
      }
      case "daily":
        return {
          kind: "daily",
          minutes: this.#timeOfDay(fires.time),
          weekdays: fires.days === undefined ? everyWeekday : this.#weekdays(fires.days),
          zone: this.#zone(fires.zone),
        };
    }
  }

  #timeOfDay(given: unknown): number {
    const [, hours, minutes] = /^(\d\d?):(\d\d)$/.exec(String(given)) ?? [];
    if (hours !== undefined && Number(hours) < 24 && Number(minutes) < 60)
      return Number(hours) * 60 + Number(minutes);
    this.#wrong(given, `${shown(given)} is not a time of day; write it as "06:00" or "18:30".`);
    return 0;
  }

  #weekdays(given: unknown): number {
    if (!Array.isArray(given) || given.length === 0) {
      this.#wrong(given, 'the days of a week are a list such as ["monday", "friday"].');
      return everyWeekday;
    }
    let days = 0;
    for (const name of given) {
      const bit = weekdays.indexOf(name);
      if (bit < 0) this.#wrong(name, `${shown(name)} is not a day of the week${suggestion(name, weekdays)}`);
      else days |= 1 << bit;
    }
    return days || everyWeekday;
  }

  #zone(given: unknown): Zone {
    if (typeof given !== "string") {
      this.#wrong("zone", 'say in which time zone: { zone: "Europe/Berlin" }.');
      return utc;
    }
    try {
      return this.#zones.zone(given);
    } catch (error) {
      if (error instanceof UnknownZoneError) {
        const near = suggestion(given, zoneNames());
        this.#wrong(given, `${shown(given)} is not a time zone${near}`);
      } else if (error instanceof UnruledZoneError) {
        this.#wrong(
          given,
          `the clocks of ${given} follow no yearly rule that a board could keep; give this year's, such as "EET-2EEST,M3.5.0,M10.5.0/3", or "UTC".`,
        );
      } else throw error;
      return utc;
    }
  }

  /** ISO 8601: with `Z` or an offset, or without and in a zone. */
  #instant(given: unknown, zone: unknown): number {
    const [, year, month, day, hours, minutes, seconds, offset] =
      /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?$/.exec(String(given)) ?? [];
    const midnight = daysFromCivil(Number(year), Number(month), Number(day));
    const written = `${year}-${month}-${day}`;
    const isTime = Number(hours) < 24 && Number(minutes) < 60 && Number(seconds ?? 0) < 60;
    // The thirtieth of February is the first or second of March.
    if (!isTime || year! < "1970" || new Date(midnight * 86_400_000).toISOString().slice(0, 10) !== written) {
      this.#wrong(
        given,
        `${shown(given)} is not an instant; write it as "2027-12-24T18:00" with a zone, or as "2027-12-24T17:00Z".`,
      );
      return 0;
    }
    const minutesOfDay = Number(hours) * 60 + Number(minutes);
    const secondsMs = Number(seconds ?? 0) * 1000;
    if (offset === undefined)
      return Math.max(0, instantOf(this.#zone(zone), midnight, minutesOfDay) + secondsMs);
    if (zone !== undefined)
      this.#wrong("zone", `${shown(given)} says ${shown(offset)} itself; leave zone out.`);
    return Math.max(0, Date.parse(given as string));
  }

  #wrong(word: unknown, text: string): void {
    this.#diagnostics.add(this.#part.site, [String(word)], text);
  }
}
