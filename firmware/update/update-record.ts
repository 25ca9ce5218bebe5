/**
 * What a board keeps of its updates over every restart: one small value, some 200 bytes, under `storedKeys.update`.
 *
 * ```
 * [version, vouched, proved, failed, fetched, trial]
 *
 * vouched   h'SHA-256 of the signed release whose signature was checked last', or null
 * proved    [sequence, h'hash at the end of its image', h'its digest'], or null      the latest that ran and caught up with the swarm
 * failed    [[sequence, why], ...]                                                 those after it that are not to be tried again
 * fetched   [h'digest of the release', chunk, h'digest of that chunk', trials], or null
 * trial     [sequence, h'hash at the end of its image'], or null                    written just before it is selected
 * ```
 *
 * No release at or below `proved` is ever taken: that is the floor against roll-back.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ItemReader, ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { storedKeys } from "../../protocols/provisioning/stored.ts";
import { updateLimits } from "../../protocols/update/messages.ts";
import { digestBytes, releaseLimits } from "../../protocols/update/release.ts";
import type { KeyValue } from "../platform/ports.ts";

/** Why a release is not tried again; its place in `failures` is its number in the record. */
export type Failure = "not-joined" | "crashed" | "restarted" | "power" | "image";

export interface Proved {
  readonly sequence: number;
  /** What `UpdateSlot.running` is while it runs. */
  readonly image: Uint8Array;
  /** As the release has it. */
  readonly digest: Uint8Array;
}

export interface Failed {
  readonly sequence: number;
  readonly why: Failure;
}

/** How much of an image is in the slot. */
export interface Fetched {
  /** As the release has it. */
  readonly digest: Uint8Array;
  /** All before this one are in the slot. On a sector's boundary, or the number of all. */
  readonly chunk: number;
  /** Of that chunk; empty after the last one. */
  readonly next: Uint8Array;
  /** How often the image was selected. */
  readonly trials: number;
}

export interface Trial {
  readonly sequence: number;
  readonly image: Uint8Array;
}

export interface UpdateRecord {
  readonly vouched: Uint8Array | undefined;
  readonly proved: Proved | undefined;
  /** At most `failedMax`, the latest last. */
  readonly failed: readonly Failed[];
  readonly fetched: Fetched | undefined;
  readonly trial: Trial | undefined;
}

/** Releases that failed and are remembered; beyond it the oldest is forgotten. */
export const failedMax = 8;

export const noRecord: UpdateRecord = Object.freeze({
  vouched: undefined,
  proved: undefined,
  failed: Object.freeze([]),
  fetched: undefined,
  trial: undefined,
});

/** What is kept; `noRecord` for nothing, and for what this firmware can't read. */
export function readRecord(keyValue: KeyValue): UpdateRecord {
  const bytes = keyValue.read(storedKeys.update);
  return (bytes && recordFromBytes(bytes)) ?? noRecord;
}

/** False when there is no room for it: then what was kept before is still there. */
export function writeRecord(keyValue: KeyValue, record: UpdateRecord): boolean {
  try {
    keyValue.write(storedKeys.update, recordToBytes(record));
    return true;
  } catch {
    return false;
  }
}

export function recordToBytes({ vouched, proved, failed, fetched, trial }: UpdateRecord): Uint8Array {
  return encodeCbor([
    recordVersion,
    vouched ?? null,
    proved === undefined ? null : [proved.sequence, proved.image, proved.digest],
    failed.map(({ sequence, why }) => [sequence, failures.indexOf(why)]),
    fetched === undefined ? null : [fetched.digest, fetched.chunk, fetched.next, fetched.trials],
    trial === undefined ? null : [trial.sequence, trial.image],
  ]);
}

/** undefined for what is none. */
export function recordFromBytes(bytes: Uint8Array): UpdateRecord | undefined {
  try {
    const items = new ItemReader(decodeCbor(bytes), format, "", 6);
    items.version(recordVersion);
    return {
      vouched: items.isNone() ? undefined : items.bytesOf("the vouched", digestBytes),
      proved: items.isNone() ? undefined : provedFrom(items.any()),
      failed: items.array("the failed", failedMax).map(failedFrom),
      fetched: items.isNone() ? undefined : fetchedFrom(items.any()),
      trial: items.isNone() ? undefined : trialFrom(items.any()),
    };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

const recordVersion = 1;
const format = "record of updates";
const failures: readonly Failure[] = Object.freeze([
  "not-joined",
  "crashed",
  "restarted",
  "power",
  "image",
] as const);

function provedFrom(value: CborValue): Proved {
  const items = new ItemReader(value, format, "the proved", 3);
  const sequence = items.integer("the sequence", 1, releaseLimits.sequenceMax);
  const image = items.bytesOf("the image", digestBytes);
  return { sequence, image, digest: items.bytesOf("the digest", digestBytes) };
}

function failedFrom(value: CborValue): Failed {
  const items = new ItemReader(value, format, "a failed", 2);
  const sequence = items.integer("the sequence", 1, releaseLimits.sequenceMax);
  return { sequence, why: failures[items.integer("why", 0, failures.length - 1)]! };
}

function fetchedFrom(value: CborValue): Fetched {
  const items = new ItemReader(value, format, "the fetched", 4);
  const digest = items.bytesOf("the digest", digestBytes);
  const chunk = items.integer("the chunk", 0, updateLimits.chunkMax + 1);
  const next = items.bytes("the next digest", digestBytes);
  return { digest, chunk, next, trials: items.integer("the trials", 0, trialsCounted) };
}

function trialFrom(value: CborValue): Trial {
  const items = new ItemReader(value, format, "the trial", 2);
  const sequence = items.integer("the sequence", 1, releaseLimits.sequenceMax);
  return { sequence, image: items.bytesOf("the image", digestBytes) };
}

const trialsCounted = 255;
