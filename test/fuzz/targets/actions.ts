/** Actions: what the agreed state says of them, what boards tell, and what a board's flash holds. */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { type Action, slotOf } from "../../../protocols/two-phase-commit/action.ts";
import { actionFromWire, actionToWire, outputsFromWire } from "../../../protocols/two-phase-commit/codec.ts";
import { givenUpNames, withGivenUp } from "../../../protocols/two-phase-commit/given-up.ts";
import { checkNames, packNames, unpackNames } from "../../../protocols/two-phase-commit/names.ts";
import { promisesFromBytes, promisesToBytes } from "../../../protocols/two-phase-commit/promises.ts";
import { reportsFromWire, reportsToWire } from "../../../protocols/two-phase-commit/report.ts";
import { watchedFromWire } from "../../../protocols/two-phase-commit/watched.ts";
import type { Target } from "../target.ts";

const folder = "protocols/two-phase-commit";
const errors = [CborError, ShapeError];
const action: Action = {
  ...{ id: 7, name: "open-valves", boards: packNames(["north-1", "north-2", "south"]) },
  set: [{ output: "valve", value: 1 }],
  require: [{ metric: "pressure", min: 1, max: 3, maxAgeMs: 10_000 }],
  ...{ forMs: 600_000, safetyMs: 30_000, deadlineMs: 1_800_000_000_000, startMs: undefined },
  ...{ phase: "begun", isEnded: false, reason: "", givenUp: [] },
};
const report = { slot: 3, id: 9, stage: "acted", reason: "", wallMs: 1_800_000_000_000, boundMs: 4 } as const;
const promise = { ...report, stage: "promised", set: action.set, forMs: 1, safetyMs: 2, reason: "" } as const;

export const actionTargets: readonly Target[] = [
  {
    name: "action",
    covers: [`${folder}/codec.ts actionFromWire`, `${folder}/codec.ts outputsFromWire`],
    seeds: [
      encodeCbor(actionToWire(action)),
      encodeCbor(actionToWire({ ...action, startMs: 5, isEnded: true })),
      encodeCbor(actionToWire(withGivenUp(action, ["north-2"], "ada"))),
    ],
    errors,
    decode: (bytes) => {
      const found = actionFromWire(decodeCbor(bytes));
      return [found, unpackNames(found.boards), givenUpNames(found), outputsFromWire([], "action")];
    },
  },
  {
    name: "names of an action's boards",
    covers: [`${folder}/names.ts checkNames`],
    seeds: [action.boards],
    errors,
    decode: (bytes) => {
      checkNames(bytes, "names");
      return unpackNames(bytes);
    },
  },
  {
    name: "action report",
    covers: [`${folder}/report.ts reportsFromWire`],
    seeds: [encodeCbor(reportsToWire([report, { ...report, slot: 4, stage: "no", reason: "why" }]))],
    errors,
    decode: (bytes) => reportsFromWire(decodeCbor(bytes)),
  },
  {
    name: "kept promises",
    covers: [`${folder}/promises.ts promisesFromBytes`],
    seeds: [promisesToBytes([promise])],
    errors: [],
    decode: (bytes) => [promisesFromBytes(bytes), slotOf(String(bytes[0]))],
  },
  {
    name: "watched metrics",
    covers: [`${folder}/watched.ts watchedFromWire`],
    seeds: [encodeCbor(["flow", "pressure"])],
    errors,
    decode: (bytes) => watchedFromWire(decodeCbor(bytes)),
  },
];
