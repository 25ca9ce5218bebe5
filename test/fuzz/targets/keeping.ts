/** What hosts and boards that keep blocks say to each other. */
import { CborError as HostCborError } from "../../../host-tools/codec/cbor.ts";
import { packBlock, unpackBlock } from "../../../host-tools/leader/keeping/packed-block.ts";
import { readSeriesName } from "../../../host-tools/leader/keeping/series-name.ts";
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
import { type Shelf, shelfFromWire, shelfToWire } from "../../../protocols/keeping/shelf.ts";
import { BlockEncoder } from "../../../protocols/series/encoder.ts";
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

const shelf: Shelf = {
  version: 3,
  keepers: [
    { board: "north-1", ring: 77, isWhole: true },
    { board: "south-1", ring: 78, isWhole: false },
  ],
  former: [{ board: "west-1", ring: 9 }],
};
const encoder = new BlockEncoder(1_000, 0);
for (let i = 0; i < 20; i++) encoder.push(i * 1_000 + (i % 7), i / 10);

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
  {
    name: "who keeps what",
    covers: ["protocols/keeping/shelf.ts shelfFromWire"],
    seeds: [encodeCbor(shelfToWire(shelf))],
    errors,
    decode: (payload) => shelfFromWire(decodeCbor(payload)),
  },
  {
    name: "block as it lies on a board",
    covers: ["host-tools/leader/keeping/packed-block.ts unpackBlock"],
    seeds: [packBlock(encoder.take()!)],
    errors: [HostCborError, ShapeError],
    decode: (payload) => unpackBlock(payload, 1_790_000_000_000, () => {}),
  },
  {
    name: "name of a kept series",
    covers: ["host-tools/leader/keeping/series-name.ts readSeriesName"],
    seeds: [Buffer.from("north-1/temperature~k3x9qa"), Buffer.from("a/b~0")],
    errors: [],
    decode: (payload) => readSeriesName(Buffer.from(payload).toString("latin1")),
  },
];
