/**
 * The curve P-256 (SEC 2, section 2.4.2) on the SDK's native arithmetic, with the guards that it has not.
 *
 * The SDK multiplies whatever it is given: a point off the curve, on which a private key comes out bit by bit; a coordinate beyond the
 * field; an r or s that no signature has. So all that comes from outside is checked here before a native function sees it. And the
 * SDK's multiplication takes a time that depends on the scalar (double, and add where a bit is set), so it never gets a secret
 * one as it is: each time another multiple of the group's order is added, which changes every bit and not the product.
 */
import EC from "ec";
import ECPoint from "ecp";
import Mont from "mont";
import type { KeyPair } from "../../../protocols/security/ciphers.ts";
import type { Random } from "../ports.ts";

/** y^2 = x^3 + ax + b in the field of p; the base point has the order n. */
const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const a = 0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const baseX = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n;
const baseY = 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n;

/** Bytes of a coordinate, a private key, r and s. */
export const keyBytes = 32;

/** Of what is added to a secret scalar, in multiples of n. */
const blindingBytes = 8;
/** One of 2^32 draws of a sound generator is refused. */
const drawsMax = 4;

export class P256 {
  readonly #random: Random;
  readonly #curve = new EC(a, b, p);
  readonly #base = new ECPoint(baseX, baseY);
  readonly #field = new Mont({ m: p });
  readonly #scalars = new Mont({ m: n });

  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws Error when the generator is broken */
  generateKeyPair(): KeyPair {
    const secret = this.drawScalar();
    const point = this.multiply(this.#base, secret);
    const publicKey = new Uint8Array(2 * keyBytes);
    publicKey.set(bytesOf(point.x));
    publicKey.set(bytesOf(point.y), keyBytes);
    return { privateKey: bytesOf(secret), publicKey };
  }

  /** As `Ciphers.sharedSecret`. */
  sharedSecret(privateKey: Uint8Array, publicX: Uint8Array): Uint8Array | undefined {
    const secret = scalarOf(privateKey);
    const point = this.pointAt(publicX);
    if (secret === undefined || point === undefined) return undefined;
    return bytesOf(this.multiply(point, secret).x);
  }

  /**
   * ECDSA (FIPS 186-5, section 6.4.1) of a hash of 32 bytes, with a number from the chip's generator. What is inverted and multiplied is
   * blinded: (k m)^-1 (e m + r d m) is k^-1 (e + r d).
   *
   * @throws RangeError for a private key out of range; Error when the generator is broken
   */
  sign(privateKey: Uint8Array, hash: Uint8Array): Uint8Array {
    const secret = scalarOf(privateKey);
    if (secret === undefined) throw new RangeError("The private key is no number from 1 to n - 1 of P-256.");
    for (let draw = 0; draw < drawsMax; draw += 1) {
      const once = this.drawScalar();
      const mask = this.drawScalar();
      const r = this.multiply(this.#base, once).x % n;
      const masked = (numberOf(hash) * mask + r * ((secret * mask) % n)) % n;
      const s = (this.inverse((once * mask) % n) * masked) % n;
      if (r === 0n || s === 0n) continue;
      const signature = new Uint8Array(2 * keyBytes);
      signature.set(bytesOf(r));
      signature.set(bytesOf(s), keyBytes);
      return signature;
    }
    throw brokenGenerator();
  }

  /** ECDSA (FIPS 186-5, section 6.4.2) of a hash of 32 bytes; the key's length and the signature's may be any. */
  verify(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 2 * keyBytes) return false;
    const r = scalarOf(signature.subarray(0, keyBytes));
    const s = scalarOf(signature.subarray(keyBytes));
    const x = numberOf(publicKey.subarray(0, keyBytes));
    const y = numberOf(publicKey.subarray(keyBytes));
    if (r === undefined || s === undefined || x >= p || y >= p || (y * y) % p !== curveAt(x)) return false;
    const inverse = this.inverse(s);
    const [ofBase, ofKey] = [(numberOf(hash) * inverse) % n, (r * inverse) % n];
    const point = this.#curve.mul2(this.#base, ofBase, new ECPoint(x, y), ofKey);
    // Of infinity the SDK leaves an x that its last sum happened to have.
    return !point.isZero() && point.x % n === r;
  }

  /** One of the two points with this x-coordinate; undefined when there is none (RFC 9528, appendix B: which one does not matter). */
  private pointAt(bytes: Uint8Array): ECPoint | undefined {
    if (bytes.length !== keyBytes) return undefined;
    const x = numberOf(bytes);
    if (x >= p) return undefined;
    const square = curveAt(x);
    // The square root, if there is one, because p is 3 modulo 4.
    const y = this.#field.exp(square, (p + 1n) >> 2n);
    return (y * y) % p === square ? new ECPoint(x, y) : undefined;
  }

  private multiply(point: ECPoint, secret: bigint): ECPoint {
    const blinding = new Uint8Array(blindingBytes);
    this.#random.fill(blinding);
    return this.#curve.mul(point, secret + numberOf(blinding) * n);
  }

  /** By Fermat, whose exponent is public: the SDK's own inversion takes a time that depends on the number, and never ends for 0. */
  private inverse(scalar: bigint): bigint {
    return this.#scalars.exp(scalar, n - 2n);
  }

  /** From 1 to n - 1, each as likely as any other. */
  private drawScalar(): bigint {
    const bytes = new Uint8Array(keyBytes);
    for (let draw = 0; draw < drawsMax; draw += 1) {
      this.#random.fill(bytes);
      const scalar = scalarOf(bytes);
      if (scalar !== undefined) return scalar;
    }
    throw brokenGenerator();
  }
}

function curveAt(x: bigint): bigint {
  return (x * x * x + a * x + b) % p;
}

/** undefined outside 1 to n - 1. */
function scalarOf(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== keyBytes) return undefined;
  const scalar = numberOf(bytes);
  return scalar > 0n && scalar < n ? scalar : undefined;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt.fromArrayBuffer(bytes.slice().buffer);
}

function bytesOf(number: bigint): Uint8Array {
  return new Uint8Array(ArrayBuffer.fromBigInt(number, keyBytes));
}

function brokenGenerator(): Error {
  return new Error("The chip's random generator is broken: it gives no number that fits P-256.");
}
