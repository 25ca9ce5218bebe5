import { Encoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { programFromWire, programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programs } from "./programs.ts";

const library = new Encoder({ useRecords: false, tagUint8Array: false });

test("every valid program comes back as it was, from a host's codec and from a board's", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const bytes = Uint8Array.from(library.encode(programToWire(program)));
      expect(bytes).toEqual(encodeCbor(programToWire(program)));
      expect(programFromWire(decodeCbor(bytes))).toEqual(program);
    }),
  );
});

const pipeline = (...stages: CborValue[]): CborValue => ["cpu", "cpu-load", 500, stages, null, null];
const fan: CborValue = ["fan", 1, 4, 0, null];
const hot: CborValue = ["cpu", 0, 80, 5, 0, null];
const rule: CborValue = [hot, "fan", 100];
const proposal: CborValue = [["cpu", 1, "cpu.least", 0, 10_000, "coordinator"], "emergency", true];

test("a program with one of everything is accepted", () => {
  const stages: CborValue[] = [
    [0, 5],
    [1, 1000],
    [2, 0.5, 60_000],
  ];
  const scheduled: CborValue = [[2, 0, 127, 0], "fan", 100, 0];
  const sensed = [pipeline(...stages), ["heat", "temperature", 500, [], null, null]];
  const used: CborValue[] = [
    ["busy", [0, 1], 1, 0, "door", 520, 0xffff_ffff, null, false],
    ["heat.beyond", [0], 3, 1, 1, 1000, 1],
  ];
  const wire: CborValue = [
    1,
    sensed,
    used,
    [fan],
    [rule],
    [proposal],
    [[60]],
    [scheduled],
    [10_000, 600_000],
  ];
  const program = programFromWire(wire);
  expect(program.models).toEqual([
    {
      kind: "trained",
      metric: "busy",
      features: ["cpu", "heat"],
      waits: 1,
      name: "door",
      bytes: 520,
      crc: 0xffff_ffff,
      ofClass: undefined,
      learns: false,
    },
    {
      kind: "regression",
      metric: "heat.beyond",
      features: ["cpu"],
      waits: 3,
      target: "heat",
      memory: 1000,
      gives: "residual",
    },
  ]);
  expect(program.rules).toHaveLength(1);
  expect(program.proposals).toEqual([
    {
      ...{ metric: "cpu", when: "below", threshold: "cpu.least", hysteresis: 0, forMs: 10_000 },
      ...{ as: "coordinator", register: "emergency", value: true },
    },
  ]);
  expect(program.schedules).toHaveLength(1);
  expect(program.sleep).toEqual({ awakeMs: 10_000, everyMs: 600_000 });
});

/** With the parts that a case leaves out, and without models and proposals. */
const full = (
  pipelines: CborValue,
  outputs: CborValue = [],
  rules: CborValue = [],
  zones: CborValue = [],
  schedules: CborValue = [],
  sleep: CborValue = null,
): CborValue => [1, pipelines, [], outputs, rules, [], zones, schedules, sleep];

/** Beside a pipeline. */
const proposing = (...proposals: CborValue[]): CborValue => [
  ...[1, [pipeline()], [], [], []],
  ...[proposals, [], [], null],
];

/** Beside two pipelines. */
const withModels = (...models: CborValue[]): CborValue => {
  const sensed = [pipeline(), ["heat", "temperature", 500, [], null, null]];
  return [1, sensed, models, [], [], [], [], [], null];
};

