/**
 * What a finished handshake leaves behind: keys for whatever runs on it, bound to everything that was said (RFC 9528, section 4.2).
 */
import type { Ciphers } from "../ciphers.ts";
import { expand, hashBytes, Label } from "./key-schedule.ts";

/** With whom there is a session now. */
export interface Handshaken {
  readonly session: EdhocSession;
  /** The other side's credential, of which it has proved to hold the key. */
  readonly peerBytes: Uint8Array;
}

export class EdhocSession {
  readonly #ciphers: Ciphers;
  readonly #key: Uint8Array;

  /** `key` is PRK_out, of a handshake or as it was kept. */
  constructor(ciphers: Ciphers, key: Uint8Array) {
    this.#ciphers = ciphers;
    this.#key = key;
  }

  /** PRK_out: for a board that keeps its session while it sleeps. */
  get key(): Uint8Array {
    return this.#key;
  }

  /** EDHOC_Exporter (section 4.2.1): a secret of `lengthBytes` for a purpose. Labels from 32768 on are for private use. */
  exportKey(label: number, context: Uint8Array, lengthBytes: number): Uint8Array {
    const key = expand(this.#ciphers, this.#key, Label.prkExporter, [], hashBytes);
    return expand(this.#ciphers, key, label, [context], lengthBytes);
  }

  /**
   * EDHOC_KeyUpdate (appendix H): a session of which nothing tells what was exported before. Both sides must give the same context. This one stays as
   * it is, for as long as it is not known whether the other side follows.
   */
  updated(context: Uint8Array): EdhocSession {
    const key = expand(this.#ciphers, this.#key, Label.keyUpdate, [context], hashBytes);
    return new EdhocSession(this.#ciphers, key);
  }
}
