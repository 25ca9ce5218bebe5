/**
 * A publication, sealed once for all who hold its sender's key: a COSE_Encrypt0 (RFC 9052, section 5.2) under AES-CCM-16-64-128 that says which key.
 *
 * ```
 * [h'', {4: key id, 6: number}, ciphertext and tag]
 * ```
 */
import type { Ciphers } from "../ciphers.ts";
import { openRecord, parseGroupRecord, sealGroupRecord } from "../record/record.ts";
import { ReplayWindow } from "../record/replay-window.ts";
import { publicationAad, type SenderKey } from "./sender-key.ts";

export class GroupSender {
  readonly key: SenderKey;
  readonly #ciphers: Ciphers;
  readonly #aad: Uint8Array;
  #next = 0;

  /** A key that was just made: numbers begin at 0. */
  constructor(ciphers: Ciphers, key: SenderKey, topic: string) {
    this.#ciphers = ciphers;
    this.key = key;
    this.#aad = publicationAad(key, topic);
  }

  /** Publications sealed so far. */
  get sealed(): number {
    return this.#next;
  }

  seal(payload: Uint8Array): Uint8Array {
    return sealGroupRecord(this.#ciphers, this.key, this.#next++, this.#aad, payload);
  }
}

/** Keys that a member holds: the latest of each host. */
export const senderKeysMax = 3;

export type OpenedPublication =
  | { readonly payload: Uint8Array; readonly host: string }
  | { readonly fault: "malformed" | "unknown-key" | "replayed" | "forged" };

export class GroupReceiver {
  readonly #ciphers: Ciphers;
  readonly #topic: string;
  readonly #held: Held[] = [];

  constructor(ciphers: Ciphers, topic: string) {
    this.#ciphers = ciphers;
    this.#topic = topic;
  }

  /** Holds this key in place of the host's former one; the same key again changes nothing. */
  hold(key: SenderKey): void {
    const at = this.#held.findIndex((held) => held.key.host === key.host);
    if (at >= 0 && isSame(this.#held[at]!.key.id, key.id)) return;
    if (at >= 0) this.#held.splice(at, 1);
    if (this.#held.length >= senderKeysMax) this.#held.shift();
    this.#held.push({ key, window: new ReplayWindow() });
  }

  open(bytes: Uint8Array): OpenedPublication {
    const record = parseGroupRecord(bytes);
    if (record === undefined) return { fault: "malformed" };
    const held = this.#held.find(({ key }) => isSame(key.id, record.keyId));
    if (held === undefined) return { fault: "unknown-key" };
    if (!held.window.isFresh(record.number)) return { fault: "replayed" };
    const { key } = held;
    const payload = openRecord(this.#ciphers, key.keys, record, publicationAad(key, this.#topic));
    if (payload === undefined) return { fault: "forged" };
    held.window.accept(record.number);
    return { payload, host: key.host };
  }
}

interface Held {
  readonly key: SenderKey;
  readonly window: ReplayWindow;
}

/** Ids of keys are no secret. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
