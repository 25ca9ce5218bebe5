/** What hosts and boards that keep blocks say to each other. */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { type KeptBlock, keptBlockFromWire, keptBlockToWire } from "../../../protocols/keeping/block.ts";
import {
  type KeepAnswer,
  type KeepRequest,
  keepAnswerFromWire,
  keepAnswerToWire,
  keepRequestFromWire,
  keepRequestToWire,
} from "../../../protocols/keeping/messages.ts";
import type { Target } from "../target.ts";

const errors = [CborError, ShapeError];
const series = "south-1/temperature";
const bytes = new Uint8Array([1, 2, 3, 255]);
const block: KeptBlock = {
  series,
  number: 7,
  firstMs: 1_790_000_000_000,
  lastMs: 1_790_000_059_000,
  bytes,
};
const ring = { name: 77, oldest: 3, newest: 9, sectors: 64, damaged: 1 };
const requests: readonly KeepRequest[] = [
  { kind: "put", id: 1, blocks: [block, { ...block, number: 8 }] },
  { kind: "read", id: 2, cursor: 0, series, from: 1, to: 99 },
  { kind: "list", id: 3, cursor: 1_024 },
];
const answers: readonly KeepAnswer[] = [
  { kind: "stored", id: 1, ring, sectors: [9, 0] },
  { kind: "blocks", id: 2, ring, next: 2_305, blocks: [block] },
  { kind: "held", id: 3, ring, next: undefined, runs: [{ series, sector: 9, first: 1, last: 7 }] },
  { kind: "refused", id: 4, reason: "no-room" },
];

export const keepingTargets: readonly Target[] = [
  {
    name: "kept block",
    covers: ["protocols/keeping/block.ts keptBlockFromWire"],
    seeds: [encodeCbor(keptBlockToWire(block))],
    errors,
    decode: (payload) => keptBlockFromWire(decodeCbor(payload)),
  },
  {
    name: "keep request",
    covers: ["protocols/keeping/messages.ts keepRequestFromWire"],
    seeds: requests.map((request) => encodeCbor(keepRequestToWire(request))),
    errors,
    decode: (payload) => keepRequestFromWire(decodeCbor(payload)),
  },
  {
    name: "keep answer",
    covers: ["protocols/keeping/messages.ts keepAnswerFromWire"],
    seeds: answers.map((answer) => encodeCbor(keepAnswerToWire(answer))),
    errors,
    decode: (payload) => keepAnswerFromWire(decodeCbor(payload)),
  },
];
