/** Schedules on a board: what they decide, against rules, settings, restarts and a clock that is told late or anew. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockQueue } from "../../../firmware/sensing/block-queue.ts";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../firmware/sensing/sensing.ts";
import type { Output, Program, ScheduledValue } from "../../../protocols/pipeline/program.ts";
import { parseZone } from "../../../protocols/time/posix-tz.ts";
import { nextFireMs } from "../../../protocols/time/schedule.ts";

const hourMs = 3_600_000;
const berlin = parseZone("CET-1CEST,M3.5.0,M10.5.0/3");
const lamp: Output = { name: "lamp", kind: "digital", pin: 5, safeValue: 0, setting: "lamp.on" };
const everyMorning = { kind: "daily", minutes: 360, weekdays: 127, zone: berlin } as const;
const everyEvening = { kind: "daily", minutes: 22 * 60, weekdays: 127, zone: berlin } as const;
const on = (over: Partial<ScheduledValue> = {}): ScheduledValue => {
  return { schedule: everyMorning, output: "lamp", value: 1, forMs: 2 * hourMs, ...over };
};

/** A board's sensing from a boot on; its clock starts at 0 when the wall's time is `bootedAt`. */
class Booted {
  readonly settings = new Map<string, number | boolean>();
  readonly changes: string[] = [];
  readonly sensing: Sensing;
  /** What the board believes; NaN while it does not know. */
  epochMs: number;
  sensor = 0;
  nowMs = 0;

  constructor(program: Program, bootedAt: string, knowsTime = true) {
    this.epochMs = knowsTime ? Date.parse(bootedAt) : Number.NaN;
    this.sensing = new Sensing({
      board: "north-1",
      sensors: { read: () => this.sensor },
      actuators: {
        configure: () => {},
        write: (_, value) => {
          const at = Number.isNaN(this.epochMs) ? "?" : new Date(this.epochMs + this.nowMs).toISOString();
          this.changes.push(`${at.slice(0, 16)} ${value}`);
        },
        release: () => {},
      },
      settings: this.settings,
      queue: new ReadingQueue(8),
      blocks: new BlockQueue(4),
      wallMs: (nowMs) => this.epochMs + nowMs,
      onOutputRefused: () => {},
      onModelRefused: () => {},
    });
    this.sensing.load(program, 0);
  }

  get lamp() {
    const { value, cause } = this.sensing.outputs()[0]!;
    return { value, cause };
  }

  run(forMs: number): this {
    const endMs = this.nowMs + forMs;
    for (let turns = 0; this.sensing.dueMs <= endMs; turns++) {
      if (turns > 10_000) throw new Error("The board never comes to rest.");
      this.nowMs = Math.max(this.nowMs, this.sensing.dueMs);
      this.sensing.run(this.nowMs);
    }
    this.nowMs = endMs;
    return this;
  }

  learnTime(at: string): void {
    this.epochMs = Date.parse(at) - this.nowMs;
    this.sensing.onTime(this.nowMs);
  }
}

const program = (...schedules: ScheduledValue[]): Program => {
  return { pipelines: [], outputs: [lamp], rules: [], schedules };
};

