import { Decoder } from "cbor-x";
import fc from "fast-check";
import { expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { openRoot, payloadUnchecked, signRoot } from "../../../protocols/security/cose/sign1.ts";

const { privateKey, publicKey } = nodeCiphers.generateKeyPair();
const payload = encodeCbor(["anything", 1]);
const signed = signRoot(nodeCiphers, privateKey, payload);

test("what was signed opens with the root's public key, and with no other", () => {
  expect(openRoot(nodeCiphers, publicKey, signed)).toEqual(payload);
  expect(openRoot(nodeCiphers, nodeCiphers.generateKeyPair().publicKey, signed)).toBeUndefined();
});

test("a library reads a COSE_Sign1 in it, whose signature is over the Sig_structure (RFC 9052, section 4.4)", () => {
  const library = new Decoder({ mapsAsObjects: false });
  const [header, unprotected, inside, signature] = library.decode(signed);
  expect(Buffer.compare(inside, payload)).toBe(0);
  expect(library.decode(header)).toEqual(new Map([[1, -7]]));
  expect(unprotected).toEqual(new Map());
  const structure = encodeCbor(["Signature1", new Uint8Array(header), new Uint8Array(0), payload]);
  expect(nodeCiphers.verify(publicKey, structure, new Uint8Array(signature))).toBe(true);
});

test("with any bit changed, a byte less or one more, nothing opens", () => {
  for (let bit = 0; bit < 8 * signed.length; bit++) {
    const changed = signed.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(openRoot(nodeCiphers, publicKey, changed)).toBeUndefined();
  }
  expect(openRoot(nodeCiphers, publicKey, signed.slice(0, -1))).toBeUndefined();
  expect(openRoot(nodeCiphers, publicKey, new Uint8Array([...signed, 0]))).toBeUndefined();
});

test("another algorithm, a header that nobody signed and a signature of zeros are refused", () => {
  const { length } = signed;
  // The protected header's algorithm is the fifth byte: 0x26 is -7.
  expect(signed[4]).toBe(0x26);
  const none = signed.slice();
  none[4] = 0x27;
  expect(payloadUnchecked(none)).toBeUndefined();
  const unprotected = new Uint8Array([...signed.slice(0, 5), 0xa1, 0x04, 0x41, 0x01, ...signed.slice(6)]);
  expect(payloadUnchecked(unprotected)).toBeUndefined();
  const zeros = signed.slice().fill(0, length - 64);
  expect(payloadUnchecked(zeros)).toEqual(payload);
  expect(openRoot(nodeCiphers, publicKey, zeros)).toBeUndefined();
});

test("whatever comes is refused, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(openRoot(nodeCiphers, publicKey, bytes)).toBeUndefined();
    }),
  );
});
