/**
 * A protected message: a COSE_Encrypt0 (RFC 9052, section 5.2) under AES-CCM-16-64-128 (RFC 9053, section 4.2), with nothing in it that both sides
 * know anyway. The number of the record is its Partial IV; the nonce is that number xored into a secret IV (RFC 9052, section 3.1), so a
 * key never sees a nonce twice as long as no number is used twice.
 *
 * ```
 * [h'', {6: number}, ciphertext and tag]     at most 20 bytes more than the payload
 * ```
 */
import type { Ciphers } from "../ciphers.ts";

/** Number of the next record of a key may not reach this: then a new handshake or a key update is due. */
export const recordNumbersMax = 0x1_0000_0000;

export interface RecordKeys {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 13 bytes. */
  readonly iv: Uint8Array;
}

/** A key and its IV, one after the other. */
export const recordKeysBytes = 16 + 13;

/** Copies of the key and the IV that begin at `at`. */
export function recordKeysIn(bytes: Uint8Array, at: number): RecordKeys {
  return { key: bytes.slice(at, at + 16), iv: bytes.slice(at + 16, at + recordKeysBytes) };
}

/** `aad` is what `recordAad` makes of its context. Throws `RangeError` for a number out of range: it must never wrap. */
export function sealRecord(
  ciphers: Ciphers,
  keys: RecordKeys,
  number: number,
  aad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return assemble(none, number, seal(ciphers, keys, number, aad, payload));
}

/** The same with the id of the key in it, 1 to 23 bytes: for a key that several hold. Throws `RangeError` for a number out of range. */
export function sealGroupRecord(
  ciphers: Ciphers,
  { id, keys }: { readonly id: Uint8Array; readonly keys: RecordKeys },
  number: number,
  aad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return assemble(id, number, seal(ciphers, keys, number, aad, payload));
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

/** By hand, because every message of a board goes through it: everything before the ciphertext has one form, given its lengths. */
function parse(bytes: Uint8Array, hasKeyId: boolean): (ReceivedRecord & { keyId: Uint8Array }) | undefined {
  if (bytes[0] !== 0x83 || bytes[1] !== 0x40 || bytes[2] !== (hasKeyId ? 0xa2 : 0xa1)) return undefined;
  let at = 3;
  let keyId = none;
  if (hasKeyId) {
    const length = bytes[at + 1]! - 0x40;
    if (bytes[at] !== kidLabel || !(length >= 0 && length <= shortBytesMax)) return undefined;
    keyId = bytes.slice(at + 2, at + 2 + length);
    at += 2 + length;
  }
  const ivBytes = bytes[at + 1]! - 0x40;
  if (bytes[at] !== partialIvLabel || !(ivBytes >= 1 && ivBytes <= partialIvBytesMax)) return undefined;
  at += 2;
  // One way to write a number: a leading zero would be another.
  if (ivBytes > 1 && bytes[at] === 0) return undefined;
  let number = 0;
  for (const end = at + ivBytes; at < end; at++) number = number * 256 + bytes[at]!;
  const initial = bytes[at++]!;
  let length = initial - 0x40;
  if (initial === 0x58) {
    length = bytes[at++]!;
    if (length <= shortBytesMax) return undefined;
  } else if (initial === 0x59) {
    length = bytes[at++]! * 0x100 + bytes[at++]!;
    if (length < 0x100) return undefined;
  } else if (!(length >= 0 && length <= shortBytesMax)) return undefined;
  if (bytes.length - at !== length) return undefined;
  return { keyId, number, sealed: bytes.subarray(at) };
}

/** The payload; undefined when the record is not what the sender sealed in this context. */
export function openRecord(
  ciphers: Ciphers,
  keys: RecordKeys,
  { number, sealed }: ReceivedRecord,
  aad: Uint8Array,
): Uint8Array | undefined {
  return ciphers.ccmOpen(keys.key, nonceOf(keys.iv, number), tagBytes, aad, sealed);
}

function seal(
  ciphers: Ciphers,
  keys: RecordKeys,
  number: number,
  aad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  if (!(number >= 0 && number < recordNumbersMax))
    throw new RangeError(`Record number ${number} is out of range.`);
  if (payload.length + tagBytes > sealedBytesMax)
    throw new RangeError(
      `A payload has ${payload.length} bytes: at most ${sealedBytesMax - tagBytes} fit a record.`,
    );
  return ciphers.ccmSeal(keys.key, nonceOf(keys.iv, number), tagBytes, aad, payload);
}

/** [h'', {? 4: key id, 6: number}, sealed], in one array. */
function assemble(keyId: Uint8Array, number: number, sealed: Uint8Array): Uint8Array {
  const { length } = sealed;
  const ivBytes = number > 0xff_ffff ? 4 : number > 0xffff ? 3 : number > 0xff ? 2 : 1;
  const idBytes = keyId.length === 0 ? 0 : 2 + keyId.length;
  const headBytes = length <= shortBytesMax ? 1 : length < 0x100 ? 2 : 3;
  const record = new Uint8Array(3 + idBytes + 2 + ivBytes + headBytes + length);
  record[0] = 0x83;
  record[1] = 0x40;
  record[2] = idBytes === 0 ? 0xa1 : 0xa2;
  let at = 3;
  if (idBytes > 0) {
    record[at] = kidLabel;
    record[at + 1] = 0x40 + keyId.length;
    record.set(keyId, at + 2);
    at += idBytes;
  }
  record[at] = partialIvLabel;
  record[at + 1] = 0x40 + ivBytes;
  at += 2 + ivBytes;
  for (let place = at - 1, rest = number, left = ivBytes; left > 0; left--) {
    record[place--] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (headBytes === 1) record[at] = 0x40 + length;
  else {
    record[at] = headBytes === 2 ? 0x58 : 0x59;
    if (headBytes === 3) record[at + 1] = length >> 8;
    record[at + headBytes - 1] = length & 0xff;
  }
  record.set(sealed, at + headBytes);
  return record;
}

/** COSE header parameters "kid" and "Partial IV" (RFC 9052, section 3.1). */
const kidLabel = 4;
const partialIvLabel = 6;
const tagBytes = 8;
const partialIvBytesMax = 4;
/** Bytes of a byte string whose length is in its initial byte. */
const shortBytesMax = 23;
/** Of a ciphertext with its tag: lengths of two bytes. */
const sealedBytesMax = 0xffff;
const none = new Uint8Array(0);

function nonceOf(iv: Uint8Array, number: number): Uint8Array {
  const nonce = iv.slice();
  let rest = number;
  for (let at = nonce.length - 1; rest > 0; at--) {
    nonce[at]! ^= rest % 256;
    rest = Math.floor(rest / 256);
  }
  return nonce;
}
