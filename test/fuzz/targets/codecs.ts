/** What comes as one CBOR value: each codec behind the board's decoder, and behind the host's. */
import fc from "fast-check";
import { decodeCbor as decodeOnHost, CborError as HostCborError } from "../../../host-tools/codec/cbor.ts";
import { frameFromWire, frameToWire } from "../../../host-tools/leader/hosts/host-frame-codec.ts";
import type { HostFrame } from "../../../host-tools/leader/hosts/host-frames.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { SequenceReader } from "../../../protocols/cbor/sequence.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Health } from "../../../protocols/messages/board-messages.ts";
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
import { programFromWire, programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { stageFromWire, stageToWire } from "../../../protocols/pipeline/stage-codec.ts";
import {
  answerFromWire,
  answerToWire,
  queryFromWire,
  queryToWire,
} from "../../../protocols/query/messages.ts";
import { Summary } from "../../../protocols/query/summary.ts";
import { chainHashBytes } from "../../../protocols/raft/chain.ts";
import {
  MalformedMessage,
  messageFromWire,
  messageToWire,
  publicationFromWire,
  publicationToWire,
  UnknownMessage,
} from "../../../protocols/raft/codec.ts";
import {
  makeSenderKey,
  senderKeyFromWire,
  senderKeyToWire,
} from "../../../protocols/security/group/sender-key.ts";
import { blockFromWire, blockToWire, type MetricBlock } from "../../../protocols/series/block.ts";
import { decodeBlock } from "../../../protocols/series/decoder.ts";
import { BlockEncoder } from "../../../protocols/series/encoder.ts";
import { commandFromWire, commandToWire } from "../../../protocols/state/codec.ts";
import { commandIdBytes } from "../../../protocols/state/command.ts";
import { scheduleFromWire, zoneFromWire } from "../../../protocols/time/schedule-codec.ts";
import {
  chunkFromWire,
  chunkToWire,
  updateLimits,
  wantFromWire,
  wantToWire,
} from "../../../protocols/update/messages.ts";
import { exampleStages } from "../../firmware/sensing/stages/examples.ts";
import { programs } from "../../protocols/pipeline/programs.ts";
import type { Target } from "../target.ts";

const hash = new Uint8Array(chainHashBytes).fill(7);
const entries = [
  { index: 4, term: 2, kind: 1, version: 1, data: encodeCbor(["fan.duty", 40]) },
  { index: 5, term: 3, kind: 0, version: 1, data: new Uint8Array(0) },
];
const who = { from: "main.00000001", to: "north-1.5f3a90c2", term: 3 };

const raftSeeds: CborValue[] = [
  messageToWire({ type: "vote-request", ...who, lastLogIndex: 4, lastLogTerm: 2, purpose: "pre-vote" }),
  messageToWire({
    type: "vote-response",
    ...who,
    granted: true,
    isPreVote: false,
    lastLogIndex: 4,
    lastLogTerm: 2,
  }),
  messageToWire({
    type: "append-request",
    ...who,
    prevLogIndex: 3,
    prevLogTerm: 2,
    prevHash: hash,
    commitIndex: 3,
    readRound: 9,
    entries,
  }),
  messageToWire({
    type: "append-response",
    ...who,
    success: true,
    matchIndex: 5,
    appliedIndex: 3,
    readRound: 9,
  }),
  messageToWire({ type: "timeout-now", ...who }),
  messageToWire({
    type: "snapshot-chunk",
    ...who,
    index: 9,
    indexTerm: 2,
    hash,
    first: 0,
    items: [{ kind: 1, version: 1, data: encodeCbor(["a", 1]) }],
    isLast: false,
  }),
  messageToWire({
    type: "snapshot-response",
    ...who,
    index: 9,
    indexTerm: 2,
    received: 1,
    isInstalled: false,
  }),
  messageToWire({
    type: "log-request",
    ...who,
    afterIndex: 1,
    afterTerm: 1,
    snapshotIndex: 0,
    snapshotFirst: 0,
  }),
  messageToWire({
    type: "log-response",
    ...who,
    isMatch: true,
    prevLogIndex: 3,
    prevLogTerm: 2,
    lastLogIndex: 9,
    lastLogTerm: 3,
    commitIndex: 4,
    entries,
  }),
];

const publication = publicationToWire({
  type: "publication",
  from: who.from,
  term: 3,
  prevLogIndex: 3,
  prevLogTerm: 2,
  prevHash: hash,
  entries,
});

const hostFrames: HostFrame[] = [
  { kind: "claim", payload: new Uint8Array([1, 2, 3]) },
  { kind: "grant", holder: "a", payload: new Uint8Array([1, 2, 3]) },
  { kind: "aggregate", task: "house-p95", token: 3, atMs: 1_700_000_000_000, value: 21.5 },
  { kind: "hello", swarm: "greenhouse", host: "main", hasLog: true, url: "http://127.0.0.1:7880" },
  { kind: "refused", why: "another swarm" },
  {
    kind: "state",
    role: "leader",
    term: 3,
    commitIndex: 5,
    appliedIndex: 5,
    leaderId: who.from,
    memberId: undefined,
    ready: ["gateway"],
    lingering: [],
  },
  { kind: "raft", message: raftSeeds[2]! },
  { kind: "order", board: "north-1", payload: new Uint8Array([1, 2, 3]) },
  { kind: "board", board: "north-1", hello: new Uint8Array(20) },
  { kind: "gone", board: "north-1" },
  { kind: "publication", payload: encodeCbor(publication) },
  { kind: "sender-key", key: senderKeyToWire(makeSenderKey(nodeCiphers, "main", 3)) },
  { kind: "telemetry", board: "north-1", channel: "report", payload: new Uint8Array(9) },
  { kind: "keep", board: "north-1", payload: new Uint8Array(9) },
  { kind: "keep-ask", number: 7, waiting: 3, short: 0, lost: 0 },
  { kind: "keep-index", number: 7, index: 41 },
  { kind: "keep-accept", short: 2, lost: 5 },
  {
    kind: "past",
    blocks: [{ series: "a/t~0123ab", number: 1, firstMs: 5, lastMs: 9, bytes: hash }],
  },
  { kind: "images", images: [hash.slice(0, 8)] },
  { kind: "image-want", image: hash.slice(0, 8), chunk: 64, count: 32 },
  { kind: "image-piece", image: hash.slice(0, 8), chunk: 64, chunks: [hash, hash] },
  { kind: "image-piece", image: hash.slice(0, 8), chunk: 0, chunks: undefined },
];

const zone = [60, 120, [180, 3, 5, 0], [240, 10, 5, 0]];
function packed(value: (i: number) => number): MetricBlock {
  const encoder = new BlockEncoder(1_000, 0);
  for (let i = 0; i < 20; i++) encoder.push(i * 1_000 + (i % 7), value(i));
  return { metric: "pressure", ...encoder.take()! };
}
const decimals = packed((i) => (i === 9 ? Math.SQRT2 : i / 10));
const health: Health = {
  sentMs: 5,
  uptimeMs: 60_000,
  term: 3,
  lastIndex: 5,
  commitIndex: 5,
  appliedIndex: 5,
  heapUsedBytes: 30_000,
  heapPeakBytes: 40_000,
  arenaBytes: 94_208,
  samplesIn: 60,
  reportsOut: 6,
  readingsDropped: 0,
  reconnects: 1,
  outputs: [{ name: "fan", value: 40, cause: "rule" }],
  wallMs: 1_800_000_000_000,
  timeBoundMs: 20,
  device: {
    isSafe: false,
    crashes: 0,
    loopDelayMs: 3,
    sectorErases: 9,
    sectors: 16,
    checkpointsRefused: 0,
    stackPeakSlots: 200,
    recordsRefused: 0,
  },
  firmware: { sequence: 4, target: 5, stage: "rolled-back", percent: 100, reason: "it crashed" },
  contact: 2,
};
const image = new Uint8Array(updateLimits.imageIdBytes).fill(3);

interface Codec {
  readonly name: string;
  readonly from: string;
  readonly seeds: readonly CborValue[];
  read(value: CborValue): unknown;
}

const messages = "protocols/messages/codec.ts";
const codecs: readonly Codec[] = [
  {
    name: "any value",
    from: "",
    seeds: [[1, "a", new Uint8Array(3), [true, null, -7, 1.5]]],
    read: (value) => value,
  },
  {
    name: "Raft message",
    from: "protocols/raft/codec.ts messageFromWire",
    seeds: raftSeeds,
    read: (value) => messageFromWire(value),
  },
  {
    name: "Raft publication",
    from: "protocols/raft/codec.ts publicationFromWire",
    seeds: [publication],
    read: (value) => publicationFromWire(value),
  },
  {
    name: "hello",
    from: `${messages} helloFromWire`,
    seeds: [
      helloToWire({
        memberId: "north-1.5f3a90c2",
        model: "esp32c3-devkit",
        firmware: "0.1.0",
        term: 3,
        lastIndex: 5,
        appliedIndex: 5,
        startId: 0xdeadbeef,
      }),
    ],
    read: helloFromWire,
  },
  {
    name: "report",
    from: `${messages} reportFromWire`,
    seeds: [
      reportToWire({
        sentMs: 1000,
        sequence: 4,
        readings: [
          { metric: "temperature", takenMs: 990, value: 21.5, quality: 0 },
          { metric: "humidity", takenMs: 991, value: Number.NaN, quality: 1 },
        ],
        blocks: [decimals],
      }),
    ],
    // Blocks are unpacked by whoever reads the report.
    read: (value) => {
      for (const block of reportFromWire(value).blocks) decodeBlock(block, () => undefined);
    },
  },
  {
    name: "block of readings",
    from: "protocols/series/block.ts blockFromWire",
    seeds: [
      blockToWire(decimals),
      blockToWire(packed(Math.sin)),
      blockToWire({ ...decimals, mode: 2, scale: 0.5 }),
    ],
    read: (value) => decodeBlock(blockFromWire(value, "block"), () => undefined),
  },
  { name: "health", from: `${messages} healthFromWire`, seeds: [healthToWire(health)], read: healthFromWire },
  {
    name: "time answer",
    from: `${messages} timeAnswerFromWire`,
    seeds: [timeAnswerToWire({ askedMs: 100, toldMs: 1_800_000_000_000 })],
    read: timeAnswerFromWire,
  },
  {
    name: "want",
    from: "protocols/update/messages.ts wantFromWire",
    seeds: [wantToWire({ image, chunk: 8, count: 4 })],
    read: wantFromWire,
  },
  {
    name: "chunk",
    from: "protocols/update/messages.ts chunkFromWire",
    seeds: [
      chunkToWire({ image, chunk: 8, bytes: new Uint8Array(40) }),
      chunkToWire({ image, chunk: 8, bytes: undefined }),
    ],
    read: chunkFromWire,
  },
  {
    name: "query",
    from: "protocols/query/messages.ts queryFromWire",
    seeds: [queryToWire({ id: 7, metric: "temperature", windowMs: 600_000 })],
    read: queryFromWire,
  },
  {
    name: "answer to a query",
    from: "protocols/query/messages.ts answerFromWire",
    seeds: [
      answerToWire({ id: 7, coveredMs: 0, summary: undefined }),
      answerToWire({ id: 7, coveredMs: 600_000, summary: summaryOf([20, 21.5, -3, 400]) }),
    ],
    // Whatever is read can be merged, and goes out again as it came in.
    read: (value) => {
      const { summary } = answerFromWire(value);
      const merged = summaryOf([1, 2]);
      if (summary !== undefined) merged.merge(summary);
      return answerToWire({ id: 0, coveredMs: 0, summary: merged });
    },
  },
  {
    name: "program",
    from: "protocols/pipeline/program-codec.ts programFromWire",
    seeds: fc.sample(programs, { numRuns: 12, seed: 1 }).map(programToWire),
    read: programFromWire,
  },
  {
    name: "stage of a pipeline",
    from: "protocols/pipeline/stage-codec.ts stageFromWire",
    seeds: exampleStages.map(stageToWire),
    read: (value) => stageFromWire(value, "it"),
  },
  {
    name: "state command",
    from: "protocols/state/codec.ts commandFromWire",
    seeds: [
      commandToWire({ key: "fan.duty", value: 40 }),
      commandToWire({ key: "a", value: hash, id: new Uint8Array(commandIdBytes) }),
    ],
    read: commandFromWire,
  },
  {
    name: "schedule",
    from: "protocols/time/schedule-codec.ts scheduleFromWire",
    seeds: [
      [0, 1000],
      [1, 60000],
      [2, 480, 127, 0],
    ],
    read: (value) => scheduleFromWire(value, [{ standardMinutes: 60, daylight: undefined }], "schedule", ""),
  },
  {
    name: "time zone",
    from: "protocols/time/schedule-codec.ts zoneFromWire",
    seeds: [[60], zone],
    read: (value) => zoneFromWire(value, "zone", ""),
  },
  {
    name: "sender key",
    from: "protocols/security/group/sender-key.ts senderKeyFromWire",
    seeds: [senderKeyToWire(makeSenderKey(nodeCiphers, "main", 3))],
    read: senderKeyFromWire,
  },
  {
    name: "host frame",
    from: "host-tools/leader/hosts/host-frame-codec.ts frameFromWire",
    seeds: hostFrames.map(frameToWire),
    read: frameFromWire,
  },
];

export const codecTargets: readonly Target[] = [
  ...codecs.flatMap((codec) => [
    behind(codec, "board", decodeCbor, "protocols/cbor/decode.ts decodeCbor"),
    behind(codec, "host", decodeOnHost, "host-tools/codec/cbor.ts decodeCbor"),
  ]),
  {
    name: "CBOR sequence",
    covers: ["protocols/cbor/sequence.ts SequenceReader"],
    seeds: [encodeCbor([1, [2, "three"], hash]), Uint8Array.of(0xa1, 0x04, 0x41, 0x01)],
    errors: [CborError],
    decode: (bytes) => {
      const reader = new SequenceReader(bytes);
      const items: unknown[] = [];
      while (!reader.isAtEnd) items.push(reader.nextType === 2 ? reader.byteString() : reader.item());
      return items;
    },
  },
];

function behind(
  codec: Codec,
  side: string,
  decode: (bytes: Uint8Array) => CborValue,
  decoder: string,
): Target {
  return {
    name: `${codec.name} (${side})`,
    covers: [decoder, ...(codec.from === "" ? [] : [codec.from])],
    seeds: codec.seeds.map(encodeCbor),
    errors: [side === "board" ? CborError : HostCborError, ShapeError, MalformedMessage, UnknownMessage],
    decode: (bytes) => codec.read(decode(bytes)),
  };
}

function summaryOf(values: readonly number[]): Summary {
  const summary = new Summary();
  for (const value of values) summary.add(value);
  return summary;
}
