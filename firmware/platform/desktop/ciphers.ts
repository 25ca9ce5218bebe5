import type { CcmTagBytes, Ciphers, KeyPair } from "../ports.ts";
import { Call } from "./calls.ts";
import type { Parent } from "./parent.ts";

/** The parent's, which stand in for the chip's hardware. Only the comparison, which keeps no secret from the parent, is done here. */
export class DesktopCiphers implements Ciphers {
  readonly #parent: Parent;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  random(into: Uint8Array): void {
    into.set(this.#parent.call([Call.random, into.length]) as Uint8Array);
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return this.#parent.call([Call.sha256, bytes]) as Uint8Array;
  }

  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    return this.#parent.call([Call.hmacSha256, key, bytes]) as Uint8Array;
  }

  ccmSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    tagBytes: CcmTagBytes,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array {
    return this.#parent.call([Call.ccmSeal, key, nonce, tagBytes, aad, plaintext]) as Uint8Array;
  }

  ccmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    tagBytes: CcmTagBytes,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    const opened = this.#parent.call([Call.ccmOpen, key, nonce, tagBytes, aad, sealed]);
    return (opened as Uint8Array | null) ?? undefined;
  }

  generateKeyPair(): KeyPair {
    const [privateKey, publicKey] = this.#parent.call([Call.generateKeyPair]) as [Uint8Array, Uint8Array];
    return { privateKey, publicKey };
  }

  sharedSecret(privateKey: Uint8Array, publicX: Uint8Array): Uint8Array | undefined {
    const secret = this.#parent.call([Call.sharedSecret, privateKey, publicX]);
    return (secret as Uint8Array | null) ?? undefined;
  }

  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
    return this.#parent.call([Call.sign, privateKey, message]) as Uint8Array;
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return this.#parent.call([Call.verify, publicKey, message, signature]) === true;
  }

  isEqual(a: Uint8Array, b: Uint8Array): boolean {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
    return difference === 0;
  }
}
