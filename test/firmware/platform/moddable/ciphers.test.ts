/** The guards of the chip's ciphers, over a model of the SDK's natives that has none. Wycheproof's cases are in `test/conformance/wycheproof`. */
import { randomFillSync } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { loadAdapter } from "./adapter.ts";
import { EC, ECPoint, Mont } from "./sdk-crypt-model.ts";

const adapter = await loadAdapter();
const { ChipCiphers, P256 } = adapter;
const random = { fill: (into: Uint8Array) => void randomFillSync(into) };
const ciphers = new ChipCiphers(random);

const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const a = p - 3n;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
/** The smallest on the curve: with p or n added it still has 32 bytes. */
const smallX = 5n;
const curve = new EC(a, b, p);
const base = new ECPoint(
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
);
const p256 = new P256(random);
const text = new TextEncoder().encode("one message");

test("SHA-256 is of these bytes alone each time (FIPS 180-4, example of one block)", () => {
  ciphers.sha256(Uint8Array.of(1, 2, 3));
  expect(hex(ciphers.sha256(Uint8Array.from(Buffer.from("abc"))))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

describe("against node:crypto", () => {
  test("key pairs agree on a secret, from either of the two points with an x", () => {
    for (let round = 0; round < 8; round++) {
      const [ours, theirs] = [ciphers.generateKeyPair(), nodeCiphers.generateKeyPair()];
      const secret = ciphers.sharedSecret(ours.privateKey, theirs.publicKey.subarray(0, 32));
      expect(secret).toEqual(nodeCiphers.sharedSecret(theirs.privateKey, ours.publicKey.subarray(0, 32)));
    }
  });

  test("each verifies what the other signed, and nothing else", () => {
    const { privateKey, publicKey } = ciphers.generateKeyPair();
    for (const [signer, verifier] of [
      [ciphers, nodeCiphers],
      [nodeCiphers, ciphers],
    ] as const) {
      const signature = signer.sign(privateKey, text);
      expect(verifier.verify(publicKey, text, signature)).toBe(true);
      expect(verifier.verify(publicKey, text.subarray(1), signature)).toBe(false);
    }
  });

  test.for([0, 1, 13, 14, 15, 16, 17, 31, 32, 300])("%i bytes are sealed and opened alike", (length) => {
    const [key, nonce] = [bytes(16), bytes(13)];
    const [aad, plaintext] = [bytes(length), bytes(length)];
    for (const tagBytes of [8, 16] as const) {
      const sealed = ciphers.ccmSeal(key, nonce, tagBytes, aad, plaintext);
      expect(sealed).toEqual(nodeCiphers.ccmSeal(key, nonce, tagBytes, aad, plaintext));
      expect(ciphers.ccmOpen(key, nonce, tagBytes, aad, sealed)).toEqual(plaintext);
      for (let bit = 0; bit < sealed.length * 8; bit += 7) {
        const torn = sealed.slice();
        torn[bit >> 3]! ^= 1 << (bit & 7);
        expect(ciphers.ccmOpen(key, nonce, tagBytes, aad, torn)).toBeUndefined();
      }
      expect(ciphers.ccmOpen(key, nonce, tagBytes, aad, sealed.subarray(0, tagBytes - 1))).toBeUndefined();
    }
  });
});

describe("what the SDK would take", () => {
  const { privateKey, publicKey } = ciphers.generateKeyPair();

  test("no key is agreed on with an x that is on no point, or beyond the field", () => {
    expect(ciphers.sharedSecret(privateKey, big(smallX))).toBeDefined();
    for (const x of [
      big(1n),
      big(smallX + p),
      big(p),
      publicKey,
      publicKey.subarray(0, 31),
      new Uint8Array(0),
    ]) {
      expect(ciphers.sharedSecret(privateKey, x)).toBeUndefined();
    }
  });

  test("no private key is taken but one from 1 to n - 1", () => {
    for (const key of [big(0n), big(n), big(n + 1n), new Uint8Array(31).fill(1), new Uint8Array(0)]) {
      expect(ciphers.sharedSecret(key, publicKey.subarray(0, 32))).toBeUndefined();
      expect(() => ciphers.sign(key, text)).toThrow(RangeError);
    }
    expect(hex(ciphers.sharedSecret(big(1n), publicKey.subarray(0, 32))!)).toBe(
      hex(publicKey.subarray(0, 32)),
    );
    expect(hex(ciphers.sharedSecret(big(n - 1n), big(smallX))!)).toBe(hex(big(smallX)));
  });

  test("no signature has an r or s of 0, or beyond the order", () => {
    const signature = ciphers.sign(privateKey, text);
    const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32))];
    const forged = [
      [0n, 0n],
      [r, 0n],
      [0n, s],
      [r, n],
      [n, s],
      [r, s + n],
      [r + n, s],
    ] as const;
    for (const [falseR, falseS] of forged) {
      if (falseR >> 256n || falseS >> 256n) continue;
      expect(ciphers.verify(publicKey, text, both(falseR, falseS))).toBe(false);
    }
    expect(ciphers.verify(publicKey, text, signature.subarray(1))).toBe(false);
    // Both, as one signature has two forms: FIPS 186-5 knows no "low s".
    expect(ciphers.verify(publicKey, text, both(r, n - s))).toBe(true);
  });

  // Of u1 G + u2 Q with u1 and u2 of 1: it verifies when r, s and the hash are the x of G + Q.
  test("a signature that only fits when r or s is reduced is none", () => {
    const sum = pointAt(smallX);
    const key = curve.mul2(sum, 1n, base, n - 1n);
    const verifies = (r: bigint, s: bigint) => p256.verify(both(key.x, key.y), big(smallX), both(r, s));
    expect(verifies(smallX, smallX)).toBe(true);
    expect(verifies(smallX + n, smallX)).toBe(false);
    expect(verifies(smallX, smallX + n)).toBe(false);
  });

  test("a public key off the curve, or with a coordinate beyond the field, verifies nothing", () => {
    const signature = ciphers.sign(privateKey, text);
    const [x, y] = [number(publicKey.subarray(0, 32)), number(publicKey.subarray(32))];
    for (const key of [both(x, y ^ 1n), both(0n, 0n), both(x, p - y), publicKey.subarray(1), both(p, p)]) {
      expect(ciphers.verify(key, text, signature)).toBe(false);
    }
    const key = pointAt(smallX);
    const r = big(curve.mul2(base, 1n, key, 1n).x % n);
    const verifies = (keyX: bigint) => p256.verify(both(keyX, key.y), r, Uint8Array.of(...r, ...r));
    expect(verifies(key.x)).toBe(true);
    expect(verifies(key.x + p)).toBe(false);
  });

  test("nor does one whose y is beyond the field", () => {
    const smallY = 5n;
    const key = new ECPoint(0xd7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7n, smallY);
    const r = big(curve.mul2(base, 1n, key, 1n).x % n);
    const verifies = (keyY: bigint) => p256.verify(both(key.x, keyY), r, Uint8Array.of(...r, ...r));
    expect(verifies(smallY)).toBe(true);
    expect(verifies(smallY + p)).toBe(false);
  });

  test("nor one with a zero before its y", () => {
    const longer = Uint8Array.of(...publicKey.subarray(0, 32), 0, ...publicKey.subarray(32));
    expect(ciphers.verify(longer, text, ciphers.sign(privateKey, text))).toBe(false);
  });

  test("infinity has no x that an r could be", () => {
    // u1 G + u2 Q = 0, with a u1 that is odd, so that the last sum is one of two points that cancel each other out.
    const d = 3n;
    const [ofBase, ofKey] = [n - 2n * d, 2n];
    const key = curve.mul(base, d);
    const end = curve.mul2(base, ofBase, key, ofKey);
    expect(end.isZero()).toBe(true);
    const r = end.x % n;
    const s = (r * new Mont({ m: n }).exp(ofKey, n - 2n)) % n;
    expect(p256.verify(both(key.x, key.y), big((ofBase * s) % n), both(r, s))).toBe(false);
  });

  test("the x of a point off the curve does not pass, though the equation holds there too", () => {
    // The SDK adds by the formulas of another curve: G + Q has an x for any Q.
    const [keyX, keyY] = [1n, 1n];
    const r = big(curve.mul2(base, 1n, new ECPoint(keyX, keyY), 1n).x % n);
    expect(p256.verify(both(keyX, keyY), r, Uint8Array.of(...r, ...r))).toBe(false);
  });
});

