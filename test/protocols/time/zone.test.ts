import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZoneOffsets } from "../../../host-tools/swarm-file/time-zone.ts";
import { daysFromCivil, isLeapYear, weekdayOfDay, yearOfDay } from "../../../protocols/time/civil.ts";
import { parseZone, ZoneTextError } from "../../../protocols/time/posix-tz.ts";
import { instantOf, offsetMinutesAt } from "../../../protocols/time/zone.ts";
import { footers } from "./zones.ts";

const from2026 = Date.UTC(2026, 0, 1);
const to2037 = Date.UTC(2037, 0, 1);

describe("dates", () => {
  test("agree with the engine's, for 4,000 years each way", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_460_000, max: 1_460_000 }), (day) => {
        const date = new Date(day * 86_400_000);
        const year = date.getUTCFullYear();
        expect(yearOfDay(day)).toBe(year);
        expect(weekdayOfDay(day)).toBe(date.getUTCDay());
        expect(daysFromCivil(year, date.getUTCMonth() + 1, date.getUTCDate())).toBe(day);
      }),
      { numRuns: 2000 },
    );
  });

  test("know the ends of years and the leap days", () => {
    for (const year of [1900, 1970, 1999, 2000, 2024, 2026, 2028, 2100, 2400]) {
      expect(yearOfDay(daysFromCivil(year, 1, 1))).toBe(year);
      expect(yearOfDay(daysFromCivil(year, 1, 1) - 1)).toBe(year - 1);
      expect(daysFromCivil(year, 3, 1) - daysFromCivil(year, 2, 28)).toBe(isLeapYear(year) ? 2 : 1);
    }
  });
});

describe("a zone's rule", () => {
  test.each(Object.entries(footers))(
    "of %s changes its clocks when Intl does, 2026 to 2036",
    (name, text) => {
      const zone = parseZone(text);
      const intl = new ZoneOffsets(name);
      const changes = intl.changes(from2026, to2037);
      expect(changes).toHaveLength(zone.daylight === undefined ? 0 : 22);
      for (const { atMs, fromMinutes, toMinutes } of changes) {
        expect(offsetMinutesAt(zone, atMs - 1)).toBe(fromMinutes);
        expect(offsetMinutesAt(zone, atMs)).toBe(toMinutes);
      }
      fc.assert(
        fc.property(fc.integer({ min: from2026, max: to2037 }), (atMs) => {
          expect(offsetMinutesAt(zone, atMs)).toBe(intl.minutesAt(atMs));
        }),
      );
    },
  );

  test("may count days of the year, with and without the leap day", () => {
    const julian = parseZone("XXX0YYY,J60/0,J365/0");
    const counted = parseZone("XXX0YYY,59/0,364/0");
    const first = (zone: typeof julian, year: number, month: number, day: number) =>
      offsetMinutesAt(zone, Date.UTC(year, month - 1, day)) -
      offsetMinutesAt(zone, Date.UTC(year, month - 1, day) - 1);
    expect(first(julian, 2027, 3, 1)).toBe(60);
    expect(first(julian, 2028, 3, 1)).toBe(60);
    expect(first(counted, 2027, 3, 1)).toBe(60);
    expect(first(counted, 2028, 2, 29)).toBe(60);
  });

  test("may be daylight time all year (RFC 9636, section 3.3.1)", () => {
    const zone = parseZone("EST5EDT,0/0,J365/25");
    fc.assert(
      fc.property(fc.integer({ min: from2026, max: to2037 }), (atMs) => {
        expect(offsetMinutesAt(zone, atMs)).toBe(-240);
      }),
    );
    for (let year = 2026; year < 2037; year++) {
      const newYear = Date.UTC(year, 0, 1);
      for (const hour of [3, 4, 5, 6]) expect(offsetMinutesAt(zone, newYear + hour * 3_600_000)).toBe(-240);
    }
  });
});

test("a local time that is shown comes back as itself, one that is skipped as the moment of the change", () => {
  const berlin = parseZone(footers["Europe/Berlin"]!);
  const day = (month: number, date: number) => daysFromCivil(2027, month, date);
  expect(instantOf(berlin, day(7, 1), 6 * 60)).toBe(Date.UTC(2027, 6, 1, 4));
  expect(instantOf(berlin, day(3, 28), 150)).toBe(Date.UTC(2027, 2, 28, 1));
  expect(instantOf(berlin, day(10, 31), 150)).toBe(Date.UTC(2027, 9, 31, 0, 30));
});

describe("refused as a zone", () => {
  test.each([
    ["", 0],
    ["CE", 0],
    ["CET", 3],
    ["CET-25", 4],
    ["CET-1CEST", 9],
    ["CET-1CEST,M3.5.0", 16],
    ["CET-1CEST,M13.5.0,M10.5.0", 11],
    ["CET-1CEST,M3.6.0,M10.5.0", 13],
    ["CET-1CEST,M3.5.7,M10.5.0", 15],
    ["CET-1CEST,J0,M10.5.0", 11],
    ["CET-1CEST,M3.5.0/168,M10.5.0", 17],
    ["CET-1CEST,M3.5.0,M10.5.0/3x", 26],
    ["LMT-0:53:28", 9],
    ["<>0", 0],
    ["<+1", 3],
  ])("%j, at character %i", (text, at) => {
    try {
      parseZone(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ZoneTextError);
      expect((error as ZoneTextError).at).toBe(at);
    }
  });

  test("any text whatever, with a ZoneTextError or as a zone", () => {
    const piece = fc.constantFrom("CET", "-1", "5", ",", "M3.5.0", "J60", "/", "3", ":30", "<+01>", "é", "-");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (text) => {
          try {
            expect(Number.isInteger(parseZone(text).standardMinutes)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(ZoneTextError);
          }
        },
      ),
    );
  });
});
