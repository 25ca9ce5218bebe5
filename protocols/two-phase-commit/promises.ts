/**
 * What a board keeps of actions over a power cut, all of it in one value:
 *
 * ```
 * [1, [[slot, id, stage, [[output, value], ...], forMs, safetyMs, wallMs | null, boundMs | null, reason], ...]]
 * ```
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { actionLimits, type OutputValue } from "./action.ts";
import { outputsFromWire, outputsToWire } from "./codec.ts";

/**
 * `promised`: it said yes. `acted`: its outputs have, or had, the action's values. `heuristic`: it went to its safe values instead. `released`: it was given up before it had done
 * anything. Each of these three is final: no decision changes it.
 */
export type PromiseStage = "promised" | "acted" | "heuristic" | "released";

export interface KeptPromise {
  /** `detachedSlot` once the action has ended and only its outputs are still held. */
  readonly slot: number;
  readonly id: number;
  readonly stage: PromiseStage;
  readonly set: readonly OutputValue[];
  readonly forMs: number;
  readonly safetyMs: number;
  /** When it came to this stage, in Unix milliseconds; undefined where the board did not know them. */
  readonly wallMs: number | undefined;
  readonly boundMs: number | undefined;
  /** Of `heuristic`. */
  readonly reason: string;
}

export const detachedSlot = actionLimits.slots;

export const promiseLimits = Object.freeze({
  /** Live actions, and as many outputs that are still held after theirs has ended. */
  promisesMax: 2 * actionLimits.slots,
  /** Beyond it nothing more is promised: what comes of the promises takes a little more, and 2,047 bytes fit. */
  bytesMax: 1_024,
});

export function promisesToBytes(promises: readonly KeptPromise[]): Uint8Array {
  const items: CborValue[] = [];
  for (const { slot, id, stage, set, forMs, safetyMs, wallMs, boundMs, reason } of promises) {
    const when = [wallMs ?? null, boundMs ?? null];
    items.push([slot, id, stages.indexOf(stage), outputsToWire(set), forMs, safetyMs, ...when, reason]);
  }
  return encodeCbor([1, items]);
}

/** undefined for what is none. */
export function promisesFromBytes(bytes: Uint8Array): KeptPromise[] | undefined {
  try {
    const items = new ItemReader(decodeCbor(bytes), format, "", 2);
    items.version(1);
    return items.array("the promises", promiseLimits.promisesMax).map(promiseFrom);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

const format = "kept promises";
const msMax = Number.MAX_SAFE_INTEGER;
const stages: readonly PromiseStage[] = Object.freeze([
  "promised",
  "acted",
  "heuristic",
  "released",
] as const);

function promiseFrom(value: CborValue): KeptPromise {
  const items = new ItemReader(value, format, "a promise", 9);
  return {
    slot: items.integer("the slot", 0, detachedSlot),
    id: items.integer("the id", 0, actionLimits.idMax),
    stage: stages[items.integer("the stage", 0, stages.length - 1)]!,
    set: outputsFromWire(items.array("the outputs", actionLimits.outputsMax), format),
    forMs: items.integer("forMs", 0, msMax),
    safetyMs: items.integer("safetyMs", 0, msMax),
    wallMs: items.integerOrNone("wallMs", 0, msMax),
    boundMs: items.integerOrNone("boundMs", 0, msMax),
    reason: items.text("the reason", actionLimits.reasonBytesMax),
  };
}
