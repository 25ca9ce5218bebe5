import { Encoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type {
  FirmwareHealth,
  Health,
  Hello,
  Report,
  TimeAnswer,
} from "../../../protocols/messages/board-messages.ts";
import {
  healthFromWire,
  healthToWire,
  helloFromWire,
  helloToWire,
  reportFromWire,
  reportToWire,
  timeAnswerFromWire,
  timeAnswerToWire,
} from "../../../protocols/messages/codec.ts";
import { BlockMode, blockCountMax, blockLimits } from "../../../protocols/series/block.ts";

const library = new Encoder({ useRecords: false, tagUint8Array: false });
const count = fc.maxSafeInteger().map((value) => Math.abs(value));
const name = fc.stringMatching(/^[a-z0-9.-]{1,32}$/);
const number = fc.double().map((value) => value + 0);

const hellos: fc.Arbitrary<Hello> = fc.record({
  memberId: fc.stringMatching(/^[a-z0-9-]{1,32}\.[0-9a-f]{8}$/),
  model: name,
  firmware: fc.constant("0.1.0"),
  term: count,
  lastIndex: count,
  appliedIndex: count,
  startId: fc.nat({ max: 0xffff_ffff }),
});
const reports: fc.Arbitrary<Report> = fc.record({
  sentMs: count,
  sequence: count,
  readings: fc.array(
    fc.record({
      metric: name,
      takenMs: count,
      value: number,
      quality: fc.constantFrom(0 as const, 1 as const),
    }),
    { maxLength: 32 },
  ),
  blocks: fc.array(
    fc.record({
      metric: name,
      startMs: count,
      stepMs: count,
      mode: fc.constant(BlockMode.decimal),
      scale: fc.nat({ max: 9 }),
      first: fc.integer(),
      count: fc.integer({ min: 1, max: blockCountMax }),
      bits: fc.uint8Array({ maxLength: blockLimits.bytesMax }),
    }),
    { maxLength: 4 },
  ),
});
const timeAnswers: fc.Arbitrary<TimeAnswer> = fc.record({ askedMs: count, toldMs: count });
const times = fc.oneof(fc.constant({}), fc.record({ wallMs: count, timeBoundMs: count }));
const devices = fc.record({
  isSafe: fc.boolean(),
  crashes: count,
  loopDelayMs: count,
  sectorErases: count,
  sectors: count,
  checkpointsRefused: count,
  stackPeakSlots: count,
  recordsRefused: count,
});
const healthsWithoutTime = fc.record({
  sentMs: count,
  uptimeMs: count,
  term: count,
  lastIndex: count,
  commitIndex: count,
  appliedIndex: count,
  heapUsedBytes: count,
  heapPeakBytes: count,
  arenaBytes: count,
  samplesIn: count,
  reportsOut: count,
  readingsDropped: count,
  reconnects: count,
  outputs: fc.array(
    fc.record({
      name,
      value: fc.integer({ min: 0, max: 100 }),
      cause: fc.constantFrom("safe" as const, "setting" as const, "rule" as const, "schedule" as const),
    }),
    { maxLength: 16 },
  ),
});
const firmwares: fc.Arbitrary<FirmwareHealth> = fc.record({
  sequence: fc.nat(0xff_ff_ff_ff),
  target: fc.nat(0xff_ff_ff_ff),
  stage: fc.constantFrom("steady", "fetching", "ready", "trial", "rolled-back", "refused"),
  percent: fc.nat(100),
  reason: fc.option(fc.string({ maxLength: 24 }), { nil: undefined }),
});
const healths: fc.Arbitrary<Health> = fc
  .tuple(
    healthsWithoutTime,
    times,
    fc.option(devices, { nil: undefined }),
    fc.option(firmwares, { nil: undefined }),
    fc.option(fc.nat(), { nil: undefined }),
  )
  .map(([health, time, device, firmware, contact]) => ({
    ...health,
    ...time,
    ...(device && { device }),
    ...(firmware && { firmware }),
    ...(contact !== undefined && { contact }),
  }));

function comesBack<T>(
  arbitrary: fc.Arbitrary<T>,
  to: (value: T) => CborValue,
  from: (value: CborValue) => T,
): void {
  fc.assert(
    fc.property(arbitrary, (message) => {
      expect(from(decodeCbor(Uint8Array.from(library.encode(to(message)))))).toEqual(message);
      expect(from(library.decode(encodeCbor(to(message))))).toEqual(message);
    }),
  );
}

test("a hello comes back, from board to host and from host to board", () => {
  comesBack(hellos, helloToWire, helloFromWire);
});
test("a report comes back, NaN included", () => {
  comesBack(reports, reportToWire, reportFromWire);
});
test("a health message comes back, with and without the time, the firmware and the contact", () => {
  comesBack(healths, healthToWire, healthFromWire);
});
test("the time comes back", () => {
  comesBack(timeAnswers, timeAnswerToWire, timeAnswerFromWire);
});

test("items beyond those known are ignored, so that a newer board can say more", () => {
  const hello = helloFromWire([1, "a.0", "esp32", "0.2.0", 1, 2, 3, 4, "more"]);
  expect(hello.appliedIndex).toBe(3);
});

describe("refused", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["a later version", () => reportFromWire([2, 0, 0, [], []]), /In a report, the version must be/],
    ["a member id without incarnation", () => helloFromWire([1, "a", "m", "1", 0, 0, 0, 0]), /memberId/],
    ["a count below 0", () => reportFromWire([1, 0, -1, [], []]), /sequence/],
    [
      "a reading of text",
      () => reportFromWire([1, 0, 0, [["a", 0, "1", 0]], []]),
      /value of reading 0 must be a number, not "1"/,
    ],
    [
      "too many readings",
      () => reportFromWire([1, 0, 0, new Array(33).fill(["a", 0, 1, 0]), []]),
      /at most 32 items/,
    ],
    [
      "an unknown cause",
      () => healthFromWire([1, ...new Array(13).fill(0), [["fan", 1, 5]]]),
      /cause of output 0/,
    ],
    [
      "an output of NaN",
      () => healthFromWire([1, ...new Array(13).fill(0), [["fan", NaN, 0]]]),
      /value of output 0/,
    ],
  ])("%s", (_, read, sentence) => {
    expect(read).toThrow(ShapeError);
    expect(read).toThrow(sentence);
  });

  test("whatever is not a message, with a ShapeError and nothing else", () => {
    const { tree } = fc.letrec<{ tree: CborValue }>((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, fc.double(), fc.string(), fc.constant(null), fc.array(tie("tree"))),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        for (const from of [helloFromWire, reportFromWire, healthFromWire, timeAnswerFromWire]) {
          try {
            from(value);
          } catch (error) {
            expect(error).toBeInstanceOf(ShapeError);
          }
        }
      }),
    );
  });
});
