/**
 * The protocols' primitives from the SDK's native code: C in the image, not the chip's accelerators, for which the SDK has no module. Its
 * AES reads tables in flash, so its time can depend on the key by way of the cache: docs/sdk.md says what follows from that.
 */
import crypt, { type BlockCipher } from "crypt";
import type { CcmTagBytes, Ciphers, KeyPair } from "../../../protocols/security/ciphers.ts";
import type { Random } from "../ports.ts";
import { P256 } from "./p256.ts";

/** Of AES, and of what SHA-256 takes at once. */
const aesBlockBytes = 16;
const hashBlockBytes = 64;
/** RFC 3610, section 2.2: from here on another encoding of the length would be due. */
const aadBytesMax = 0xfeff;
const plaintextBytesMax = 0xffff;

export class ChipCiphers implements Ciphers {
  readonly #random: Random;
  readonly #sha256 = new crypt.Digest("SHA256");
  readonly #p256: P256;

  constructor(random: Random) {
    this.#random = random;
    this.#p256 = new P256(random);
  }

  random(into: Uint8Array): void {
    this.#random.fill(into);
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(this.#sha256.process(bytes));
  }

  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    const pad = new Uint8Array(hashBlockBytes);
    pad.set(key.length > hashBlockBytes ? this.sha256(key) : key);
    for (let index = 0; index < hashBlockBytes; index += 1) pad[index]! ^= 0x36;
    const inner = new Uint8Array(this.#sha256.process(pad, bytes));
    for (let index = 0; index < hashBlockBytes; index += 1) pad[index]! ^= 0x36 ^ 0x5c;
    return new Uint8Array(this.#sha256.process(pad, inner));
  }

  ccmSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    tagBytes: CcmTagBytes,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array {
    const aes = new crypt.BlockCipher("AES", bufferOf(key));
    const text = new Uint8Array(aesBlockBytes + plaintext.length);
    text.set(ccmTag(aes, nonce, tagBytes, aad, plaintext));
    text.set(plaintext, aesBlockBytes);
    ccmCrypt(aes, nonce, text);
    const sealed = new Uint8Array(plaintext.length + tagBytes);
    sealed.set(text.subarray(aesBlockBytes));
    sealed.set(text.subarray(0, tagBytes), plaintext.length);
    return sealed;
  }

  ccmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    tagBytes: CcmTagBytes,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    const length = sealed.length - tagBytes;
    if (length < 0 || length > plaintextBytesMax) return undefined;
    const aes = new crypt.BlockCipher("AES", bufferOf(key));
    const text = new Uint8Array(aesBlockBytes + length);
    text.set(sealed.subarray(length));
    text.set(sealed.subarray(0, length), aesBlockBytes);
    ccmCrypt(aes, nonce, text);
    const plaintext = text.slice(aesBlockBytes);
    const tag = ccmTag(aes, nonce, tagBytes, aad, plaintext);
    return this.isEqual(tag.subarray(0, tagBytes), text.subarray(0, tagBytes)) ? plaintext : undefined;
  }

  generateKeyPair(): KeyPair {
    return this.#p256.generateKeyPair();
  }

  sharedSecret(privateKey: Uint8Array, publicX: Uint8Array): Uint8Array | undefined {
    return this.#p256.sharedSecret(privateKey, publicX);
  }

  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
    return this.#p256.sign(privateKey, this.sha256(message));
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return this.#p256.verify(publicKey, this.sha256(message), signature);
  }

  isEqual(a: Uint8Array, b: Uint8Array): boolean {
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let index = 0; index < a.length; index += 1) difference |= a[index]! ^ b[index]!;
    return difference === 0;
  }
}

/** The tag before it is encrypted, 16 bytes of which `tagBytes` count: CBC-MAC over B_0, the additional data and the text (RFC 3610, 2.2). */
function ccmTag(
  aes: BlockCipher,
  nonce: Uint8Array,
  tagBytes: CcmTagBytes,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  if (aad.length > aadBytesMax || plaintext.length > plaintextBytesMax) {
    throw new RangeError(
      `AES-CCM takes at most ${aadBytesMax} bytes beside ${plaintextBytesMax}, not ${aad.length} and ${plaintext.length}.`,
    );
  }
  const textAt = aesBlockBytes + (aad.length === 0 ? 0 : wholeBlocks(2 + aad.length));
  const blocks = new Uint8Array(textAt + wholeBlocks(plaintext.length));
  blocks[0] = (aad.length === 0 ? 0 : 0x40) + (tagBytes - 2) * 4 + 14 - nonce.length;
  blocks.set(nonce, 1);
  blocks[aesBlockBytes - 2] = plaintext.length >> 8;
  blocks[aesBlockBytes - 1] = plaintext.length;
  if (aad.length > 0) {
    blocks[aesBlockBytes] = aad.length >> 8;
    blocks[aesBlockBytes + 1] = aad.length;
    blocks.set(aad, aesBlockBytes + 2);
  }
  blocks.set(plaintext, textAt);
  new crypt.Mode("CBC", aes, new ArrayBuffer(aesBlockBytes)).encrypt(blocks.buffer, blocks.buffer);
  return blocks.slice(-aesBlockBytes);
}

/** En- or decrypts the tag and the text in place: counter 0 is the tag's (RFC 3610, 2.3). A new mode each time: how the SDK sets an IV anew is not to be relied on. */
function ccmCrypt(aes: BlockCipher, nonce: Uint8Array, tagAndText: Uint8Array<ArrayBuffer>): void {
  const counter = new Uint8Array(aesBlockBytes);
  counter[0] = 14 - nonce.length;
  counter.set(nonce, 1);
  new crypt.Mode("CTR", aes, counter.buffer).encrypt(tagAndText.buffer, tagAndText.buffer);
}

function wholeBlocks(bytes: number): number {
  return (bytes + aesBlockBytes - 1) & -aesBlockBytes;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}
