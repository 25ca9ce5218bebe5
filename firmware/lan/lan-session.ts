/**
 * The keys that two boards have after their handshake, as small as they can be kept: nothing else of it is needed while they speak, and a board has six
 * of them. They come from the exporter of the handshake (RFC 9528, section 4.2), under labels of their own.
 */
import type { Ciphers } from "../../protocols/security/ciphers.ts";
import { kidBytes } from "../../protocols/security/identity/credential.ts";
import type { Issued } from "../../protocols/security/identity/roster.ts";
import {
  openRecord,
  parseRecord,
  recordKeysBytes,
  recordKeysIn,
  sealRecord,
} from "../../protocols/security/record/record.ts";
import { ReplayWindow } from "../../protocols/security/record/replay-window.ts";
import { type SecureSession, sessionLimits } from "../../protocols/security/session/secure-session.ts";

export class LanSession {
  /** Of the datagrams that belong to it. */
  readonly tag: number;
  /** Of the roster when it was made. */
  readonly epoch: number;
  /** Of the peer's identity. */
  readonly #issuedEpoch: number;
  /** Key and IV to send with, key and IV to receive with, reference of the peer's identity: one array, because each costs a board 100 bytes. */
  readonly #bytes: Uint8Array;
  readonly #window = new ReplayWindow();
  #next = 0;

  /** @param session that has just come up, and seals nothing itself */
  constructor(tag: number, session: SecureSession, isInitiator: boolean) {
    const { epoch, peer } = session;
    const ofInitiator = session.exportKey(Label.initiator, recordKeysBytes);
    const ofResponder = session.exportKey(Label.responder, recordKeysBytes);
    const bytes = new Uint8Array(2 * recordKeysBytes + kidBytes);
    bytes.set(isInitiator ? ofInitiator : ofResponder, 0);
    bytes.set(isInitiator ? ofResponder : ofInitiator, recordKeysBytes);
    bytes.set(peer.kid, 2 * recordKeysBytes);
    this.tag = tag;
    this.epoch = epoch;
    this.#issuedEpoch = peer.identity.epoch;
    this.#bytes = bytes;
  }

  /** Who the peer is, for the roster. */
  get peer(): Issued {
    return { kid: this.#bytes.slice(2 * recordKeysBytes), identity: { epoch: this.#issuedEpoch } };
  }

  /** Whether so much went either way that a new one is due. */
  get isWorn(): boolean {
    const { recordsMax } = sessionLimits;
    return this.#next >= recordsMax || this.#window.highest >= recordsMax;
  }

  /** Number of the highest record that opened; -1 before the first. */
  get highest(): number {
    return this.#window.highest;
  }

  /** Throws `RangeError` when all numbers are used. */
  seal(ciphers: Ciphers, payload: Uint8Array): Uint8Array {
    return sealRecord(ciphers, recordKeysIn(this.#bytes, 0), this.#next++, aad, payload);
  }

  /** What the peer sealed for this board; undefined for anything else, and for what came before. */
  open(ciphers: Ciphers, bytes: Uint8Array): Uint8Array | undefined {
    const record = parseRecord(bytes);
    if (record === undefined || !this.#window.isFresh(record.number)) return undefined;
    const payload = openRecord(ciphers, recordKeysIn(this.#bytes, recordKeysBytes), record, aad);
    if (payload !== undefined) this.#window.accept(record.number);
    return payload;
  }
}

/** Exporter labels for private use (RFC 9528, section 10.1). */
const Label = Object.freeze({ initiator: 32800, responder: 32801 });

/**
 * The Enc_structure (RFC 9052, section 5.3) of every record: ["Encrypt0", h'', h'']. Nothing need be said beside the keys, which are of one direction between two
 * members in one epoch, and of nothing else.
 */
const aad = Uint8Array.of(0x83, 0x68, 0x45, 0x6e, 0x63, 0x72, 0x79, 0x70, 0x74, 0x30, 0x40, 0x40);
