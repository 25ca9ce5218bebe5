/** What boards and hosts say of tasks, and what the agreed state does. */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { drainedFromWire, drainedToWire } from "../../../protocols/tasks/drained.ts";
import { leasesFromWire, leasesToWire } from "../../../protocols/tasks/lease-messages.ts";
import {
  type Placement,
  placementFromWire,
  placementToWire,
  readFencedMetric,
} from "../../../protocols/tasks/placement.ts";
import type { Target } from "../target.ts";

const errors = [CborError, ShapeError];
const pipeline = { metric: "gateway", sensor: "temperature", everyMs: 1_000, stages: [] };
const placement: Placement = {
  ...{ mode: "held", holder: "north-1", token: 7, leaseMs: 10_000, sinceMs: 1_700_000_000_000 },
  program: programToWire({ pipelines: [pipeline], outputs: [], rules: [] }),
};
const stopped: Placement = { ...placement, mode: "stopped", holder: undefined, token: 0 };

export const taskTargets: readonly Target[] = [
  {
    name: "placement",
    covers: ["protocols/tasks/placement.ts placementFromWire"],
    seeds: [placement, stopped].map((one) => encodeCbor(placementToWire(one))),
    errors,
    decode: (bytes) => placementFromWire(decodeCbor(bytes)),
  },
  {
    name: "claim or grant",
    covers: ["protocols/tasks/lease-messages.ts leasesFromWire"],
    seeds: [encodeCbor(leasesToWire({ askedMs: 5, tasks: [{ task: "gateway-temp", token: 7 }] }))],
    errors,
    decode: (bytes) => leasesFromWire(decodeCbor(bytes)),
  },
  {
    name: "drained boards",
    covers: ["protocols/tasks/drained.ts drainedFromWire"],
    seeds: [encodeCbor(drainedToWire(["north-1", "north-2"]))],
    errors,
    decode: (bytes) => drainedFromWire(decodeCbor(bytes)),
  },
  {
    name: "metric with a token",
    covers: ["protocols/tasks/placement.ts readFencedMetric"],
    seeds: [Buffer.from("gateway#7"), Buffer.from("gateway"), Buffer.from("#07")],
    errors: [],
    decode: (bytes) => readFencedMetric(Buffer.from(bytes).toString("latin1")),
  },
];