describe("a program is refused", () => {
  test.each<[string, CborValue, RegExp]>([
    [
      "of a later version",
      [2, [], [], [], [], [], [], [], null],
      /version must be an integer from 1 to 1, not 2/,
    ],
    ["that says more than this one understands", [1, [], [], [], [], [], [], [], null, 0], /the end/],
    ["that lacks its schedules", [1, [], [], [], [], [], [], null, null], /the schedules must be an array/],
    [
      "that is never asleep",
      full([], [], [], [], [], [1000, 1999]),
      /everyMs of the sleep must be an integer from 2000/,
    ],
    [
      "that is hardly awake",
      full([], [], [], [], [], [999, 60_000]),
      /awakeMs of the sleep must be an integer from 1000/,
    ],
    [
      "with a schedule for an output that is not there",
      full([], [], [], [], [[[1, 60_000], "fan", 1, 0]]),
      /output of schedule 0/,
    ],
    [
      "with a schedule for a value that the output cannot have",
      full([], [fan], [], [], [[[1, 60_000], "fan", 101, 0]]),
      /value of schedule 0 must be a number from 0 to 100/,
    ],
    [
      "with a schedule in a zone that is not there",
      full([], [fan], [], [], [[[2, 0, 127, 0], "fan", 100, 0]]),
      /zone of schedule 0/,
    ],
    ["with a broken zone", full([], [], [], [[60, 120]], []), /the beginning of zone 0/],
    ["that is no array", "x", /must be an array of 9 items, not "x"/],
    [
      "with an even median",
      full([pipeline([0, 4])], [], []),
      /count of stage 0 of pipeline 0 must be odd, not 4/,
    ],
    ["with an unknown stage", full([pipeline([99, 4])], [], []), /op of stage 0 of pipeline 0/],
    ["with a negative deadband", full([pipeline([2, -1, 0])], [], []), /delta of stage 0 of pipeline 0/],
    ["with a deadband of NaN", full([pipeline([2, NaN, 0])], [], []), /delta of stage 0 of pipeline 0/],
    ["sampled too fast", full([["cpu", "cpu-load", 9, [], null, null]], [], []), /everyMs of pipeline 0/],
    [
      "that keeps too little",
      full([["cpu", "cpu-load", 500, [], null, 11_999]], [], []),
      /keepMs of pipeline 0/,
    ],
    [
      "that keeps more samples than a bin counts",
      full([["cpu", "cpu-load", 10, [], null, 7_864_201]], [], []),
      /keepMs of pipeline 0/,
    ],
    [
      "with a name in capitals",
      full([["CPU", "cpu-load", 500, [], null, null]], [], []),
      /metric of pipeline 0/,
    ],
    ["with a metric twice", full([pipeline(), pipeline()], [], []), /must be unique, not "cpu"/],
    ["with an output twice", full([], [fan, fan], []), /must be unique, not "fan"/],
    [
      "with a safe value beyond the range",
      full([], [["fan", 0, 4, 2, null]], []),
      /safeValue of output 0 must be a number from 0 to 1/,
    ],
    ["with a rule for a metric that is not there", full([], [fan], [rule]), /metric of rule 0/],
    ["with a rule for an output that is not there", full([pipeline()], [], [rule]), /output of rule 0/],
    [
      "with a rule on an endless threshold",
      full([pipeline()], [fan], [[["cpu", 0, Infinity, 5, 0, null], "fan", 100]]),
      /threshold of rule 0/,
    ],
    [
      "with a rule as whoever no register names",
      full([pipeline()], [fan], [[["cpu", 0, 80, 5, 0, "no name"], "fan", 100]]),
      /register of rule 0 must be the name of a register/,
    ],
    ["with a proposal for no register", proposing([hot, "", true]), /register of proposal 0/],
    ["with a proposal of bytes", proposing([hot, "emergency", new Uint8Array(1)]), /value of proposal 0/],
    [
      "with a proposal on a metric that is not there",
      proposing([["heat", 0, 80, 5, 0, null], "emergency", true]),
      /metric of proposal 0/,
    ],
    ["with too many proposals", proposing(...new Array(9).fill(proposal)), /at most 8 items/],
    [
      "with a model's metric twice",
      withModels(["cpu", [0], 1, 1, 1, 1000, 0]),
      /metric of model 0 must be unique, not "cpu"/,
    ],
    [
      "with a model of a pipeline that is not there",
      withModels(["x", [2], 1, 1, 1, 1000, 0]),
      /feature of the features of model 0 must be an integer from 0 to 1/,
    ],
    ["with a model of nothing", withModels(["x", [], 0, 1, 1, 1000, 0]), /features of model 0/],
    [
      "with a model that waits for what it has not",
      withModels(["x", [0], 2, 0, "m", 9, 9, null, false]),
      /waits of model 0 must be below 2/,
    ],
    [
      "with a model longer than one may be",
      withModels(["x", [0], 1, 0, "m", 7201, 9, null, false]),
      /bytes of model 0|the bytes/,
    ],
    [
      "with a join of one metric",
      withModels(["x", [0], 1, 2, 0, 1000]),
      /the features of model 0 must be 2 to 8 metrics, not 1/,
    ],
    [
      "with a ratio of three metrics",
      withModels(["x", [0, 0, 0], 1, 2, 6, 1000]),
      /the features of model 0 must be two metrics, not 3/,
    ],
    [
      "with a correlation that hops beyond its rows",
      withModels(["x", [0, 0], 1, 3, 10, 11, 1000]),
      /the hop of model 0 must be an integer from 1 to 10, not 11/,
    ],
    [
      "with a use of one that comes after it",
      withModels(["x", [0, 2], 1, 2, 0, 1000], ["y", [0, 0], 1, 2, 0, 1000]),
      /feature of the features of model 0 must be an integer from 0 to 1, not 2/,
    ],
    [
      "with too many models",
      withModels(...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => [`x${i}`, [0], 1, 1, 1, 1000, 0])),
      /at most 8 items, not an array of 9/,
    ],
    [
      "with too many pipelines",
      full(new Array(17).fill(pipeline()), [], []),
      /at most 16 items, not an array of 17/,
    ],
  ])("%s", (_, wire, sentence) => {
    expect(() => programFromWire(wire)).toThrow(ShapeError);
    expect(() => programFromWire(wire)).toThrow(sentence);
  });
});
