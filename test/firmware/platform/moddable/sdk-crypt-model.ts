/**
 * The SDK's native cryptography (modules/crypt, SDK 8.2.3), with its faults: it checks no point and no coordinate, takes any scalar, and wants
 * ArrayBuffers. AES and SHA-256 are node:crypto's; the curve is the schoolbook's, which like the SDK's formulas never looks at b.
 */
import { type Cipheriv, createCipheriv, createHash } from "node:crypto";

class Digest {
  constructor(type: string) {
    if (type !== "SHA256") throw new Error("crypt: unsupported digest");
  }

  process(...pieces: Uint8Array[]): ArrayBuffer {
    const hash = createHash("sha256");
    for (const bytes of pieces) hash.update(bytes);
    return new Uint8Array(hash.digest()).buffer;
  }
}

class BlockCipher {
  readonly key: Uint8Array;

  constructor(type: string, key: ArrayBuffer) {
    if (type !== "AES") throw new Error("unsupported cipher");
    if (![16, 24, 32].includes(bytesIn(key).length)) throw new Error("bad key size");
    this.key = bytesIn(key).slice();
  }
}

class Mode {
  readonly #cipher: Cipheriv;
  readonly #isCounter: boolean;

  constructor(type: string, { key }: BlockCipher, iv: ArrayBuffer) {
    if (type !== "CBC" && type !== "CTR") throw new Error("unsupported mode");
    this.#isCounter = type === "CTR";
    const block = new Uint8Array(16);
    const given = bytesIn(iv).subarray(0, 16);
    // A short one is the end of the counter, and the start of CBC's.
    block.set(given, this.#isCounter ? 16 - given.length : 0);
    this.#cipher = createCipheriv(`aes-${key.length * 8}-${type.toLowerCase()}`, key, block);
    this.#cipher.setAutoPadding(false);
  }

  encrypt(data: ArrayBuffer, into: ArrayBuffer): ArrayBuffer {
    if (into.byteLength < data.byteLength) throw new Error("output too small");
    const given = bytesIn(data);
    // What is less than a block is not touched.
    const length = this.#isCounter ? given.length : given.length & -16;
    bytesIn(into).set(this.#cipher.update(given.subarray(0, length)));
    return into;
  }
}

export const crypt = Object.freeze({ Digest, BlockCipher, Mode });

export class ECPoint {
  readonly x: bigint;
  readonly y: bigint;
  readonly #isZero: boolean;

  constructor(x: bigint, y: bigint, isZero = false) {
    this.x = x;
    this.y = y;
    this.#isZero = isZero;
  }

  isZero(): boolean {
    return this.#isZero;
  }
}

/** Jacobian: the point (x/z^2, y/z^3), or infinity with a z of 0. */
type Jacobian = readonly [x: bigint, y: bigint, z: bigint];

export class EC {
  readonly #a: bigint;
  readonly #m: bigint;

  constructor(a: bigint, _b: bigint, m: bigint) {
    this.#a = a;
    this.#m = m;
  }

  mul(point: ECPoint, k: bigint): ECPoint {
    return this.mul2(point, k, new ECPoint(0n, 0n, true), 0n);
  }

  mul2(point1: ECPoint, k1: bigint, point2: ECPoint, k2: bigint): ECPoint {
    // The SDK's result is then memory that nobody has written.
    if (k1 === 0n && k2 === 0n) throw new Error("a product with 0");
    const [one, two] = [point1, point2].map(
      (point): Jacobian => [point.x, point.y, point.isZero() ? 0n : 1n],
    );
    const addends = [undefined, one!, two!, this.#add(one!, two!)];
    const bits = Math.max(k1.toString(2).length, k2.toString(2).length);
    let sum: Jacobian = [0n, 0n, 0n];
    for (let bit = BigInt(bits - 1); bit >= 0n; bit--) {
      sum = this.#double(sum);
      const addend = addends[Number(((k1 >> bit) & 1n) + ((k2 >> bit) & 1n) * 2n)];
      if (addend !== undefined) sum = this.#add(sum, addend);
    }
    const [x, y, z] = sum;
    if (z === 0n) return new ECPoint(x, y, true);
    const inverse = inverseOf(z, this.#m);
    return new ECPoint(modulo(x * inverse ** 2n, this.#m), modulo(y * inverse ** 3n, this.#m));
  }

  #double([x, y, z]: Jacobian): Jacobian {
    const m = this.#m;
    const [slope, yy] = [modulo(3n * x * x + this.#a * z ** 4n, m), modulo(y * y, m)];
    const distance = modulo(4n * x * yy, m);
    const doubleX = modulo(slope * slope - 2n * distance, m);
    return [doubleX, modulo(slope * (distance - doubleX) - 8n * yy * yy, m), modulo(2n * y * z, m)];
  }

  #add(left: Jacobian, right: Jacobian): Jacobian {
    const m = this.#m;
    const [[x1, y1, z1], [x2, y2, z2]] = [left, right];
    if (z1 === 0n) return right;
    if (z2 === 0n) return left;
    const [u1, s1] = [modulo(x1 * z2 * z2, m), modulo(y1 * z2 ** 3n, m)];
    const [dx, dy] = [modulo(x2 * z1 * z1 - u1, m), modulo(y2 * z1 ** 3n - s1, m)];
    // Only z says so: the SDK leaves what the others were.
    if (dx === 0n) return dy === 0n ? this.#double(left) : [x1, y1, 0n];
    const [square, cube] = [modulo(dx * dx, m), modulo(dx ** 3n, m)];
    const x = modulo(dy * dy - cube - 2n * u1 * square, m);
    return [x, modulo(dy * (u1 * square - x) - s1 * cube, m), modulo(z1 * z2 * dx, m)];
  }
}

export class Mont {
  readonly #m: bigint;

  constructor({ m }: { m: bigint }) {
    this.#m = m;
  }

  exp(base: bigint, exponent: bigint): bigint {
    let product = 1n;
    let square = base % this.#m;
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) product = (product * square) % this.#m;
      square = (square * square) % this.#m;
    }
    return product;
  }
}

/** What XS adds to the language. */
Object.assign(BigInt, {
  fromArrayBuffer(buffer: ArrayBuffer): bigint {
    if (buffer.byteLength === 0) throw new SyntaxError("argument: invalid ArrayBuffer instance");
    return BigInt(`0x${Buffer.from(bytesIn(buffer)).toString("hex")}`);
  },
});
Object.assign(ArrayBuffer, {
  fromBigInt(number: bigint, byteLengthMin: number): ArrayBuffer {
    const digits = number.toString(16).padStart(byteLengthMin * 2, "0");
    return new Uint8Array(Buffer.from(digits.length % 2 ? `0${digits}` : digits, "hex")).buffer;
  },
});

function inverseOf(number: bigint, m: bigint): bigint {
  let [rest, next, at, then] = [number, m, 1n, 0n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next, at, then] = [next, rest - quotient * next, then, at - quotient * then];
  }
  return modulo(at, m);
}

function modulo(number: bigint, m: bigint): bigint {
  const rest = number % m;
  return rest < 0n ? rest + m : rest;
}

function bytesIn(buffer: ArrayBuffer): Uint8Array {
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError("argument: not an ArrayBuffer instance");
  return new Uint8Array(buffer);
}
