/**
 * The four messages of EDHOC (RFC 9528, section 5) and the error message (section 6): CBOR sequences.
 *
 * ```
 * message 1    METHOD, SUITES_I, G_X, C_I, ? EAD_1
 * message 2    G_Y and CIPHERTEXT_2 in one byte string; plaintext: C_R, ID_CRED_R, MAC_2, ? EAD_2
 * message 3    CIPHERTEXT_3;                            plaintext: ID_CRED_I, MAC_3, ? EAD_3
 * message 4    CIPHERTEXT_4;                            plaintext: ? EAD_4
 * error        ERR_CODE, ERR_INFO
 * ```
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { concat, SequenceReader } from "../../cbor/sequence.ts";
import { keyBytes } from "../ciphers.ts";
import { encodeIdentifier, readId, readIdentifier, shortenId } from "./credential.ts";
import { EdhocError } from "./error.ts";
import { method } from "./suite.ts";

/** Bytes of any message: a credential by value has a few hundred. */
export const messageBytesMax = 1024;
/** Suites in one offer. */
const suitesMax = 16;

export interface Message1 {
  /** In the initiator's order of preference, up to the one that it chose, which is the last. */
  readonly suites: readonly number[];
  readonly ephemeralX: Uint8Array;
  readonly initiatorId: Uint8Array;
}

/** What a plaintext says of its sender, in views of it. */
export interface Proof {
  readonly idCred: Uint8Array;
  readonly mac: Uint8Array;
  /** External authorization data as they came; they are authenticated, and nothing in them is used. */
  readonly ead: Uint8Array;
}

export function encodeMessage1({ suites, ephemeralX, initiatorId }: Message1): Uint8Array {
  const offer = suites.length === 1 ? suites[0]! : suites;
  return concat(encodeCbor(method), encodeCbor(offer), encodeCbor(ephemeralX), encodeIdentifier(initiatorId));
}

/** Throws `EdhocError`, as do all that read. */
export function decodeMessage1(bytes: Uint8Array): Message1 {
  return reading("message 1", bytes, (reader) => {
    const asked = reader.integer();
    if (asked !== method)
      throw new EdhocError("unsupported", `method ${asked}: only method ${method} is spoken`);
    const suites: number[] = [];
    const count = reader.nextType === 4 ? reader.array() : 1;
    if (count > suitesMax) throw new EdhocError("malformed", `${count} suites are offered`);
    for (let i = 0; i < count; i++) suites.push(reader.integer());
    const ephemeralX = reader.byteString();
    if (suites.length === 0 || ephemeralX.length !== keyBytes) {
      throw new EdhocError(
        "malformed",
        `message 1 has ${suites.length} suites and a key of ${ephemeralX.length} bytes`,
      );
    }
    const initiatorId = readIdentifier(reader);
    checkEad(reader.rest());
    return { suites, ephemeralX, initiatorId };
  });
}

export function encodeMessage2(ephemeralY: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return encodeCbor(concat(ephemeralY, ciphertext));
}

/** Both are views. */
export function decodeMessage2(bytes: Uint8Array): { ephemeralY: Uint8Array; ciphertext: Uint8Array } {
  const both = decodeCiphertext("message 2", bytes);
  if (both.length <= keyBytes) throw new EdhocError("malformed", `message 2 has ${both.length} bytes`);
  return { ephemeralY: both.subarray(0, keyBytes), ciphertext: both.subarray(keyBytes) };
}

/** Messages 3 and 4, which are one byte string. */
export function decodeCiphertext(what: string, bytes: Uint8Array): Uint8Array {
  return reading(what, bytes, (reader) => {
    const ciphertext = reader.byteStringView();
    reader.end();
    return ciphertext;
  });
}

/** What messages 2 and 3 prove; in message 2 after the responder's identifier. */
export function encodeProof(idCred: Uint8Array, mac: Uint8Array): Uint8Array {
  return concat(shortenId(idCred), encodeCbor(mac));
}

export function decodePlaintext2(bytes: Uint8Array): Proof & { responderId: Uint8Array } {
  return reading("plaintext 2", bytes, (reader) => ({
    responderId: readIdentifier(reader),
    ...readProof(reader),
  }));
}

export function decodePlaintext3(bytes: Uint8Array): Proof {
  return reading("plaintext 3", bytes, readProof);
}

export function checkEad(ead: Uint8Array): void {
  reading("external authorization data", ead, (reader) => {
    while (!reader.isAtEnd) {
      const label = reader.integer();
      // Section 3.8: what is critical and not understood ends the handshake.
      if (label < 0) throw new EdhocError("unsupported", `critical external authorization data ${label}`);
      if (reader.nextType === 2) reader.byteString();
    }
  });
}

/** ERR_CODE 2 tells which suites the sender speaks (section 6.3), 3 that it does not know the credential (6.4), 1 a text for people (6.2). */
export function encodeError(error: EdhocError): Uint8Array {
  if (error.fault === "unknown-credential") return concat(encodeCbor(3), encodeCbor(true));
  if (error.suites === undefined) return concat(encodeCbor(1), encodeCbor(error.message));
  return concat(encodeCbor(2), encodeCbor(error.suites.length === 1 ? error.suites[0]! : error.suites));
}

/** The error that these bytes tell of; undefined when they are no error message. Nobody vouches for it: it may be believed to give up, or to offer another suite. */
export function decodeError(bytes: Uint8Array): EdhocError | undefined {
  try {
    const reader = new SequenceReader(bytes);
    const code = reader.integer();
    if (code === 1) return new EdhocError("peer", "the other side gave up");
    if (code === 3)
      return new EdhocError("unknown-credential", "the other side does not know the credential");
    if (code !== 2) return undefined;
    const suites: number[] = [];
    const count = reader.nextType === 4 ? reader.array() : 1;
    for (let i = 0; i < count && i < suitesMax; i++) suites.push(reader.integer());
    return new EdhocError("peer", `the other side speaks the suites ${suites.join(", ")}`, suites);
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

function readProof(reader: SequenceReader): Proof {
  const idCred = readId(reader);
  const mac = reader.byteStringView();
  const ead = reader.rest();
  checkEad(ead);
  return { idCred, mac, ead };
}

function reading<T>(what: string, bytes: Uint8Array, read: (reader: SequenceReader) => T): T {
  if (bytes.length > messageBytesMax) throw new EdhocError("malformed", `${what} has ${bytes.length} bytes`);
  try {
    return read(new SequenceReader(bytes));
  } catch (error) {
    if (error instanceof CborError) throw new EdhocError("malformed", `${what}: ${error.message}`);
    throw error;
  }
}
