/**
 * One case of Wycheproof, tried on one provider of `protocols/security/ciphers.ts`. Free of Node, because the chip's provider is tried in the
 * Moddable SDK's own engine too.
 */
import type { CcmTagBytes, Ciphers } from "../../../protocols/security/ciphers.ts";
import { hkdfExpand, hkdfExtract } from "../../../protocols/security/hkdf.ts";

export const caseKinds = Object.freeze(["AES-CCM", "ECDH", "ES256", "HKDF", "HMAC"] as const);
export type CaseKind = (typeof caseKinds)[number];

export interface WycheproofCase {
  readonly kind: CaseKind;
  readonly number: number;
  readonly isValid: boolean;
  /**
   * - AES-CCM: key, nonce, additional data, plaintext, ciphertext and tag, and as many bytes as a tag has
   * - ECDH: private key, the other's x, the secret
   * - ES256: public key, message, signature
   * - HKDF: input key, salt, info, output, and the length asked for in 2 bytes
   * - HMAC: key, message, tag
   */
  readonly fields: readonly Uint8Array[];
}

/** What the provider did that it should not have done; undefined when all is as the case says. */
export function faultIn(ciphers: Ciphers, { kind, isValid, fields }: WycheproofCase): string | undefined {
  const [first, second, third, fourth, fifth, sixth] = fields as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    ...Uint8Array[],
  ];
  switch (kind) {
    case "AES-CCM": {
      const tagBytes = sixth!.length as CcmTagBytes;
      const opened = ciphers.ccmOpen(first, second, tagBytes, third, fifth!);
      if (!isValid) return opened === undefined ? undefined : "opened";
      if (opened === undefined || !isSame(opened, fourth!)) return "not opened";
      const sealed = ciphers.ccmSeal(first, second, tagBytes, third, fourth!);
      return isSame(sealed, fifth!) ? undefined : "sealed otherwise";
    }
    case "ECDH": {
      const secret = ciphers.sharedSecret(first, second);
      if (!isValid) return secret === undefined ? undefined : "a secret with no point";
      return secret !== undefined && isSame(secret, third) ? undefined : "another secret";
    }
    case "ES256": {
      const isAccepted = ciphers.verify(first, second, third);
      if (isAccepted === isValid) return undefined;
      return isAccepted ? "accepted" : "refused";
    }
    case "HKDF": {
      const size = fifth![0]! * 256 + fifth![1]!;
      try {
        // RFC 5869, section 2.2: without a salt, one of zeros, which HMAC pads a shorter key with anyway.
        const output = hkdfExpand(ciphers, hkdfExtract(ciphers, second, first), [third], size);
        return isValid && isSame(output, fourth!) ? undefined : "another output";
      } catch (error) {
        return !isValid && error instanceof RangeError ? undefined : String(error);
      }
    }
    case "HMAC": {
      const mac = ciphers.hmacSha256(first, second).slice(0, third.length);
      return ciphers.isEqual(mac, third) === isValid ? undefined : isValid ? "refused" : "accepted";
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
