/**
 * Both directions of a pair of members: a key each, a number for each record, a window against repeated ones. Nothing of it is stored: whoever starts anew,
 * or wakes from sleep, has new keys, so that no number is ever used twice under one.
 */
import { concat } from "../../cbor/sequence.ts";
import type { Ciphers } from "../ciphers.ts";
import {
  openRecord,
  parseRecord,
  type RecordKeys,
  recordKeysBytes,
  recordKeysIn,
  sealRecord,
} from "./record.ts";
import { ReplayWindow } from "./replay-window.ts";

/** What a record could not be: for counting, and for the audit log. */
export type RecordFault = "malformed" | "replayed" | "forged";

export type OpenedRecord =
  | { readonly payload: Uint8Array; readonly number: number }
  | { readonly fault: RecordFault };

export class RecordChannel {
  readonly #ciphers: Ciphers;
  /** Key and IV to send with, key and IV to receive with: one array, because each costs a board 100 bytes. */
  readonly #keys: Uint8Array;
  readonly #window = new ReplayWindow();
  #next = 0;

  /** Keys that were never used before. */
  constructor(ciphers: Ciphers, sendKeys: RecordKeys, receiveKeys: RecordKeys) {
    this.#ciphers = ciphers;
    this.#keys = concat(sendKeys.key, sendKeys.iv, receiveKeys.key, receiveKeys.iv);
  }

  /** Records sealed so far. */
  get sealed(): number {
    return this.#next;
  }

  /** Numbers of the peer up to the highest whose record opened. */
  get received(): number {
    return this.#window.highest + 1;
  }

  /** `aad` is what `recordAad` makes of the context, once for each. Throws `RangeError` when all numbers are used. */
  seal(aad: Uint8Array, payload: Uint8Array): Uint8Array {
    return sealRecord(this.#ciphers, recordKeysIn(this.#keys, 0), this.#next++, aad, payload);
  }

  open(aad: Uint8Array, bytes: Uint8Array): OpenedRecord {
    const record = parseRecord(bytes);
    if (record === undefined) return { fault: "malformed" };
    const { number } = record;
    if (!this.#window.isFresh(number)) return { fault: "replayed" };
    const payload = openRecord(this.#ciphers, recordKeysIn(this.#keys, recordKeysBytes), record, aad);
    if (payload === undefined) return { fault: "forged" };
    this.#window.accept(number);
    return { payload, number };
  }
}
