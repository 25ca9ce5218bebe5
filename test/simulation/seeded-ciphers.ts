/**
 * Ciphers over node:crypto in which all chance comes from a run's seed: keys, what handshakes draw, and the one number that an ECDSA signature needs. So a
 * run with the same seed puts the same bytes on the wire. For simulations only: whoever knows the seed knows every key.
 */
import { createECDH, createHash } from "node:crypto";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { type Ciphers, keyBytes } from "../../protocols/security/ciphers.ts";

/** `next` gives numbers from 0 up to, but not including, 1. */
export function seededCiphers(next: () => number): Ciphers {
  const random = (into: Uint8Array) => {
    for (let i = 0; i < into.length; i++) into[i] = Math.floor(256 * next());
  };
  /** From 1 to the order less 1: what is out of range comes once in 2^32 times, and is drawn again. */
  const scalar = () => {
    for (;;) {
      const bytes = new Uint8Array(keyBytes);
      random(bytes);
      const number = toNumber(bytes);
      if (number > 0n && number < order) return bytes;
    }
  };
  // A run takes its time for curves: what two have computed alike, or one again and again, is remembered.
  const verified = new Map<string, boolean>();
  const shared = new Map<string, Uint8Array | undefined>();
  /** The x of each key pair that was generated, by its private key. */
  const ownX = new Map<string, string>();
  return {
    ...nodeCiphers,
    random,
    generateKeyPair: () => {
      const privateKey = scalar();
      const publicKey = multiplied(privateKey);
      ownX.set(textOf(privateKey), textOf(publicKey.subarray(0, keyBytes)));
      return { privateKey, publicKey };
    },
    sharedSecret: (privateKey, publicX) => {
      const own = ownX.get(textOf(privateKey));
      const [least, most] = [own ?? textOf(privateKey), textOf(publicX)].sort();
      const name = `${least}${most}`;
      if (!shared.has(name)) shared.set(name, nodeCiphers.sharedSecret(privateKey, publicX));
      return shared.get(name)?.slice();
    },
    sign: (privateKey, message) => sign(privateKey, message, scalar()),
    verify: (publicKey, message, signature) => {
      const what = textOf(Buffer.concat([publicKey, signature, message]));
      const known = verified.get(what);
      if (known !== undefined) return known;
      const isRight = nodeCiphers.verify(publicKey, message, signature);
      verified.set(what, isRight);
      return isRight;
    },
  };
}

/** Of P-256 (SP 800-186, section 3.2.1.3). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The base point times the scalar: x and y. */
function multiplied(scalar: Uint8Array): Uint8Array {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(scalar);
  return Uint8Array.from(ecdh.getPublicKey()).slice(1);
}

/** ECDSA (FIPS 186-5, section 6.4.1) with `k` given, which OpenSSL would draw. */
function sign(privateKey: Uint8Array, message: Uint8Array, k: Uint8Array): Uint8Array {
  const r = toNumber(multiplied(k).subarray(0, keyBytes)) % order;
  const hash = toNumber(createHash("sha256").update(message).digest());
  const s = (inverse(toNumber(k)) * (hash + r * toNumber(privateKey))) % order;
  const signature = new Uint8Array(2 * keyBytes);
  signature.set(toBytes(r));
  signature.set(toBytes(s), keyBytes);
  return signature;
}

/** Modulo the order, by the extended Euclidean algorithm. */
function inverse(number: bigint): bigint {
  let [a, b, x, y] = [number % order, order, 1n, 0n];
  while (a > 1n) {
    const quotient = b / a;
    [a, b, x, y] = [b - quotient * a, a, y - quotient * x, x];
  }
  return ((x % order) + order) % order;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`);
}

function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(number.toString(16).padStart(2 * keyBytes, "0"), "hex"));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
