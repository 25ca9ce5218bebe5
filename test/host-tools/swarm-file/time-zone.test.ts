/** What names of zones compile to, against the zone database's own rules (test/protocols/time/zones.ts) and against Intl. */
import { describe, expect, test } from "vitest";
import {
  UnknownZoneError,
  UnruledZoneError,
  ZoneOffsets,
  zoneNamed,
} from "../../../host-tools/swarm-file/time-zone.ts";
import { parseZone } from "../../../protocols/time/posix-tz.ts";
import { offsetMinutesAt } from "../../../protocols/time/zone.ts";
import { footers } from "../../protocols/time/zones.ts";

const nowMs = Date.UTC(2026, 10, 22);
const to2037 = Date.UTC(2037, 0, 1);

describe("the rule of a zone", () => {
  test.each(Object.keys(footers))("%s is the zone database's, or tells the same times", (name) => {
    const zone = zoneNamed(name, nowMs);
    const known = parseZone(footers[name]!);
    for (const { atMs } of new ZoneOffsets(name).changes(nowMs, to2037)) {
      for (const at of [atMs - 1, atMs]) expect(offsetMinutesAt(zone, at)).toBe(offsetMinutesAt(known, at));
    }
    expect(zone.daylight === undefined).toBe(known.daylight === undefined);
  });

  test("is found for every zone that Intl knows, but for those that follow the moon", {
    timeout: 60_000,
  }, () => {
    const unruled: string[] = [];
    for (const name of Intl.supportedValuesOf("timeZone")) {
      try {
        const zone = zoneNamed(name, nowMs);
        const intl = new ZoneOffsets(name);
        expect(offsetMinutesAt(zone, nowMs), name).toBe(intl.minutesAt(nowMs));
      } catch (error) {
        if (!(error instanceof UnruledZoneError)) throw error;
        unruled.push(name);
      }
    }
    // As of 2026; the database may learn of changes in other years.
    const moon = ["Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"];
    expect(unruled.filter((name) => !moon.includes(name))).toEqual([]);
  });

  test("is none for a name that there is not", () => {
    expect(() => zoneNamed("Europe/Berln", nowMs)).toThrow(UnknownZoneError);
  });
});
