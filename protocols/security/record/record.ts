/**
 * A protected message: a COSE_Encrypt0 (RFC 9052, section 5.2) under AES-CCM-16-64-128 (RFC 9053, section 4.2), with nothing in it that both sides
 * know anyway. The number of the record is its Partial IV; the nonce is that number xored into a secret IV (RFC 9052, section 3.1), so a
 * key never sees a nonce twice as long as no number is used twice.
 *
 * ```
 * [h'', {6: number}, ciphertext and tag]     at most 20 bytes more than the payload
 * ```
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { concat, encodeMap, SequenceReader } from "../../cbor/sequence.ts";
import type { Ciphers } from "../ciphers.ts";

/** Number of the next record of a key may not reach this: then a new handshake or a key update is due. */
export const recordNumbersMax = 0x1_0000_0000;

export interface RecordKeys {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 13 bytes. */
  readonly iv: Uint8Array;
}

/** `aad` is what `recordAad` makes of its context. Throws `RangeError` for a number out of range: it must never wrap. */
export function sealRecord(
  ciphers: Ciphers,
  keys: RecordKeys,
  number: number,
  aad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  if (!(number >= 0 && number < recordNumbersMax))
    throw new RangeError(`Record number ${number} is out of range.`);
  const sealed = ciphers.ccmSeal(keys.key, nonceOf(keys.iv, number), tagBytes, aad, payload);
  const unprotected = encodeMap([encodeCbor(partialIvLabel), encodeCbor(shortest(number))]);
  return concat(Uint8Array.of(0x83, 0x40), unprotected, encodeCbor(sealed));
}

/** The same with the id of the key in it: for a key that several hold. Throws `RangeError` for a number out of range. */
export function sealGroupRecord(
  ciphers: Ciphers,
  { id, keys }: { readonly id: Uint8Array; readonly keys: RecordKeys },
  number: number,
  aad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  if (!(number >= 0 && number < recordNumbersMax))
    throw new RangeError(`Record number ${number} is out of range.`);
  const sealed = ciphers.ccmSeal(keys.key, nonceOf(keys.iv, number), tagBytes, aad, payload);
  const unprotected = encodeMap(
    [encodeCbor(kidLabel), encodeCbor(id)],
    [encodeCbor(partialIvLabel), encodeCbor(shortest(number))],
  );
  return concat(Uint8Array.of(0x83, 0x40), unprotected, encodeCbor(sealed));
}

export interface ReceivedRecord {
  readonly number: number;
  /** A view of the record. */
  readonly sealed: Uint8Array;
}

/** Takes a record apart; undefined for bytes that are none. Nothing in it is authentic yet. */
export function parseRecord(bytes: Uint8Array): ReceivedRecord | undefined {
  return parse(bytes, false);
}

/** The same of one that says which key it is sealed under. */
export function parseGroupRecord(bytes: Uint8Array): (ReceivedRecord & { keyId: Uint8Array }) | undefined {
  return parse(bytes, true);
}

function parse(bytes: Uint8Array, hasKeyId: boolean): (ReceivedRecord & { keyId: Uint8Array }) | undefined {
  try {
    const reader = new SequenceReader(bytes);
    if (reader.array() !== 3 || reader.byteString().length !== 0) return undefined;
    if (reader.map() !== (hasKeyId ? 2 : 1)) return undefined;
    if (hasKeyId && reader.integer() !== kidLabel) return undefined;
    const keyId = hasKeyId ? reader.byteString() : none;
    if (reader.integer() !== partialIvLabel) return undefined;
    const partialIv = reader.byteString();
    const sealed = reader.byteStringView();
    reader.end();
    // One way to write a number: a leading zero would be another.
    if (partialIv.length < 1 || partialIv.length > 4 || (partialIv.length > 1 && partialIv[0] === 0))
      return undefined;
    return { keyId, number: partialIv.reduce((number, byte) => number * 256 + byte, 0), sealed };
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

const none = new Uint8Array(0);

/** The payload; undefined when the record is not what the sender sealed in this context. */
export function openRecord(
  ciphers: Ciphers,
  keys: RecordKeys,
  { number, sealed }: ReceivedRecord,
  aad: Uint8Array,
): Uint8Array | undefined {
  return ciphers.ccmOpen(keys.key, nonceOf(keys.iv, number), tagBytes, aad, sealed);
}

/** COSE header parameters "kid" and "Partial IV" (RFC 9052, section 3.1). */
const kidLabel = 4;
const partialIvLabel = 6;
const tagBytes = 8;

function nonceOf(iv: Uint8Array, number: number): Uint8Array {
  const nonce = iv.slice();
  let rest = number;
  for (let at = nonce.length - 1; rest > 0; at--) {
    nonce[at]! ^= rest % 256;
    rest = Math.floor(rest / 256);
  }
  return nonce;
}

/** Big-endian without leading zeros, one byte at least. */
function shortest(number: number): Uint8Array {
  const bytes = number > 0xff_ffff ? 4 : number > 0xffff ? 3 : number > 0xff ? 2 : 1;
  const array = new Uint8Array(bytes);
  for (let at = bytes - 1, rest = number; at >= 0; at--, rest = Math.floor(rest / 256))
    array[at] = rest % 256;
  return array;
}