describe("a schedule", () => {
  test("holds its output from its time on for as long as it says, over a change of clocks, too", () => {
    const it = new Booted(program(on()), "2027-03-26T12:00Z").run(3 * 24 * hourMs);
    expect(it.changes).toEqual([
      "2027-03-27T05:00 1",
      "2027-03-27T07:00 0",
      "2027-03-28T04:00 1",
      "2027-03-28T06:00 0",
      "2027-03-29T04:00 1",
      "2027-03-29T06:00 0",
    ]);
    expect(it.lamp).toEqual({ value: 0, cause: "safe" });
  });

  test("that ends with no time of its own holds until another of its output fires", () => {
    const it = new Booted(
      program(on({ forMs: 0 }), on({ schedule: everyEvening, value: 0, forMs: 0 })),
      "2027-07-01T12:00Z",
    );
    // The morning's fired before the boot and still holds.
    expect(it.lamp).toEqual({ value: 1, cause: "schedule" });
    it.run(24 * hourMs);
    expect(it.changes).toEqual(["2027-07-01T12:00 1", "2027-07-01T20:00 0", "2027-07-02T04:00 1"]);
  });

  test("of two that fire together the first counts, of others the later", () => {
    const noon = { kind: "daily", minutes: 720, weekdays: 127, zone: berlin } as const;
    const it = new Booted(
      program(
        on({ schedule: noon, value: 0, forMs: hourMs }),
        on({ schedule: noon, forMs: 2 * hourMs }),
        on({ schedule: everyMorning, value: 1, forMs: 24 * hourMs }),
      ),
      "2027-07-01T04:00Z",
    ).run(12 * hourMs);
    expect(it.changes).toEqual(["2027-07-01T04:00 1", "2027-07-01T10:00 0", "2027-07-01T11:00 1"]);
  });

  test("gives way to a rule, and goes before a setting", () => {
    const rule = {
      metric: "heat",
      when: "above",
      threshold: 50,
      hysteresis: 0,
      forMs: 0,
      output: "lamp",
      value: 0,
    } as const;
    const heat = { metric: "heat", sensor: "heat", everyMs: 60_000, stages: [] };
    const all = { ...program(on()), pipelines: [heat], rules: [rule] };
    const it = new Booted(all, "2027-07-01T03:30Z");
    it.settings.set("lamp.on", true);
    it.sensing.load(all, 0);
    expect(it.lamp).toEqual({ value: 1, cause: "setting" });
    it.run(hourMs);
    expect(it.lamp).toEqual({ value: 1, cause: "schedule" });
    it.sensor = 60;
    it.run(60_000);
    expect(it.lamp).toEqual({ value: 0, cause: "rule" });
    it.sensor = 20;
    it.run(60_000);
    expect(it.lamp).toEqual({ value: 1, cause: "schedule" });
    it.run(2 * hourMs);
    expect(it.lamp).toEqual({ value: 1, cause: "setting" });
  });

  test("does nothing while the board does not know the time, and what it should at once when it learns it", () => {
    const it = new Booted(program(on()), "2027-07-01T03:30Z", false).run(hourMs);
    expect(it.lamp).toEqual({ value: 0, cause: "safe" });
    expect(it.sensing.dueMs).toBe(Infinity);
    it.learnTime("2027-07-01T04:30Z");
    expect(it.lamp).toEqual({ value: 1, cause: "schedule" });
    it.run(2 * hourMs);
    expect(it.changes).toEqual(["2027-07-01T04:30 1", "2027-07-01T06:00 0"]);
  });

  test("follows a clock that is set", () => {
    const it = new Booted(program(on()), "2027-07-01T05:50Z");
    expect(it.lamp.value).toBe(1);
    it.learnTime("2027-07-01T06:10Z");
    expect(it.lamp.value).toBe(0);
    it.learnTime("2027-07-01T05:55Z");
    expect(it.lamp.value).toBe(1);
    it.run(5 * 60_000);
    expect(it.lamp.value).toBe(0);
  });

  test("an instant in the past with a time of its own is over; one without holds", () => {
    const past = { kind: "at", atMs: Date.parse("2027-01-01T00:00Z") } as const;
    expect(new Booted(program(on({ schedule: past })), "2027-07-01T00:00Z").lamp.value).toBe(0);
    expect(new Booted(program(on({ schedule: past, forMs: 0 })), "2027-07-01T00:00Z").lamp.value).toBe(1);
  });

  test("ends with the program that had it", () => {
    const it = new Booted(program(on({ forMs: 0 })), "2027-07-01T12:00Z");
    expect(it.lamp.value).toBe(1);
    it.sensing.load(program(), 0);
    expect(it.lamp).toEqual({ value: 0, cause: "safe" });
  });
});

test("a board that restarts at any moment drives what one that ran through does", () => {
  const some = program(
    on(),
    on({ schedule: { kind: "every", everyMs: 5 * hourMs }, value: 0, forMs: 90 * 60_000 }),
    on({ schedule: everyEvening, forMs: 0 }),
    on({ schedule: { ...everyMorning, minutes: 150, weekdays: 0b1000001 }, value: 0, forMs: 20 * 60_000 }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2027, 0, 1), max: Date.UTC(2028, 11, 31) }),
      fc.integer({ min: 1, max: 4 * 24 * hourMs }),
      (bootMs, laterMs) => {
        const through = new Booted(some, new Date(bootMs).toISOString()).run(laterMs);
        const restarted = new Booted(some, new Date(bootMs + laterMs).toISOString());
        expect(restarted.lamp).toEqual(through.lamp);
      },
    ),
  );
});

test("every firing is one turn of the board at its very millisecond, with an hour's look between", () => {
  const it = new Booted(program(on({ forMs: 0 })), "2027-07-01T12:00:00.123Z");
  const atMs = nextFireMs(everyMorning, it.epochMs);
  let turns = 0;
  for (; it.sensing.dueMs < atMs - it.epochMs; turns++) it.sensing.run(it.sensing.dueMs);
  expect(turns).toBe(15);
  expect(it.sensing.dueMs).toBe(atMs - it.epochMs);
});
