/**
 * A session between two members that have proved to each other who they are. Its keys come from the exporter of their handshake (RFC 9528, section 4.2)
 * and are bound to the epoch of the roster; each refresh (EDHOC_KeyUpdate, appendix H) makes new ones, of which nothing tells what was sealed
 * before. Refreshes have numbers, and a chain: level n is made from level n - 1, so that one that did not get through is caught up with.
 *
 * ```
 * handshake -> level 0 -> level 1 -> level 2 ...      each with keys for both directions, per epoch
 * ```
 *
 * No key is used after a restart, so that none ever sees a number twice: whoever sleeps keeps the level after the last that it used, and the first
 * thing that it does with it, awake, is to go on to the next. And the keys of a level are made at most once, from whichever level before it.
 */
import { encodeCbor } from "../../cbor/encode.ts";
import type { Ciphers } from "../ciphers.ts";
import { EdhocSession } from "../edhoc/session.ts";
import { kidOf } from "../identity/credential.ts";
import { readStoredIdentity } from "../identity/identity.ts";
import type { Known } from "../identity/roster.ts";
import { type OpenedRecord, RecordChannel } from "../record/channel.ts";
import { recordAad } from "../record/context.ts";
import { recordKeysBytes, recordKeysIn } from "../record/record.ts";

/** What a board that sleeps keeps of a session: enough for a refresh, and nothing that tells what was ever sealed. */
export interface KeptSession {
  /** PRK_out of a level that is never used itself: 32 bytes, secret. */
  readonly key: Uint8Array;
  /** The peer's signed identity. */
  readonly peer: Uint8Array;
  /** The level of `key`: the next refresh has a higher number. */
  readonly refreshes: number;
}

export const sessionLimits = Object.freeze({
  /** Records one way after which the initiator refreshes: far below the 2^32 numbers and the limits of AES-CCM (RFC 9528, section 9.4). */
  recordsMax: 0x10_0000,
  /** Levels that an initiator may be ahead: refreshes that did not get through, and one for each sleep. */
  refreshesAheadMax: 64,
});

/** Whose session it is. */
export interface SessionEnds {
  readonly ciphers: Ciphers;
  /** This side's name, which its identity says. */
  readonly own: string;
  readonly peer: Known;
  readonly isInitiator: boolean;
}

/** What all levels of one session share, because several connections may hold one of them each. */
interface Levels {
  /** The highest whose keys were made. */
  begun: number;
}

/** A topic and type with what binds a record to them. */
interface Bound {
  readonly topic: string;
  readonly type: string;
  readonly aad: Uint8Array;
}

export class SecureSession {
  readonly epoch: number;
  /** Its level. */
  readonly refreshes: number;
  readonly #ends: SessionEnds;
  readonly #edhoc: EdhocSession;
  /** undefined for a session as it was kept, which can only be refreshed. */
  readonly #channel: RecordChannel | undefined;
  readonly #levels: Levels;
  /** The latest each way: nearly all records are Raft's, on one topic up and one down. */
  #to: Bound | undefined;
  #from: Bound | undefined;

  constructor(
    ends: SessionEnds,
    edhoc: EdhocSession,
    epoch: number,
    refreshes = 0,
    levels: Levels = { begun: refreshes },
    isKept = false,
  ) {
    this.#ends = ends;
    this.#edhoc = edhoc;
    this.epoch = epoch;
    this.refreshes = refreshes;
    this.#levels = levels;
    if (isKept) return;
    const context = encodeCbor(epoch);
    const ofInitiator = exportKeys(edhoc, Label.initiator, context);
    const ofResponder = exportKeys(edhoc, Label.responder, context);
    this.#channel = ends.isInitiator
      ? new RecordChannel(ends.ciphers, ofInitiator, ofResponder)
      : new RecordChannel(ends.ciphers, ofResponder, ofInitiator);
  }

  get peer(): Known {
    return this.#ends.peer;
  }

  /** Whether so much went either way that new keys are due. */
  get isWorn(): boolean {
    const { recordsMax } = sessionLimits;
    const channel = this.#channel;
    return channel !== undefined && (channel.sealed >= recordsMax || channel.received >= recordsMax);
  }

  /** The number of the next refresh. */
  get nextRefresh(): number {
    return this.#levels.begun + 1;
  }

