/**
 * What a finished handshake leaves behind: keys for whatever runs on it, bound to everything that was said (RFC 9528, section 4.2).
 */
import type { Ciphers } from "../ciphers.ts";
import type { Credential } from "./credential.ts";
import { expand, hashBytes, Label } from "./key-schedule.ts";

export class EdhocSession {
  readonly peer: Credential;
  /** Of the initiator and of the responder, as they chose them. */
  readonly initiatorId: Uint8Array;
  readonly responderId: Uint8Array;
  readonly #ciphers: Ciphers;
  #key: Uint8Array;

  constructor(
    ciphers: Ciphers,
    prk4e3m: Uint8Array,
    transcript4: Uint8Array,
    peer: Credential,
    ids: readonly [Uint8Array, Uint8Array],
  ) {
    this.#ciphers = ciphers;
    this.#key = expand(ciphers, prk4e3m, Label.prkOut, transcript4, hashBytes);
    this.peer = peer;
    this.initiatorId = ids[0];
    this.responderId = ids[1];
  }

  /** EDHOC_Exporter (section 4.2.1): a secret of `lengthBytes` for a purpose. Labels from 32768 on are for private use. */
  exportKey(label: number, context: Uint8Array, lengthBytes: number): Uint8Array {
    const key = expand(this.#ciphers, this.#key, Label.prkExporter, new Uint8Array(0), hashBytes);
    return expand(this.#ciphers, key, label, context, lengthBytes);
  }

  /** EDHOC_KeyUpdate (appendix H): what is exported from now on says nothing of what was before. Both sides must give the same context. */
  update(context: Uint8Array): void {
    this.#key = expand(this.#ciphers, this.#key, Label.keyUpdate, context, hashBytes);
  }
}
