/** Zones of every kind, as the footers of the zone database have them (2026), and arbitrary ones. */
import fc from "fast-check";
import type { YearlyChange, Zone } from "../../../protocols/time/zone.ts";

export const footers: Readonly<Record<string, string>> = {
  "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
  "Europe/London": "GMT0BST,M3.5.0/1,M10.5.0",
  // Winter is what differs: daylight time is an hour less.
  "Europe/Dublin": "IST-1GMT0,M10.5.0,M3.5.0/1",
  "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
  "America/St_Johns": "NST3:30NDT,M3.2.0,M11.1.0",
  // On Saturday evenings, because Denmark's Sunday has begun.
  "America/Nuuk": "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
  "America/Santiago": "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
  "Australia/Sydney": "AEST-10AEDT,M10.1.0,M4.1.0/3",
  // Half an hour of daylight time.
  "Australia/Lord_Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
  "Pacific/Chatham": "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
  "Asia/Kathmandu": "<+0545>-5:45",
  "Asia/Tokyo": "JST-9",
  // Midnight does not come on one day a year.
  "Asia/Beirut": "EET-2EEST,M3.5.0/0,M10.5.0/0",
  "Africa/Cairo": "EET-2EEST,M4.5.5/0,M10.5.4/24",
  UTC: "UTC0",
};

const minutes = fc.integer({ min: -167 * 60, max: 167 * 60 });
const offset = fc.integer({ min: -24 * 60, max: 24 * 60 });
const on: fc.Arbitrary<YearlyChange["on"]> = fc.oneof(
  fc.record({
    kind: fc.constant("weekday" as const),
    month: fc.integer({ min: 1, max: 12 }),
    week: fc.integer({ min: 1, max: 5 }),
    weekday: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({ kind: fc.constant("julian" as const), day: fc.integer({ min: 1, max: 365 }) }),
  fc.record({ kind: fc.constant("day" as const), day: fc.integer({ min: 0, max: 365 }) }),
);
const change = fc.record({ minutes, on });

export const zones: fc.Arbitrary<Zone> = fc.record({
  standardMinutes: offset,
  daylight: fc.option(fc.record({ minutes: offset, begins: change, ends: change }), { nil: undefined }),
});
