/** Arbitrary valid programs, for property tests. */
import fc from "fast-check";
import { type JoinedUse, joinOperations } from "../../../protocols/pipeline/joined-use.ts";
import type { ModelUse } from "../../../protocols/pipeline/model-use.ts";
import {
  type Operator,
  operators,
  type Parameter,
  statistics,
} from "../../../protocols/pipeline/operators.ts";
import type {
  Pipeline,
  Program,
  Proposal,
  ScheduledValue,
  SleepPlan,
  Stage,
} from "../../../protocols/pipeline/program.ts";
import type { Schedule } from "../../../protocols/time/schedule.ts";
import { zones } from "../time/zones.ts";

const name = fc.stringMatching(/^[a-z0-9.-]{1,32}$/);
const registerName = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);
const settingKey = fc.stringMatching(/^[A-Za-z0-9._/-]{1,48}$/);
const duration = fc.integer({ min: 0, max: 0x7fff_ffff });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

/** Any valid stage: parameters within their operators' ranges, and what they must be to each other. */
export const stages: fc.Arbitrary<Stage> = fc.oneof(...operators.map(stageOf));

export function stageOf({ op, parameters }: Operator): fc.Arbitrary<Stage> {
  const given = Object.fromEntries(
    parameters.map((parameter) => [parameter.name, parameterValue(parameter)]),
  );
  return fc.record({ op: fc.constant(op), ...given }).map((stage) => ordered(stage as unknown as Stage));
}

function parameterValue(parameter: Parameter): fc.Arbitrary<unknown> {
  switch (parameter.kind) {
    case "integer":
      return fc.integer({ min: parameter.min, max: parameter.max });
    case "odd":
      return fc.integer({ min: parameter.min >> 1, max: parameter.max >> 1 }).map((half) => 2 * half + 1);
    case "number": {
      const { min, max } = parameter;
      return fc.double({ min, max, noNaN: true }).map((value) => value + 0);
    }
    case "numbers":
      return fc.array(finite, { minLength: parameter.countMin, maxLength: parameter.countMax });
    case "word":
      return fc.constantFrom(...parameter.words);
  }
}

/** The same stage with its parameters as they must be to each other. */
function ordered(stage: Stage): Stage {
  switch (stage.op) {
    case "clamp":
    case "range":
      return { ...stage, min: Math.min(stage.min, stage.max), max: Math.max(stage.min, stage.max) };
    case "hysteresis":
      return { ...stage, low: Math.min(stage.low, stage.high), high: Math.max(stage.low, stage.high) };
    case "table": {
      const count = Math.min(stage.xs.length, stage.ys.length);
      return {
        ...stage,
        xs: stage.xs.slice(0, count).map((_, i) => 1.5 * i - 7),
        ys: stage.ys.slice(0, count),
      };
    }
    case "sliding": {
      const length = stage.by === "count" ? stage.samples : stage.length;
      return { ...stage, length, hop: Math.min(stage.hop, length) };
    }
    case "kalman":
      return stage.model === "level" ? { ...stage, gives: "value" } : stage;
    case "integral":
      return stage.everyMs === 0 ? stage : { ...stage, gapMs: Math.min(stage.gapMs, stage.everyMs) };
    case "goertzel":
      return { ...stage, bin: 1 + (stage.bin % Math.ceil(stage.count / 2 - 1)) };
    case "spectrum": {
      const count = 2 ** Math.floor(Math.log2(stage.count));
      const [a, b] = [1 + (stage.low % (count / 2)), 1 + (stage.high % (count / 2))];
      return { ...stage, count, low: Math.min(a, b), high: Math.max(a, b) };
    }
    default:
      return stage;
  }
}

const pipelines: fc.Arbitrary<Pipeline> = fc.record(
  {
    metric: name,
    sensor: name,
    everyMs: fc.integer({ min: 10, max: 0x7fff_ffff }),
    stages: fc.array(stages, { maxLength: 8 }),
    batch: fc.record({
      everyMs: fc.integer({ min: 1_000, max: 0x7fff_ffff }),
      within: fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }),
    }),
    keepMs: fc.integer({ min: 12_000, max: 7_864_200 }),
  },
  { requiredKeys: ["metric", "sensor", "everyMs", "stages"] },
);

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
    if (program.pipelines.length === 0) return fc.constant(program);
    const proposals = fc.array(proposal(program.pipelines), { maxLength: 8 });
    return proposals.map((some) => (some.length === 0 ? program : { ...program, proposals: some }));
  })
  .chain((program) => {
    if (program.pipelines.length === 0) return fc.constant(program);
    return fc.array(modelUse(program.pipelines), { maxLength: 4 }).map((uses) => {
      const taken = new Set(program.pipelines.map(({ metric }) => metric));
      const models = uses.filter(({ metric }) => !taken.has(metric) && taken.add(metric));
      return models.length === 0 ? program : { ...program, models };
    });
  })
  .chain((program) => {
    // None is written by leaving them out.
    if (program.outputs.length === 0) return fc.constant(program);
    const schedules = fc.array(scheduled(program.outputs), { maxLength: 16 });
    return fc
      .tuple(schedules, sleeps)
      .map(([some, sleep]) => ({ ...program, ...(some.length === 0 ? {} : { schedules: some }), sleep }));
  });

