/**
 * What a board and its host say of an image, on the channel `update` of the board's session: the board asks for chunks, the host sends them.
 *
 * ```
 * up     want     [version, h'first 8 bytes of the digest', chunk, count]     at most `wantedMax` at a time
 * down   chunk    [version, h'the same', chunk, h'bytes']                     null for bytes: the host has no such image now
 * ```
 */

import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { chunkDataBytes } from "./chunks.ts";
import { digestBytes } from "./release.ts";

export interface Want {
  /** The first `imageIdBytes` of the release's digest. */
  readonly image: Uint8Array;
  /** The first one wanted, from 0. */
  readonly chunk: number;
  /** How many, in their order: 1 to `wantedMax`. */
  readonly count: number;
}

export interface Chunk {
  readonly image: Uint8Array;
  readonly chunk: number;
  /** undefined: the host has no such image at present. */
  readonly bytes: Uint8Array | undefined;
}

export const updateLimits = Object.freeze({
  imageIdBytes: 8,
  /** Chunks on their way to one board. */
  wantedMax: 4,
  chunkMax: 16_383,
});

export const updateVersion = 1;

export function wantToWire({ image, chunk, count }: Want): CborValue {
  return [updateVersion, image, chunk, count];
}

/** @throws {ShapeError} */
export function wantFromWire(value: CborValue): Want {
  const items = new ItemReader(value, "want", "", 4);
  items.version(updateVersion);
  const image = items.bytesOf("the image", updateLimits.imageIdBytes);
  const chunk = items.integer("the chunk", 0, updateLimits.chunkMax);
  return { image, chunk, count: items.integer("the count", 1, updateLimits.wantedMax) };
}

export function chunkToWire({ image, chunk, bytes }: Chunk): CborValue {
  return [updateVersion, image, chunk, bytes ?? null];
}

/** @throws {ShapeError} */
export function chunkFromWire(value: CborValue): Chunk {
  const items = new ItemReader(value, "chunk", "", 4);
  items.version(updateVersion);
  const image = items.bytesOf("the image", updateLimits.imageIdBytes);
  const chunk = items.integer("the chunk", 0, updateLimits.chunkMax);
  const bytes = items.isNone() ? undefined : items.bytes("the bytes", chunkDataBytes + digestBytes);
  return { image, chunk, bytes };
}