test("a generator that is stuck makes no keys", () => {
  for (const value of [0, 0xff]) {
    const stuck = new ChipCiphers({ fill: (into) => into.fill(value) });
    expect(() => stuck.generateKeyPair()).toThrow("random generator is broken");
    expect(() => stuck.sign(big(1n), text)).toThrow("random generator is broken");
  }
});

test("a secret scalar never comes to the SDK as it is, nor twice as the same number", () => {
  const multiply = vi.spyOn(adapter.EC.prototype, "mul");
  const secret = 2n;
  for (let round = 0; round < 4; round++) ciphers.sharedSecret(big(secret), big(smallX));
  const scalars = multiply.mock.calls.map(([, scalar]) => scalar);
  multiply.mockRestore();
  expect(new Set(scalars).size).toBe(4);
  for (const scalar of scalars) {
    expect(scalar % n).toBe(secret);
    expect(scalar > n).toBe(true);
  }
});

test("more than AES-CCM has counters for is not sealed, and does not open", () => {
  const [key, nonce, none] = [bytes(16), bytes(13), bytes(0)];
  expect(() => ciphers.ccmSeal(key, nonce, 8, none, bytes(0x10000))).toThrow(RangeError);
  expect(() => ciphers.ccmSeal(key, nonce, 8, bytes(0xff00), none)).toThrow(RangeError);
  expect(ciphers.ccmOpen(key, nonce, 8, none, bytes(0x10008))).toBeUndefined();
});

test("equality is of length and of every byte", () => {
  const array = bytes(33);
  expect(ciphers.isEqual(array, array.slice())).toBe(true);
  expect(ciphers.isEqual(array, array.subarray(0, 32))).toBe(false);
  expect(ciphers.isEqual(array.subarray(0, 32), array)).toBe(false);
  for (let at = 0; at < array.length; at++) {
    const other = array.slice();
    other[at]! ^= 0x80;
    expect(ciphers.isEqual(array, other)).toBe(false);
  }
});

function pointAt(x: bigint): ECPoint {
  const square = (x ** 3n + a * x + b) % p;
  const y = new Mont({ m: p }).exp(square, (p + 1n) / 4n);
  expect((y * y) % p).toBe(square);
  return new ECPoint(x, y);
}

function bytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}

function hex(array: Uint8Array): string {
  return Buffer.from(array).toString("hex");
}

function number(array: Uint8Array): bigint {
  return BigInt(`0x${hex(array)}`);
}

function big(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
}

function both(x: bigint, y: bigint): Uint8Array {
  return Uint8Array.of(...big(x), ...big(y));
}
