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
import { isSameBytes } from "../same-bytes.ts";
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

  /** Whether so many were sealed that a new key is due. */
  get isWorn(): boolean {
    return this.#next >= publicationsMax;
  }

  seal(payload: Uint8Array): Uint8Array {
    return sealGroupRecord(this.#ciphers, this.key, this.#next++, this.#aad, payload);
  }
}

/** Of one key: as the records of a session, one way. */
const publicationsMax = 0x10_0000;

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

  /**
   * Holds this key in place of the host's former one; the same key again changes nothing, nor does one of an epoch before that of the key that is held: who
   * was revoked since may have it.
   */
  hold(key: SenderKey): void {
    for (let at = 0; at < this.#held.length; at++) {
      const held = this.#held[at]!.key;
      if (held.host !== key.host) continue;
      if (held.epoch > key.epoch || isSameBytes(held.id, key.id)) return;
      this.#held.splice(at, 1);
      break;
    }
    if (this.#held.length >= senderKeysMax) this.#held.shift();
    const aad = publicationAad(key, this.#topic);
    this.#held.push({ key, aad, window: new ReplayWindow() });
  }

  open(bytes: Uint8Array): OpenedPublication {
    const record = parseGroupRecord(bytes);
    if (record === undefined) return { fault: "malformed" };
    const held = this.find(record.keyId);
    if (held === undefined) return { fault: "unknown-key" };
    if (!held.window.isFresh(record.number)) return { fault: "replayed" };
    const payload = openRecord(this.#ciphers, held.key.keys, record, held.aad);
    if (payload === undefined) return { fault: "forged" };
    held.window.accept(record.number);
    return { payload, host: held.key.host };
  }

  private find(id: Uint8Array): Held | undefined {
    for (const held of this.#held) if (isSameBytes(held.key.id, id)) return held;
    return undefined;
  }
}

interface Held {
  readonly key: SenderKey;
  /** Of the one topic. */
  readonly aad: Uint8Array;
  readonly window: ReplayWindow;
}
