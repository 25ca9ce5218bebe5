/**
 * Both directions of a pair of members: keys from their handshake, a number for each record, a window against repeated ones.
 *
 * Nothing of it is stored: a member that starts anew has a new handshake and new keys, so that no number of an old key is ever used again.
 * A board in deep sleep keeps its channel; it reserves numbers ahead (`reserve`), so that what it forgets is only that some were unused.
 */
import type { Ciphers } from "../ciphers.ts";
import type { EdhocSession } from "../edhoc/session.ts";
import { openRecord, parseRecord, type RecordKeys, recordNumbersMax, sealRecord } from "./record.ts";
import { ReplayWindow } from "./replay-window.ts";

/** What a record could not be: for counting, and for the audit log. */
export type RecordFault = "malformed" | "replayed" | "forged";

export type OpenedRecord =
  | { readonly payload: Uint8Array; readonly number: number }
  | { readonly fault: RecordFault };

/** Makes durable that no number below `upTo` will be used again. */
export type Reserve = (upTo: number) => void;

/** Numbers reserved together. */
export const reservedTogether = 1000;

export class RecordChannel {
  readonly #ciphers: Ciphers;
  readonly #sendKeys: RecordKeys;
  readonly #receiveKeys: RecordKeys;
  readonly #window = new ReplayWindow();
  readonly #reserve: Reserve | undefined;
  #next: number;
  #reservedTo: number;

  /** @param first where the numbers of this side go on: 0 after a handshake, what was reserved after deep sleep. */
  constructor(ciphers: Ciphers, session: EdhocSession, isInitiator: boolean, first = 0, reserve?: Reserve) {
    const ofInitiator = exportKeys(session, Label.initiatorKey, Label.initiatorIv);
    const ofResponder = exportKeys(session, Label.responderKey, Label.responderIv);
    this.#ciphers = ciphers;
    this.#sendKeys = isInitiator ? ofInitiator : ofResponder;
    this.#receiveKeys = isInitiator ? ofResponder : ofInitiator;
    this.#next = first;
    this.#reservedTo = first;
    this.#reserve = reserve;
  }

  /** Whether a new handshake or key update is due before the numbers run out. */
  get isWorn(): boolean {
    return this.#next >= recordNumbersMax - reservedTogether;
  }

  /** `aad` is what `recordAad` makes of the context, once for each. Throws `RangeError` when all numbers are used. */
  seal(aad: Uint8Array, payload: Uint8Array): Uint8Array {
    const number = this.#next;
    if (number >= this.#reservedTo && this.#reserve !== undefined) {
      this.#reservedTo = number + reservedTogether;
      this.#reserve(this.#reservedTo);
    }
    this.#next = number + 1;
    return sealRecord(this.#ciphers, this.#sendKeys, number, aad, payload);
  }

  open(aad: Uint8Array, bytes: Uint8Array): OpenedRecord {
    const record = parseRecord(bytes);
    if (record === undefined) return { fault: "malformed" };
    const { number } = record;
    if (!this.#window.isFresh(number)) return { fault: "replayed" };
    const payload = openRecord(this.#ciphers, this.#receiveKeys, record, aad);
    if (payload === undefined) return { fault: "forged" };
    this.#window.accept(number);
    return { payload, number };
  }
}

/** Exporter labels for private use (RFC 9528, section 10.1). */
const Label = Object.freeze({
  initiatorKey: 32768,
  initiatorIv: 32769,
  responderKey: 32770,
  responderIv: 32771,
});

function exportKeys(session: EdhocSession, key: number, iv: number): RecordKeys {
  const context = new Uint8Array(0);
  return { key: session.exportKey(key, context, 16), iv: session.exportKey(iv, context, 13) };
}
