/** Several puts in one entry, drafts of more, and checkpoints: files of a host's disk, and of other hosts. */
import { createHash } from "node:crypto";
import {
  CheckpointDamaged,
  checkpointFromBytes,
  checkpointToBytes,
} from "../../../host-tools/leader/checkpoints/checkpoint-file.ts";
import { markerFromValue, markerToValue } from "../../../host-tools/leader/checkpoints/marker.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import {
  adoptionFromData,
  adoptionToData,
  DraftReader,
  draftPieces,
} from "../../../protocols/state/draft.ts";
import { putsFromData, putsToData } from "../../../protocols/state/puts.ts";
import type { Target } from "../target.ts";

const checkpoint = checkpointToBytes({
  ...{ swarm: "greenhouse", name: "summer", index: 9, term: 2, madeMs: 1_790_000_000_000, by: "ann" },
  values: new Map<string, number | Uint8Array>([
    ["fan.duty", 40],
    ["program/north-1", Uint8Array.of(1, 2, 3)],
  ]),
});
const content = checkpoint.slice(32);
const begun = { madeMs: 7, by: "ann", isAutomatic: true, made: undefined };

export const checkpointTargets: readonly Target[] = [
  {
    name: "several puts",
    covers: ["protocols/state/puts.ts putsFromData"],
    seeds: [
      putsToData(new Uint8Array(8).fill(7), [
        { key: "fan.duty", value: 40 },
        { key: "gone", value: undefined },
        { key: "program/north-1", value: Uint8Array.of(1, 2, 3) },
      ]),
    ],
    errors: [CborError, ShapeError],
    decode: putsFromData,
  },
  {
    name: "adoption of a draft",
    covers: ["protocols/state/draft.ts adoptionFromData"],
    seeds: [adoptionToData(new Uint8Array(8).fill(7), { pieces: 3, puts: 200, bytes: 2000 })],
    errors: [CborError, ShapeError],
    decode: adoptionFromData,
  },
  {
    name: "draft",
    covers: ["protocols/state/draft.ts DraftReader"],
    seeds: draftPieces([
      { key: "fan.duty", value: 40 },
      { key: "program/north-1", value: Uint8Array.of(1, 2, 3) },
    ]),
    errors: [CborError, ShapeError],
    decode: (bytes) => {
      const draft = new DraftReader({ pieces: 1, puts: 2, bytes: bytes.length }, () => bytes);
      while (draft.next() !== undefined);
    },
  },
  {
    name: "checkpoint",
    covers: ["host-tools/leader/checkpoints/checkpoint-file.ts checkpointFromBytes"],
    seeds: [checkpoint],
    errors: [CheckpointDamaged],
    decode: checkpointFromBytes,
  },
  {
    name: "checkpoint with a digest that fits",
    covers: [],
    seeds: [content],
    errors: [CheckpointDamaged],
    decode: (bytes) =>
      checkpointFromBytes(Buffer.concat([createHash("sha256").update(bytes).digest(), bytes])),
  },
  {
    name: "marker of a checkpoint",
    covers: ["host-tools/leader/checkpoints/marker.ts markerFromValue"],
    seeds: [
      markerToValue(begun),
      markerToValue({ ...begun, made: { index: 4, term: 2, digest: new Uint8Array(32) } }),
    ],
    errors: [],
    decode: markerFromValue,
  },
];
