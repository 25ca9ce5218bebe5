import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { type KeptBlock, keepingLimits } from "../../../protocols/keeping/block.ts";
import {
  type KeepAnswer,
  type KeepRequest,
  keepAnswerFromWire,
  keepAnswerToWire,
  keepRequestFromWire,
  keepRequestToWire,
} from "../../../protocols/keeping/messages.ts";
import { messageLimits } from "../../../protocols/messages/board-messages.ts";
import { BlockMode, blockLimits, blockToWire } from "../../../protocols/series/block.ts";

const largest: KeptBlock = {
  series: "s".repeat(keepingLimits.seriesBytesMax),
  number: keepingLimits.numberMax,
  firstMs: 1_790_000_000_000,
  lastMs: 1_790_000_000_000 + keepingLimits.spanMsMax,
  bytes: new Uint8Array(keepingLimits.blockBytesMax).fill(0xff),
};
const blocks = new Array(keepingLimits.blocksMax).fill(largest);
const ring = {
  name: 0xffff_ffff,
  oldest: 0xffff_fff0,
  newest: 0xffff_ffff,
  sectors: 0xffff,
  damaged: 0xffff_ffff,
};
const run = { series: largest.series, sector: 0xffff_ffff, first: 1, last: 0xffff_ffff };
const requests: readonly KeepRequest[] = [
  { kind: "put", id: 0xffff_ffff, blocks },
  { kind: "read", id: 2, cursor: 0, series: "a/b", from: 0, to: 0xffff_ffff },
  { kind: "list", id: 3, cursor: 2 ** 40 },
];
const answers: readonly KeepAnswer[] = [
  { kind: "stored", id: 1, ring, sectors: [0xffff_ffff, 0] },
  { kind: "blocks", id: 2, ring, next: 2 ** 40, blocks },
  { kind: "blocks", id: 2, ring: { ...ring, newest: ring.oldest - 1 }, next: undefined, blocks: [] },
  { kind: "held", id: 3, ring, next: 1, runs: new Array(keepingLimits.runsMax).fill(run) },
  { kind: "refused", id: 4, reason: "no-room" },
  { kind: "refused", id: 4, reason: "sleeps" },
  { kind: "refused", id: 4, reason: "flash" },
];

describe("requests and answers about kept blocks", () => {
  test.each(requests)("$kind is read as it was written, at its largest too", (request) => {
    const payload = encodeCbor(keepRequestToWire(request));
    expect(keepRequestFromWire(decodeCbor(payload))).toEqual(request);
    expect(payload.length).toBeLessThan(messageLimits.payloadBytesMax / 2);
  });

  test.each(answers)("$kind is read as it was written, at its largest too", (answer) => {
    const payload = encodeCbor(keepAnswerToWire(answer));
    expect(keepAnswerFromWire(decodeCbor(payload))).toEqual(answer);
    expect(payload.length).toBeLessThan(messageLimits.payloadBytesMax);
  });

  test("a block of a report fits at its largest", () => {
    const bits = new Uint8Array(blockLimits.bytesMax);
    const times = { startMs: Number.MAX_SAFE_INTEGER, stepMs: Number.MAX_SAFE_INTEGER };
    const block = { ...times, metric: "m".repeat(32), mode: BlockMode.steps, scale: 0.1, first: 0.1 };
    const bytes = encodeCbor(blockToWire({ ...block, count: 800, bits }));
    expect(bytes.length).toBeLessThanOrEqual(keepingLimits.blockBytesMax);
  });

  test.each<[string, CborValue]>([
    ["a put of nothing", [1, 0, 1, []]],
    [
      "a put of too many",
      [1, 0, 1, new Array(keepingLimits.blocksMax + 1).fill(["a", 1, 0, 0, new Uint8Array(0)])],
    ],
    ["a block without a number", [1, 0, 1, [["a", 0, 0, 0, new Uint8Array(0)]]]],
    ["a block that is too long", [1, 0, 1, [["a", 1, 0, 0, new Uint8Array(321)]]]],
    ["a kind that is not known", [1, 3, 1, 0]],
    ["another version", [2, 2, 1, 0]],
  ])("%s is refused", (_what, value) => {
    expect(() => keepRequestFromWire(value)).toThrow(expect.objectContaining({ name: "ShapeError" }));
  });

  test.each<[string, CborValue]>([
    ["a newest sector before the oldest", [1, 0, 1, [1, 3, 1, 64, 0], [1]]],
    ["a run that ends before it begins", [1, 2, 1, [1, 1, 2, 64, 0], null, [["a", 1, 5, 4]]]],
    ["a reason that is not known", [1, 3, 1, 3]],
    ["a sector below 0", [1, 0, 1, [1, 1, 2, 64, 0], [-1]]],
  ])("%s is refused", (_what, value) => {
    expect(() => keepAnswerFromWire(value)).toThrow(expect.objectContaining({ name: "ShapeError" }));
  });
});
