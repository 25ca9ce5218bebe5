/**
 * CBOR on the host: cbor-x, narrowed to the part of RFC 8949 that Covey speaks (`protocols/cbor/value.ts`).
 *
 * The library also decodes tags, maps, dates, big integers and undefined; no board sends them, so they are refused here, once,
 * and what comes out is a `CborValue` in truth and not only by type.
 */
import { Encoder, setSizeLimits } from "cbor-x";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { messageLimits } from "../../protocols/messages/board-messages.ts";

export class CborError extends Error {
  override readonly name = "CborError";
}

/** Arrays within arrays; an append request with its entries needs three. */
const depthMax = 8;

// A header may claim 2^32 items in five bytes; cbor-x would allocate them before it looks for them.
setSizeLimits({ maxArraySize: messageLimits.payloadBytesMax, maxMapSize: 16, maxObjectSize: 16 });

const codec = new Encoder({ useRecords: false, tagUint8Array: false });

/** Byte strings within `value` may be of any `Uint8Array` kind. */
export function encodeCbor(value: CborValue): Uint8Array {
  return codec.encode(value);
}

/**
 * Decodes exactly one value.
 * @throws {CborError} when the bytes are not one well-formed value, or one of a kind that Covey does not use.
 */
export function decodeCbor(bytes: Uint8Array): CborValue {
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch (error) {
    throw new CborError(error instanceof Error ? error.message : String(error));
  }
  return narrow(value, 0);
}

function narrow(value: unknown, depth: number): CborValue {
  if (value === null || value instanceof Uint8Array) return value;
  switch (typeof value) {
    case "number":
    case "string":
    case "boolean":
      return value;
    case "bigint":
      return narrowBigInt(value);
  }
  if (!Array.isArray(value)) throw new CborError("a map, tag or undefined, which Covey does not use");
  if (depth === depthMax) throw new CborError(`arrays nested deeper than ${depthMax}`);
  for (let i = 0; i < value.length; i++) value[i] = narrow(value[i], depth + 1);
  return value;
}

function narrowBigInt(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new CborError(`integer ${value} is beyond 2^53`);
  return number;
}
