/**
 * The key under which one host publishes to all members: made when the host starts and whenever the roster's epoch changes, and handed to each
 * member within its own session (`group` on a board's connection), so that whoever was revoked reads nothing that is published after.
 *
 * Whoever has the key can seal as well as open: it keeps what is published secret from others and proves nothing about who wrote it. What is published counts
 * only where the chain hash, in a request that came in the leader's own session, covers it (design, point 12).
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { ItemReader } from "../../cbor/shape.ts";
import type { CborValue } from "../../cbor/value.ts";
import type { Ciphers } from "../ciphers.ts";
import { identityLimits } from "../identity/identity.ts";
import type { RecordKeys } from "../record/record.ts";

export interface SenderKey {
  /** Who publishes under it. */
  readonly host: string;
  /** Of the roster. */
  readonly epoch: number;
  /** By which a publication says which key it is sealed under: `senderKeyIdBytes`, drawn at random. */
  readonly id: Uint8Array;
  readonly keys: RecordKeys;
}

export const senderKeyIdBytes = 4;
export const senderKeyVersion = 1;

export function makeSenderKey(ciphers: Ciphers, host: string, epoch: number): SenderKey {
  const bytes = new Uint8Array(senderKeyIdBytes + 16 + 13);
  ciphers.random(bytes);
  const key = bytes.slice(senderKeyIdBytes, senderKeyIdBytes + 16);
  const iv = bytes.slice(senderKeyIdBytes + 16);
  return { host, epoch, id: bytes.slice(0, senderKeyIdBytes), keys: { key, iv } };
}

/** Array: [version, host, epoch, id, key, iv]. */
export function senderKeyToWire({ host, epoch, id, keys }: SenderKey): CborValue {
  return [senderKeyVersion, host, epoch, id, keys.key, keys.iv];
}

/** Throws `ShapeError`. */
export function senderKeyFromWire(value: CborValue): SenderKey {
  const items = new ItemReader(value, "sender key", "", 6);
  items.version(senderKeyVersion);
  const host = items.text("the host", identityLimits.nameLengthMax);
  const epoch = items.integer("the epoch", 0, 0x7fff_ffff);
  const id = items.bytesOf("the id", senderKeyIdBytes).slice();
  const key = items.bytesOf("the key", 16).slice();
  return { host, epoch, id, keys: { key, iv: items.bytesOf("the iv", 13).slice() } };
}

/** What a publication is bound to: an Enc_structure (RFC 9052, section 5.3). */
export function publicationAad({ host, epoch, id }: SenderKey, topic: string): Uint8Array {
  return encodeCbor(["Encrypt0", new Uint8Array(0), encodeCbor([senderKeyVersion, epoch, host, id, topic])]);
}
