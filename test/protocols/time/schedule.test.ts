import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZoneOffsets } from "../../../host-tools/swarm-file/time-zone.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { weekdayOfDay } from "../../../protocols/time/civil.ts";
import { parseZone } from "../../../protocols/time/posix-tz.ts";
import { lastFireMs, nextFireMs, type Schedule } from "../../../protocols/time/schedule.ts";
import {
  scheduleFromWire,
  scheduleToWire,
  zoneFromWire,
  zoneToWire,
} from "../../../protocols/time/schedule-codec.ts";
import { footers, zones } from "./zones.ts";

const minuteMs = 60_000;
const from2026 = Date.UTC(2026, 0, 1);
const to2036 = Date.UTC(2036, 11, 1);
const everyDay = 0b1111111;

/** What clocks on the wall show, by Intl, minute by minute; all changes of clocks are on a quarter hour. */
class WallClock {
  readonly #offsets: ZoneOffsets;
  readonly #known = new Map<number, number>();

  constructor(name: string) {
    this.#offsets = new ZoneOffsets(name);
  }

  localMinute(minute: number): number {
    const quarter = Math.floor(minute / 15);
    const known = this.#known.get(quarter);
    const offset = known ?? this.#offsets.minutesAt(quarter * 15 * minuteMs);
    if (known === undefined) this.#known.set(quarter, offset);
    return minute + offset;
  }
}

/**
 * The plainest model of a daily schedule: watch the clock each minute; whenever it shows a time that it has not shown before, all the
 * times up to there have come, and a scheduled one among them fires.
 */
function modelFirings(
  clock: WallClock,
  minutes: number,
  weekdays: number,
  fromMs: number,
  toMs: number,
): number[] {
  const firings: number[] = [];
  const start = Math.floor(fromMs / minuteMs) - 26 * 60;
  let latest = clock.localMinute(start);
  for (let minute = start + 1; minute * minuteMs <= toMs; minute++) {
    const local = clock.localMinute(minute);
    for (let shown = latest + 1; shown <= local; shown++) {
      const day = Math.floor(shown / 1440);
      const isScheduled = shown - day * 1440 === minutes && (weekdays >> weekdayOfDay(day)) % 2 === 1;
      if (isScheduled && minute * minuteMs > fromMs) firings.push(minute * minuteMs);
    }
    latest = Math.max(latest, local);
  }
  return firings;
}

const named = Object.entries(footers).map(([name, text]) => ({
  name,
  zone: parseZone(text),
  clock: new WallClock(name),
  changes: new ZoneOffsets(name).changes(from2026, to2036).map(({ atMs }) => atMs),
}));

/** Times near the changes of clocks and the turns of years, and any others. */
const starts = (changes: readonly number[]) => {
  const turns = [2026, 2027, 2028, 2032].map((year) => Date.UTC(year, 11, 31));
  const leaps = [2028, 2032].map((year) => Date.UTC(year, 1, 28));
  const near = fc
    .tuple(fc.constantFrom(...changes, ...turns, ...leaps), fc.integer({ min: -30 * 60, max: 6 * 60 }))
    .map(([atMs, minutes]) => atMs + minutes * minuteMs);
  return fc.oneof(near, fc.integer({ min: from2026, max: to2036 }));
};

describe("a daily schedule", () => {
  const cases = fc.constantFrom(...named).chain(({ name, zone, clock, changes }) =>
    fc.record({
      name: fc.constant(name),
      zone: fc.constant(zone),
      clock: fc.constant(clock),
      fromMs: starts(changes),
      // Most changes are in the first hours of the day.
      minutes: fc.oneof(fc.integer({ min: 0, max: 240 }), fc.integer({ min: 0, max: 1439 })),
      weekdays: fc.oneof(fc.constant(everyDay), fc.integer({ min: 1, max: everyDay })),
    }),
  );

  test("fires when a clock on the wall first reaches its time, neither more nor less", () => {
    fc.assert(
      fc.property(cases, ({ zone, clock, fromMs, minutes, weekdays }) => {
        const schedule: Schedule = { kind: "daily", minutes, weekdays, zone };
        const toMs = fromMs + 9 * 1440 * minuteMs;
        const firings: number[] = [];
        for (let atMs = nextFireMs(schedule, fromMs); atMs <= toMs; atMs = nextFireMs(schedule, atMs)) {
          expect(atMs).toBeGreaterThan(firings.at(-1) ?? fromMs);
          firings.push(atMs);
        }
        expect(firings).toEqual(modelFirings(clock, minutes, weekdays, fromMs, toMs));
      }),
      { numRuns: 400 },
    );
  });

  test("its last firing is the one whose next is later", () => {
    fc.assert(
      fc.property(cases, ({ zone, fromMs, minutes, weekdays }) => {
        const schedule: Schedule = { kind: "daily", minutes, weekdays, zone };
        const lastMs = lastFireMs(schedule, fromMs);
        expect(lastMs).toBeLessThanOrEqual(fromMs);
        expect(nextFireMs(schedule, lastMs)).toBeGreaterThan(fromMs);
        expect(nextFireMs(schedule, lastMs - 1)).toBe(lastMs);
      }),
      { numRuns: 500 },
    );
  });

  const berlin = parseZone(footers["Europe/Berlin"]!);
  const next = (minutes: number, after: string, weekdays = everyDay) =>
    new Date(nextFireMs({ kind: "daily", minutes, weekdays, zone: berlin }, Date.parse(after))).toISOString();

  test.each([
    ["on a summer's day", 360, "2027-07-01T00:00Z", "2027-07-01T04:00:00.000Z"],
    ["skipped: at the moment of the change", 150, "2027-03-28T00:00Z", "2027-03-28T01:00:00.000Z"],
    ["the day after one skipped, at its time again", 150, "2027-03-28T01:00Z", "2027-03-29T00:30:00.000Z"],
    ["twice: the first time", 150, "2027-10-30T12:00Z", "2027-10-31T00:30:00.000Z"],
    ["twice: not the second time", 150, "2027-10-31T00:30Z", "2027-11-01T01:30:00.000Z"],
    ["over the turn of a year", 0, "2027-12-31T12:00Z", "2027-12-31T23:00:00.000Z"],
    ["on a leap day", 720, "2028-02-28T12:00Z", "2028-02-29T11:00:00.000Z"],
  ])("in Berlin, %s", (_, minutes, after, at) => expect(next(minutes, after)).toBe(at));

  test("shortly after midnight, where clocks are then set back to the evening before, it has been", () => {
    // Newfoundland until 2011: on the first Sunday of November, 00:01 was followed by 23:01 of Saturday.
    const zone = parseZone("NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01");
    const schedule: Schedule = { kind: "daily", minutes: 0, weekdays: everyDay, zone };
    const firedMs = Date.parse("2010-11-07T02:30Z");
    const secondEveningMs = firedMs + 20 * minuteMs;
    expect(lastFireMs(schedule, secondEveningMs)).toBe(firedMs);
    expect(nextFireMs(schedule, secondEveningMs)).toBe(Date.parse("2010-11-08T03:30Z"));
  });

  test("on Mondays and Fridays", () => {
    const weekdays = 0b0100010;
    expect(next(390, "2026-11-23T05:30Z", weekdays)).toBe("2026-11-27T05:30:00.000Z");
    expect(next(390, "2026-11-27T05:30Z", weekdays)).toBe("2026-11-30T05:30:00.000Z");
  });
});

