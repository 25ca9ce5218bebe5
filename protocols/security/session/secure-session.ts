/**
 * A session between two members that have proved to each other who they are. Its keys come from the exporter of their handshake (RFC 9528, section 4.2)
 * and are bound to the epoch of the roster; each refresh (EDHOC_KeyUpdate, appendix H) makes new ones, of which nothing tells what was sealed
 * before.
 *
 * So a session may outlive its connection and, on a board, its power: only the number of the refresh must be durable before it is used. A key never sees a
 * number twice, because no key is used after a restart.
 */
import { encodeCbor } from "../../cbor/encode.ts";
import type { Ciphers } from "../ciphers.ts";
import { EdhocSession } from "../edhoc/session.ts";
import { kidOf } from "../identity/credential.ts";
import { readStoredIdentity } from "../identity/identity.ts";
import type { Known } from "../identity/roster.ts";
import { type OpenedRecord, RecordChannel } from "../record/channel.ts";
import { recordAad } from "../record/context.ts";

/** What a board that sleeps keeps of a session: enough for a refresh, and for nothing that was sealed before it. */
export interface KeptSession {
  /** PRK_out: 32 bytes, secret. */
  readonly key: Uint8Array;
  /** The peer's signed identity. */
  readonly peer: Uint8Array;
  /** Refreshes that were used or begun. The next must have a higher number, which is to be durable before it is used. */
  readonly refreshes: number;
}

export const sessionLimits = Object.freeze({
  /** Records one way after which the initiator refreshes: far below the 2^32 numbers and the limits of AES-CCM (RFC 9528, section 9.4). */
  recordsMax: 0x10_0000,
  /** Refreshes that an initiator may be ahead: those that did not get through. */
  refreshesAheadMax: 64,
});

export class SecureSession {
  readonly peer: Known;
  readonly epoch: number;
  readonly refreshes: number;
  readonly #ciphers: Ciphers;
  readonly #edhoc: EdhocSession;
  readonly #own: string;
  readonly #isInitiator: boolean;
  readonly #channel: RecordChannel;

  /** `own` is this side's name, which its identity says. */
  constructor(
    ciphers: Ciphers,
    edhoc: EdhocSession,
    own: string,
    peer: Known,
    isInitiator: boolean,
    epoch: number,
    refreshes = 0,
  ) {
    const context = encodeCbor(epoch);
    const ofInitiator = exportKeys(edhoc, Label.initiatorKey, Label.initiatorIv, context);
    const ofResponder = exportKeys(edhoc, Label.responderKey, Label.responderIv, context);
    this.#ciphers = ciphers;
    this.#edhoc = edhoc;
    this.#own = own;
    this.peer = peer;
    this.#isInitiator = isInitiator;
    this.epoch = epoch;
    this.refreshes = refreshes;
    this.#channel = isInitiator
      ? new RecordChannel(ciphers, ofInitiator, ofResponder)
      : new RecordChannel(ciphers, ofResponder, ofInitiator);
  }

  /** Whether so much was sealed that new keys are due. */
  get isWorn(): boolean {
    return this.#channel.sealed >= sessionLimits.recordsMax;
  }

  /** A payload of kind `type` (the channel) for `topic`, sealed for the peer. */
  seal(topic: string, type: string, payload: Uint8Array): Uint8Array {
    const { epoch } = this;
    const receiver = this.peer.identity.name;
    return this.#channel.seal(recordAad({ epoch, sender: this.#own, receiver, topic, type }), payload);
  }

  /** What the peer sealed for this side, this topic and this type; whatever else it is, the fault says. */
  open(topic: string, type: string, record: Uint8Array): OpenedRecord {
    const { epoch } = this;
    const sender = this.peer.identity.name;
    return this.#channel.open(recordAad({ epoch, sender, receiver: this.#own, topic, type }), record);
  }

  /**
   * The session as it is after refresh `number`. undefined for a number that is used, or too far ahead. This one stays valid until the
   * other side has shown that it follows.
   */
  refreshed(number: number, epoch: number): SecureSession | undefined {
    if (number <= this.refreshes || number > this.refreshes + sessionLimits.refreshesAheadMax)
      return undefined;
    let edhoc = this.#edhoc;
    for (let each = this.refreshes + 1; each <= number; each++) edhoc = edhoc.updated(encodeCbor(each));
    return new SecureSession(this.#ciphers, edhoc, this.#own, this.peer, this.#isInitiator, epoch, number);
  }

  /** A secret of `lengthBytes` that both sides have, for a purpose of its own (RFC 9528, section 4.2.1); another after each refresh. */
  exportKey(label: number, lengthBytes: number): Uint8Array {
    return this.#edhoc.exportKey(label, encodeCbor(this.epoch), lengthBytes);
  }

  kept(): KeptSession {
    return { key: this.#edhoc.key, peer: this.peer.signed, refreshes: this.refreshes };
  }
}

/**
 * An initiator's session as it was kept, for a refresh only: it has keys that were used. Throws `IdentityError` for what was not kept by this
 * firmware.
 */
export function restoreSession(
  ciphers: Ciphers,
  own: string,
  { key, peer, refreshes }: KeptSession,
): SecureSession {
  const identity = readStoredIdentity(peer);
  const known = { signed: peer, kid: kidOf(ciphers, peer), identity };
  const credential = { id: known.kid, bytes: peer, publicKey: identity.publicKey };
  const edhoc = new EdhocSession(ciphers, key, credential);
  return new SecureSession(ciphers, edhoc, own, known, true, 0, refreshes);
}

/** Exporter labels for private use (RFC 9528, section 10.1), of what is not the record layer's. */
export const ExportLabel = Object.freeze({
  /** By which hosts vouch to each other for the requests that they send on. */
  forwarding: 32772,
});

const Label = Object.freeze({
  initiatorKey: 32768,
  initiatorIv: 32769,
  responderKey: 32770,
  responderIv: 32771,
});

function exportKeys(session: EdhocSession, key: number, iv: number, context: Uint8Array) {
  return { key: session.exportKey(key, context, 16), iv: session.exportKey(iv, context, 13) };
}
