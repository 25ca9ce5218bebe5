/**
 * The side that speaks first (RFC 9528, section 5.2 on). Its session may be used once message 4 has come: until then nobody has
 * shown to it that it holds the keys (section 8.1, key confirmation).
 */
import { keyBytes } from "../ciphers.ts";
import { hkdfExtract } from "../hkdf.ts";
import { encodeIdentifier, isSameKey, unknownPeer } from "./credential.ts";
import { EdhocError } from "./error.ts";
import { authenticate, Label, outputKey, transcript2, transcriptAfter } from "./key-schedule.ts";
import {
  checkEad,
  decodeCiphertext,
  decodeMessage2,
  decodePlaintext2,
  encodeMessage1,
  encodeProof,
} from "./messages.ts";
import type { Party } from "./party.ts";
import { macOf, open, seal, shared, xorKeystream2 } from "./proof.ts";
import { EdhocSession, type Handshaken } from "./session.ts";
import { type CipherSuite, cipherSuite, cipherSuites } from "./suite.ts";

export class Initiator {
  readonly #party: Party;
  readonly #suite: CipherSuite;
  /** Private. */
  readonly #ephemeralKey: Uint8Array;
  /** To be sent first. */
  readonly message1: Uint8Array;
  #waitsFor: 2 | 4 | undefined = 2;
  #finish: Finish | undefined;

  /**
   * @param chosen number of the suite to use; one that the responder is thought to speak, the first when not said. Throws `EdhocError` when
   * it is none of `party.suites`.
   */
  constructor(party: Party, chosen?: number) {
    const suites = party.suites ?? cipherSuites.map(({ number }) => number);
    const number = chosen ?? suites[0];
    const suite = number === undefined ? undefined : cipherSuite(number);
    if (suite === undefined || !suites.includes(suite.number)) {
      throw new EdhocError("unsupported", `no suite ${number} here`, suites);
    }
    this.#party = party;
    this.#suite = suite;
    const { privateKey, publicKey } = party.ephemeral ?? party.ciphers.generateKeyPair();
    this.#ephemeralKey = privateKey;
    this.message1 = encodeMessage1({
      suites: suites.slice(0, suites.indexOf(suite.number) + 1),
      ephemeralX: publicKey.subarray(0, keyBytes),
      initiatorId: party.connectionId,
    });
  }

  /** Gives message 3. Throws `EdhocError`, and the handshake is over. In two steps, so that what only the first needs leaves a board's heap before the second. */
  takeMessage2(bytes: Uint8Array): Uint8Array {
    if (this.#waitsFor !== 2) throw new EdhocError("out-of-turn", "message 2 was not expected");
    this.#waitsFor = undefined;
    return this.prove(this.checkResponder(bytes));
  }

  /** The responder holds the key of its credential, or `EdhocError` is thrown. */
  private checkResponder(bytes: Uint8Array): Checked {
    const { ciphers } = this.#party;
    const ephemeralKey = this.#ephemeralKey;
    const { ephemeralY, ciphertext } = decodeMessage2(bytes);
    const th2 = transcript2(ciphers, ephemeralY, this.message1);
    const prk2e = hkdfExtract(ciphers, th2, shared(ciphers, ephemeralKey, ephemeralY));
    const plaintext2 = xorKeystream2(ciphers, prk2e, th2, ciphertext);
    const { responderId, idCred, mac, ead } = decodePlaintext2(plaintext2);

    const peer = this.#party.find(idCred);
    if (peer === undefined) throw unknownPeer("responder", idCred);
    if (isSameKey(peer, this.#party.credential))
      throw new EdhocError("refused", "the responder is this side itself");
    const responderX = peer.publicKey.subarray(0, keyBytes);
    const secretRx = shared(ciphers, ephemeralKey, responderX);
    const prk3e2m = authenticate(ciphers, prk2e, Label.salt3e2m, th2, secretRx);
    const before = encodeIdentifier(responderId);
    const expected = macOf(
      ciphers,
      this.#suite,
      prk3e2m,
      Label.mac2,
      th2,
      { ...peer, id: idCred },
      before,
      ead,
    );
    if (mac.length !== expected.length || !ciphers.isEqual(mac, expected)) {
      throw new EdhocError("refused", "the responder does not hold the key of its credential");
    }

    const th3 = transcriptAfter(ciphers, th2, plaintext2, peer.bytes);
    return { prk3e2m, th3, peerBytes: peer.bytes, ephemeralY };
  }

  /** Message 3, with which this side proves the same of itself. */
  private prove({ prk3e2m, th3, peerBytes, ephemeralY }: Checked): Uint8Array {
    const { ciphers, credential, privateKey } = this.#party;
    const suite = this.#suite;
    const secretIy = shared(ciphers, privateKey, ephemeralY);
    const prk4e3m = authenticate(ciphers, prk3e2m, Label.salt4e3m, th3, secretIy);
    const { id } = credential;
    const mac3 = macOf(ciphers, suite, prk4e3m, Label.mac3, th3, { id, bytes: credential.bytes }, none, none);
    const plaintext3 = encodeProof(id, mac3);
    const th4 = transcriptAfter(ciphers, th3, plaintext3, credential.bytes);
    const session = new EdhocSession(ciphers, outputKey(ciphers, prk4e3m, th4));
    this.#finish = { prk4e3m, th4, handshaken: { session, peerBytes } };
    this.#waitsFor = 4;
    return seal(ciphers, suite, prk3e2m, [Label.k3, Label.iv3], th3, plaintext3);
  }

  /** The other side has shown that it holds the keys. Throws `EdhocError`. */
  takeMessage4(bytes: Uint8Array): Handshaken {
    if (this.#waitsFor !== 4 || this.#finish === undefined) {
      throw new EdhocError("out-of-turn", "message 4 was not expected");
    }
    this.#waitsFor = undefined;
    const { prk4e3m, th4, handshaken } = this.#finish;
    this.#finish = undefined;
    const sealed = decodeCiphertext("message 4", bytes);
    checkEad(open(this.#party.ciphers, this.#suite, prk4e3m, [Label.k4, Label.iv4], th4, sealed));
    return handshaken;
  }
}

/** Of message 2, once its sender has proved itself. */
interface Checked {
  readonly prk3e2m: Uint8Array;
  readonly th3: Uint8Array;
  readonly peerBytes: Uint8Array;
  readonly ephemeralY: Uint8Array;
}

interface Finish {
  readonly prk4e3m: Uint8Array;
  readonly th4: Uint8Array;
  readonly handshaken: Handshaken;
}

const none = new Uint8Array(0);
