/**
 * A block of readings as it lies on boards that keep it: with the time on the wall in place of the board's own, and so that it can be read again by itself.
 *
 * ```
 * bytes   [1, stepMs, mode, scale, first, count, h'bits']     as in protocols/series/block.ts
 * ```
 */
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { type Block, blockFromWire } from "../../../protocols/series/block.ts";
import { decodeBlock } from "../../../protocols/series/decoder.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";

const version = 1;

/** When it began stands beside the bytes. */
export function packBlock({ stepMs, mode, scale, first, count, bits }: Omit<Block, "startMs">): Uint8Array {
  return encodeCbor([version, stepMs, mode, scale, first, count, bits]);
}

/** Calls back with each reading of a block that began at `startMs`. @throws {CborError | ShapeError} for bytes that no host writes. */
export function unpackBlock(
  bytes: Uint8Array,
  startMs: number,
  onReading: (atMs: number, value: number) => void,
): void {
  const value = decodeCbor(bytes);
  if (!Array.isArray(value) || value[0] !== version) {
    throw new ShapeError(
      "packed block",
      "the version",
      `${version}`,
      Array.isArray(value) ? value[0] : value,
    );
  }
  decodeBlock(blockFromWire(["x", startMs, ...value.slice(1)], ""), onReading);
}
