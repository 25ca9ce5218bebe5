/** The programs that the board under soak is given, and what must be so of all of them for the accounts to be kept. */
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Output, Pipeline, Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";

/** Longer than a soak. */
const meanWindowMs = 864_000_000;

/**
 * Every sensor feeds one pipeline, and every value of a sensor becomes one reading; but of `cpu` none does: where a window ends
 * follows from a checkpoint, which the accounts do not know.
 */
const pipelines: readonly Pipeline[] = [
  {
    metric: "air.temperature",
    sensor: "temperature",
    everyMs: 4000,
    stages: [{ op: "median", count: 3 }],
  },
  {
    metric: "soil.moisture",
    sensor: "soil",
    everyMs: 4000,
    stages: [{ op: "deadband", delta: 0, silenceMs: 30_000 }],
  },
  { metric: "cpu.load", sensor: "cpu", everyMs: 4000, stages: [{ op: "mean", windowMs: meanWindowMs }] },
];

const tally = (everyMs: number): Pipeline => ({ metric: "tally", sensor: "tally", everyMs, stages: [] });

/** `mark` follows a setting that is never put twice with the same value, and nothing else. */
const outputs: readonly Output[] = [
  { name: "fan", kind: "pwm", pin: 4, safeValue: 10, setting: "fan.duty" },
  { name: "mark", kind: "pwm", pin: 5, safeValue: 0, setting: "mark" },
  { name: "lamp", kind: "digital", pin: 6, safeValue: 0, setting: undefined },
];

export const baseProgram: Program = {
  pipelines: [...pipelines, tally(1000)],
  outputs,
  rules: [
    {
      metric: "air.temperature",
      when: "above",
      threshold: "limit.high",
      hysteresis: 2,
      forMs: 5000,
      output: "fan",
      value: 100,
    },
  ],
  schedules: [{ schedule: { kind: "every", everyMs: 900_000 }, output: "lamp", value: 1, forMs: 300_000 }],
};

const otherPrograms: readonly Program[] = [
  { ...baseProgram, pipelines: [...pipelines, tally(500)], rules: [], schedules: [] },
  {
    ...baseProgram,
    pipelines: [
      ...pipelines,
      tally(1000),
      { metric: "extra", sensor: "extra", everyMs: 500, stages: [{ op: "median", count: 31 }] },
    ],
    outputs: [...outputs, { name: "valve", kind: "digital", pin: 7, safeValue: 1, setting: "valve" }],
  },
];

export const programBytes = (program: Program): Uint8Array => encodeCbor(programToWire(program));

/** What may be put in the place of the base program: the last is none that a board can read. */
export const otherProgramBytes: readonly Uint8Array[] = [
  ...otherPrograms.map(programBytes),
  Uint8Array.of(0x9f, 1, 2, 3),
];