test("every quarter of an hour is on the quarter hour, whenever it is asked", () => {
  const schedule: Schedule = { kind: "every", everyMs: 900_000 };
  fc.assert(
    fc.property(fc.integer({ min: from2026, max: to2036 }), (atMs) => {
      const nextMs = nextFireMs(schedule, atMs);
      expect(nextMs % 900_000).toBe(0);
      expect(nextMs - lastFireMs(schedule, atMs)).toBe(900_000);
      expect(nextMs).toBeGreaterThan(atMs);
    }),
  );
});

test("an instant comes once", () => {
  const schedule: Schedule = { kind: "at", atMs: 1000 };
  expect(nextFireMs(schedule, 999)).toBe(1000);
  expect(nextFireMs(schedule, 1000)).toBe(Infinity);
  expect(lastFireMs(schedule, 999)).toBe(-Infinity);
  expect(lastFireMs(schedule, 1000)).toBe(1000);
});

describe("on the wire", () => {
  test("zones come back as they were", () => {
    fc.assert(
      fc.property(zones, (zone) => {
        expect(zoneFromWire(decodeCbor(encodeCbor(zoneToWire(zone))), "program", "zone 0")).toEqual(zone);
      }),
    );
  });

  test("schedules come back as they were, and share their zones", () => {
    const some: Schedule[] = [
      { kind: "at", atMs: 1_800_000_000_000 },
      { kind: "every", everyMs: 900_000 },
      ...named.map(({ zone }): Schedule => ({ kind: "daily", minutes: 360, weekdays: everyDay, zone })),
      { kind: "daily", minutes: 1320, weekdays: 0b0100010, zone: parseZone(footers["Europe/Berlin"]!) },
    ];
    const zoneValues: CborValue[] = [];
    const values = some.map((schedule) => scheduleToWire(schedule, zoneValues));
    expect(zoneValues).toHaveLength(named.length);
    const shared = zoneValues.map((value, i) => zoneFromWire(value, "program", `zone ${i}`));
    const back = values.map((value, i) => scheduleFromWire(value, shared, "program", `schedule ${i}`));
    expect(back).toEqual(some);
    expect(encodeCbor(zoneValues[0]!).length).toBeLessThanOrEqual(20);
  });

  const berlin = parseZone(footers["Europe/Berlin"]!);
  test.each<[string, CborValue, RegExp]>([
    ["of another kind", [3, 0], /kind of schedule 0/],
    ["too often", [1, 999], /everyMs of schedule 0/],
    ["at no hour", [2, 1440, 1, 0], /minutes of schedule 0/],
    ["on no day", [2, 0, 0, 0], /weekdays of schedule 0/],
    ["in no zone", [2, 0, 1, 1], /zone of schedule 0/],
    ["that says more", [1, 1000, 0], /the end of schedule 0/],
    ["before 1970", [0, -1], /atMs of schedule 0/],
  ])("a schedule %s is refused", (_, value, sentence) => {
    expect(() => scheduleFromWire(value, [berlin], "program", "schedule 0")).toThrow(ShapeError);
    expect(() => scheduleFromWire(value, [berlin], "program", "schedule 0")).toThrow(sentence);
  });

  test.each<[string, CborValue]>([
    ["nothing", []],
    ["half a rule", [60, 120]],
    ["a change of text", [60, 120, "M3.5.0", "M10.5.0"]],
    ["a thirteenth month", [60, 120, [120, 13, 5, 0], [180, 10, 5, 0]]],
    ["more", [60, 120, [120, 3, 5, 0], [180, 10, 5, 0], 0]],
  ])("a zone of %s is refused", (_, value) => {
    expect(() => zoneFromWire(value, "program", "zone 0")).toThrow(ShapeError);
  });
});
