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

const pipeline = (...stages: CborValue[]): CborValue => ["cpu", "cpu-load", 500, stages];
const fan: CborValue = ["fan", 1, 4, 0, null];
const rule: CborValue = ["cpu", 0, 80, 5, 0, "fan", 100];

test("a program with one of everything is accepted", () => {
  const wire: CborValue = [1, [pipeline([0, 5], [1, 1000], [2, 0.5, 60_000])], [fan], [rule]];
  expect(programFromWire(wire).rules).toHaveLength(1);
});

test("a program without schedules is one of the first version, which older boards can read", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const { schedules = [], ...rest } = program;
      const version = schedules.length === 0 ? 1 : 2;
      expect((programToWire(program) as CborValue[])[0]).toBe(version);
      expect((programToWire(rest) as CborValue[]).length).toBe(4);
    }),
  );
});

describe("a program is refused", () => {
  test.each<[string, CborValue, RegExp]>([
    ["of a later version", [3, [], [], []], /version must be an integer from 1 to 2, not 3/],
    ["that says more than this one understands", [1, [], [], [], []], /the end/],
    ["that says more than this one understands, with schedules", [2, [], [], [], [], [], []], /the end/],
    ["that lacks its schedules", [2, [], [], [], []], /the schedules must be an array/],
    [
      "with a schedule for an output that is not there",
      [2, [], [], [], [], [[[1, 60_000], "fan", 1, 0]]],
      /output of schedule 0/,
    ],
    [
      "with a schedule for a value that the output cannot have",
      [2, [], [fan], [], [], [[[1, 60_000], "fan", 101, 0]]],
      /value of schedule 0 must be a number from 0 to 100/,
    ],
    [
      "with a schedule in a zone that is not there",
      [2, [], [fan], [], [], [[[2, 0, 127, 0], "fan", 100, 0]]],
      /zone of schedule 0/,
    ],
    ["with a broken zone", [2, [], [], [], [[60, 120]], []], /the beginning of zone 0/],
    ["that is no array", "x", /must be an array of 4 items, not "x"/],
    [
      "with an even median",
      [1, [pipeline([0, 4])], [], []],
      /count of stage 0 of pipeline 0 must be odd, not 4/,
    ],
    ["with an unknown stage", [1, [pipeline([3, 4])], [], []], /op of stage 0 of pipeline 0/],
    ["with a negative deadband", [1, [pipeline([2, -1, 0])], [], []], /delta of stage 0 of pipeline 0/],
    ["with a deadband of NaN", [1, [pipeline([2, NaN, 0])], [], []], /delta of stage 0 of pipeline 0/],
    ["sampled too fast", [1, [["cpu", "cpu-load", 9, []]], [], []], /everyMs of pipeline 0/],
    ["with a name in capitals", [1, [["CPU", "cpu-load", 500, []]], [], []], /metric of pipeline 0/],
    ["with a metric twice", [1, [pipeline(), pipeline()], [], []], /must be unique, not "cpu"/],
    ["with an output twice", [1, [], [fan, fan], []], /must be unique, not "fan"/],
    [
      "with a safe value beyond the range",
      [1, [], [["fan", 0, 4, 2, null]], []],
      /safeValue of output 0 must be a number from 0 to 1/,
    ],
    ["with a rule for a metric that is not there", [1, [], [fan], [rule]], /metric of rule 0/],
    ["with a rule for an output that is not there", [1, [pipeline()], [], [rule]], /output of rule 0/],
    [
      "with a rule on an endless threshold",
      [1, [pipeline()], [fan], [["cpu", 0, Infinity, 5, 0, "fan", 100]]],
      /threshold of rule 0/,
    ],
    [
      "with too many pipelines",
      [1, new Array(17).fill(pipeline()), [], []],
      /at most 16 items, not an array of 17/,
    ],
  ])("%s", (_, wire, sentence) => {
    expect(() => programFromWire(wire)).toThrow(ShapeError);
    expect(() => programFromWire(wire)).toThrow(sentence);
  });
});
