/** Arbitrary valid programs, for property tests. */
import fc from "fast-check";
import type {
  Pipeline,
  Program,
  ScheduledValue,
  SleepPlan,
  Stage,
} from "../../../protocols/pipeline/program.ts";
import type { Schedule } from "../../../protocols/time/schedule.ts";
import { zones } from "../time/zones.ts";

const name = fc.stringMatching(/^[a-z0-9.-]{1,32}$/);
const settingKey = fc.stringMatching(/^[A-Za-z0-9._/-]{1,48}$/);
const duration = fc.integer({ min: 0, max: 0x7fff_ffff });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

export const stages: fc.Arbitrary<Stage> = fc.oneof(
  fc.integer({ min: 1, max: 15 }).map((half): Stage => ({ op: "median", count: 2 * half + 1 })),
  duration.map((windowMs): Stage => ({ op: "mean", windowMs: Math.max(1, windowMs) })),
  fc
    .tuple(finite, duration)
    .map(([delta, silenceMs]): Stage => ({ op: "deadband", delta: Math.abs(delta), silenceMs })),
);

const pipelines: fc.Arbitrary<Pipeline> = fc.record({
  metric: name,
  sensor: name,
  everyMs: fc.integer({ min: 10, max: 0x7fff_ffff }),
  stages: fc.array(stages, { maxLength: 8 }),
});

const output = fc.constantFrom("digital" as const, "pwm" as const).chain((kind) =>
  fc.record({
    name,
    kind: fc.constant(kind),
    pin: fc.integer({ min: 0, max: 255 }),
    safeValue: value(kind),
    setting: fc.option(settingKey, { nil: undefined }),
  }),
);

export const programs: fc.Arbitrary<Program> = fc
  .tuple(
    fc.uniqueArray(pipelines, { maxLength: 16, selector: ({ metric }) => metric }),
    fc.uniqueArray(output, { maxLength: 16, selector: (each) => each.name }),
  )
  .chain(([someps, outputs]) =>
    fc.record({
      pipelines: fc.constant(someps),
      outputs: fc.constant(outputs),
      rules:
        someps.length === 0 || outputs.length === 0
          ? fc.constant([])
          : fc.array(rule(someps, outputs), { maxLength: 16 }),
    }),
  )
  .chain((program) => {
    // None is written by leaving them out.
    if (program.outputs.length === 0) return fc.constant(program);
    const schedules = fc.array(scheduled(program.outputs), { maxLength: 16 });
    return fc
      .tuple(schedules, sleeps)
      .map(([some, sleep]) => ({ ...program, ...(some.length === 0 ? {} : { schedules: some }), sleep }));
  });

function rule(
  someps: readonly Pipeline[],
  outputs: Program["outputs"],
): fc.Arbitrary<Program["rules"][number]> {
  return fc.constantFrom(...outputs).chain(({ name: driven, kind }) =>
    fc.record({
      metric: fc.constantFrom(...someps).map(({ metric }) => metric),
      when: fc.constantFrom("above" as const, "below" as const),
      threshold: fc.oneof(finite, settingKey),
      hysteresis: finite.map(Math.abs),
      forMs: duration,
      output: fc.constant(driven),
      value: value(kind),
    }),
  );
}

function value(kind: "digital" | "pwm"): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: kind === "digital" ? 1 : 100 });
}

const sleeps: fc.Arbitrary<SleepPlan | undefined> = fc.option(
  fc
    .tuple(fc.integer({ min: 1000, max: 0x3fff_ffff }), fc.integer({ min: 1000, max: 0x3fff_ffff }))
    .map(([awakeMs, asleepMs]) => ({ awakeMs, everyMs: awakeMs + asleepMs })),
  { nil: undefined },
);

const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.integer({ min: 0, max: 253_402_300_799_000 }).map((atMs): Schedule => ({ kind: "at", atMs })),
  fc.integer({ min: 1_000, max: 0x7fff_ffff }).map((everyMs): Schedule => ({ kind: "every", everyMs })),
  fc.record({
    kind: fc.constant("daily" as const),
    minutes: fc.integer({ min: 0, max: 1439 }),
    weekdays: fc.integer({ min: 1, max: 127 }),
    zone: zones,
  }),
);

function scheduled(outputs: Program["outputs"]): fc.Arbitrary<ScheduledValue> {
  return fc
    .constantFrom(...outputs)
    .chain(({ name: driven, kind }) =>
      fc.record({ schedule: schedules, output: fc.constant(driven), value: value(kind), forMs: duration }),
    );
}