  /** A payload of kind `type` (the channel) for `topic`, sealed for the peer. */
  seal(topic: string, type: string, payload: Uint8Array): Uint8Array {
    const { own, peer } = this.#ends;
    let to = this.#to;
    if (to === undefined || to.topic !== topic || to.type !== type) {
      to = { topic, type, aad: this.aad(own, peer.identity.name, topic, type) };
      this.#to = to;
    }
    return this.channel.seal(to.aad, payload);
  }

  /** What the peer sealed for this side, this topic and this type; whatever else it is, the fault says. */
  open(topic: string, type: string, record: Uint8Array): OpenedRecord {
    const { own, peer } = this.#ends;
    let from = this.#from;
    if (from === undefined || from.topic !== topic || from.type !== type) {
      from = { topic, type, aad: this.aad(peer.identity.name, own, topic, type) };
      this.#from = from;
    }
    return this.channel.open(from.aad, record);
  }

  /** The initiator's session after refresh `number`; this one stays valid until the other side has followed. undefined for a number that was begun. */
  refreshed(number: number, epoch: number): SecureSession | undefined {
    const next = this.atLevel(number, epoch);
    if (next !== undefined) this.#levels.begun = number;
    return next;
  }

  /**
   * The responder's session after the refresh that an initiator asks for. Whoever can seal `record` under the keys to come is the peer: nobody else
   * has the key that they come from. undefined for a record that does not open, a number that was used, and one too far ahead.
   */
  followed(number: number, epoch: number, record: Uint8Array): SecureSession | undefined {
    const next = this.atLevel(number, epoch);
    if (next === undefined || !("payload" in next.open(refreshTopic, "refresh", record))) return undefined;
    this.#levels.begun = number;
    return next;
  }

  /**
   * For the flash: when it goes to sleep, and, with the number of a refresh, before that is used. It may be used once for each time that it is made durable.
   */
  kept(refresh = this.#levels.begun): KeptSession {
    const level = refresh + 1;
    return { key: this.updated(level).key, peer: this.peer.signed, refreshes: level };
  }

  /** A secret of both sides for a purpose of its own. Throws `RangeError` for a label below `exportLabelMin`: those are the records'. */
  exportKey(label: number, lengthBytes: number): Uint8Array {
    if (!(label >= exportLabelMin)) throw new RangeError(`Label ${label} is below ${exportLabelMin}.`);
    return this.#edhoc.exportKey(label, encodeCbor(this.epoch), lengthBytes);
  }

  private get channel(): RecordChannel {
    if (this.#channel === undefined)
      throw new RangeError("A kept session has no keys until it is refreshed.");
    return this.#channel;
  }

  private aad(sender: string, receiver: string, topic: string, type: string): Uint8Array {
    return recordAad({ epoch: this.epoch, sender, receiver, topic, type });
  }

  private atLevel(number: number, epoch: number): SecureSession | undefined {
    if (!(number > this.#levels.begun && number <= this.refreshes + sessionLimits.refreshesAheadMax))
      return undefined;
    if (epoch < this.epoch) return undefined;
    return new SecureSession(this.#ends, this.updated(number), epoch, number, this.#levels);
  }

  private updated(level: number): EdhocSession {
    let edhoc = this.#edhoc;
    for (let each = this.refreshes + 1; each <= level; each++) edhoc = edhoc.updated(encodeCbor(each));
    return edhoc;
  }
}

/** An initiator's session as it was kept, for a refresh only. Throws `IdentityError` for what was not kept by this firmware. */
export function restoreSession(
  ciphers: Ciphers,
  own: string,
  { key, peer, refreshes }: KeptSession,
): SecureSession {
  const { publicKey: _, ...identity } = readStoredIdentity(peer);
  const known = { signed: peer, kid: kidOf(ciphers, peer), identity };
  const ends = { ciphers, own, peer: known, isInitiator: true };
  return new SecureSession(ends, new EdhocSession(ciphers, key), 0, refreshes, undefined, true);
}

/** For records of a refresh, which belong to no topic. */
export const refreshTopic = "";

/** First of the labels for other purposes than records. */
export const exportLabelMin = 32784;

/** Exporter labels for private use (RFC 9528, section 10.1). */
const Label = Object.freeze({ initiator: 32768, responder: 32769 });

/** Key and IV in one output of the hash. */
function exportKeys(session: EdhocSession, label: number, context: Uint8Array) {
  return recordKeysIn(session.exportKey(label, context, recordKeysBytes), 0);
}