function modelUse(pipelines: readonly Pipeline[]): fc.Arbitrary<ModelUse> {
  const metric = fc.constantFrom(...pipelines.map((each) => each.metric));
  return fc.array(metric, { minLength: 1, maxLength: Math.min(8, pipelines.length) }).chain((features) => {
    const all = 2 ** features.length;
    const trained = fc.record({
      kind: fc.constant("trained" as const),
      metric: name,
      features: fc.constant(features),
      waits: fc.nat(all - 1),
      name: fc.stringMatching(/^[a-z0-9.-]{1,24}$/),
      bytes: fc.integer({ min: 1, max: 7200 }),
      crc: fc.nat(0xffff_ffff),
      ofClass: fc.option(fc.nat(31), { nil: undefined }),
      learns: fc.boolean(),
    });
    const regression = fc.record({
      kind: fc.constant("regression" as const),
      metric: name,
      features: fc.constant(features),
      waits: fc.nat(all - 1).map((waits) => waits | all),
      target: metric,
      memory: fc.integer({ min: 10, max: 1_000_000 }),
      gives: fc.constantFrom("prediction" as const, "residual" as const),
    });
    return fc.oneof<fc.Arbitrary<ModelUse>[]>(trained, regression, joined(metric));
  });
}

function joined(metric: fc.Arbitrary<string>): fc.Arbitrary<JoinedUse> {
  const use = { metric: name, features: fc.tuple(metric, metric), waits: fc.nat(3) };
  const withinMs = fc.nat(0x7fff_ffff);
  return fc.oneof<fc.Arbitrary<JoinedUse>[]>(
    fc.record({
      ...use,
      kind: fc.constant("join" as const),
      operation: fc.constantFrom(...joinOperations),
      withinMs,
    }),
    fc.integer({ min: 3, max: 100 }).chain((rows) =>
      fc.record({
        ...use,
        kind: fc.constant("correlation" as const),
        rows: fc.constant(rows),
        every: fc.integer({ min: 1, max: rows }),
        withinMs,
      }),
    ),
    fc.record({
      ...use,
      kind: fc.constant("group" as const),
      group: fc.nat(255),
      lengthMs: fc.integer({ min: 1, max: 0x7fff_ffff }),
      statistic: fc.constantFrom(...statistics),
      percent: fc.integer({ min: 0, max: 100 }),
    }),
  );
}

function rule(
  someps: readonly Pipeline[],
  outputs: Program["outputs"],
): fc.Arbitrary<Program["rules"][number]> {
  return fc.constantFrom(...outputs).chain(({ name: driven, kind }) =>
    fc.record(
      {
        ...condition(someps),
        output: fc.constant(driven),
        value: value(kind),
      },
      { requiredKeys: [...conditionKeys, "output", "value"] },
    ),
  );
}

function proposal(someps: readonly Pipeline[]): fc.Arbitrary<Proposal> {
  const text = fc.string({ maxLength: 32 }).filter((each) => each.isWellFormed());
  return fc.record(
    {
      ...condition(someps),
      register: registerName,
      value: fc.oneof(fc.boolean(), finite, text),
    },
    { requiredKeys: [...conditionKeys, "register", "value"] },
  );
}

function condition(someps: readonly Pipeline[]) {
  return {
    metric: fc.constantFrom(...someps).map(({ metric }) => metric),
    when: fc.constantFrom("above" as const, "below" as const),
    threshold: fc.oneof(finite, settingKey),
    hysteresis: finite.map(Math.abs),
    forMs: duration,
    as: registerName,
  };
}

/** All but `as`, which may be absent. */
const conditionKeys = ["metric", "when", "threshold", "hysteresis", "forMs"] as const;

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
