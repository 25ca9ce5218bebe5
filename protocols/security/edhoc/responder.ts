/** The side that answers (RFC 9528, section 5.2 on). With message 3 it knows who is there; message 4 tells the other side that it knows. */
import { concat } from "../../cbor/sequence.ts";
import { keyBytes } from "../ciphers.ts";
import { hkdfExtract } from "../hkdf.ts";
import { encodeIdentifier, isSameKey, unknownPeer } from "./credential.ts";
import { EdhocError } from "./error.ts";
import { authenticate, Label, outputKey, transcript2, transcriptAfter } from "./key-schedule.ts";
import {
  decodeCiphertext,
  decodeMessage1,
  decodePlaintext3,
  encodeMessage2,
  encodeProof,
} from "./messages.ts";
import type { Party } from "./party.ts";
import { macOf, open, seal, shared, xorKeystream2 } from "./proof.ts";
import { EdhocSession, type Handshaken } from "./session.ts";
import { type CipherSuite, cipherSuite, cipherSuites } from "./suite.ts";

const none = new Uint8Array(0);

export class Responder {
  readonly #party: Party;
  #waitsFor: 1 | 3 | undefined = 1;
  #half: Half | undefined;
  #initiatorId: Uint8Array = none;

  constructor(party: Party) {
    this.#party = party;
  }

  /** C_I, how the initiator calls the connection: authentic once message 3 was taken. */
  get initiatorId(): Uint8Array {
    return this.#initiatorId;
  }

  /** Gives message 2. Throws `EdhocError`, whose `suites` say what to offer instead, and the handshake is over. */
  takeMessage1(bytes: Uint8Array): Uint8Array {
    if (this.#waitsFor !== 1) throw new EdhocError("out-of-turn", "message 1 was not expected");
    this.#waitsFor = undefined;
    const { ciphers, credential, privateKey, connectionId } = this.#party;
    const { suites, ephemeralX, initiatorId } = decodeMessage1(bytes);
    this.#initiatorId = initiatorId;
    const suite = this.agree(suites);
    const ephemeral = this.#party.ephemeral ?? ciphers.generateKeyPair();
    const ephemeralY = ephemeral.publicKey.slice(0, keyBytes);
    const th2 = transcript2(ciphers, ephemeralY, bytes);
    const prk2e = hkdfExtract(ciphers, th2, shared(ciphers, ephemeral.privateKey, ephemeralX));
    const secretRx = shared(ciphers, privateKey, ephemeralX);
    const prk3e2m = authenticate(ciphers, prk2e, Label.salt3e2m, th2, secretRx);
    const before = encodeIdentifier(connectionId);
    const mac2 = macOf(ciphers, suite, prk3e2m, Label.mac2, th2, credential, before, none);
    const plaintext2 = concat(before, encodeProof(credential.id, mac2));
    const th3 = transcriptAfter(ciphers, th2, plaintext2, credential.bytes);
    this.#half = { suite, prk3e2m, th3, ephemeralKey: ephemeral.privateKey };
    this.#waitsFor = 3;
    return encodeMessage2(ephemeralY, xorKeystream2(ciphers, prk2e, th2, plaintext2));
  }

  /** Gives message 4 and the session with whoever proved to be the initiator. Throws `EdhocError`, and the handshake is over. */
  takeMessage3(bytes: Uint8Array): Handshaken & { message4: Uint8Array } {
    if (this.#waitsFor !== 3 || this.#half === undefined) {
      throw new EdhocError("out-of-turn", "message 3 was not expected");
    }
    this.#waitsFor = undefined;
    const { ciphers } = this.#party;
    const { suite, prk3e2m, th3, ephemeralKey } = this.#half;
    this.#half = undefined;
    const sealed = decodeCiphertext("message 3", bytes);
    const plaintext3 = open(ciphers, suite, prk3e2m, [Label.k3, Label.iv3], th3, sealed);
    const { idCred, mac, ead } = decodePlaintext3(plaintext3);
    const peer = this.#party.find(idCred);
    if (peer === undefined) throw unknownPeer("initiator", idCred);
    if (isSameKey(peer, this.#party.credential))
      throw new EdhocError("refused", "the initiator is this side itself");
    const secretIy = shared(ciphers, ephemeralKey, peer.publicKey.subarray(0, keyBytes));
    const prk4e3m = authenticate(ciphers, prk3e2m, Label.salt4e3m, th3, secretIy);
    const expected = macOf(ciphers, suite, prk4e3m, Label.mac3, th3, { ...peer, id: idCred }, none, ead);
    if (mac.length !== expected.length || !ciphers.isEqual(mac, expected)) {
      throw new EdhocError("refused", "the initiator does not hold the key of its credential");
    }
    const th4 = transcriptAfter(ciphers, th3, plaintext3, peer.bytes);
    const session = new EdhocSession(ciphers, outputKey(ciphers, prk4e3m, th4));
    const message4 = seal(ciphers, suite, prk4e3m, [Label.k4, Label.iv4], th4, none);
    return { message4, session, peerBytes: peer.bytes };
  }

  /**
   * The chosen suite, the last of the offer: refused if this side does not speak it, and if it speaks one that the initiator likes better, because
   * then somebody in between may have made it choose (section 6.3.2).
   */
  private agree(offered: readonly number[]): CipherSuite {
    const spoken = this.#party.suites ?? cipherSuites.map(({ number }) => number);
    const chosen = offered.find((number) => spoken.includes(number));
    const suite = chosen === undefined ? undefined : cipherSuite(chosen);
    if (suite === undefined || chosen !== offered.at(-1)) {
      throw new EdhocError("unsupported", `the offered suites are ${offered.join(", ")}`, spoken);
    }
    return suite;
  }
}

interface Half {
  readonly suite: CipherSuite;
  readonly prk3e2m: Uint8Array;
  readonly th3: Uint8Array;
  readonly ephemeralKey: Uint8Array;
}
