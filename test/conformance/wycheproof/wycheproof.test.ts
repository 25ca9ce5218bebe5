import { ECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { CcmTagBytes, Ciphers } from "../../../protocols/security/ciphers.ts";
import { hkdfExpand, hkdfExtract } from "../../../protocols/security/hkdf.ts";

const providers: readonly (readonly [string, Ciphers])[] = [["node:crypto", nodeCiphers]];

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly result: "valid" | "invalid" | "acceptable";
}

interface Group<C> {
  readonly type: string;
  readonly tests: readonly C[];
}

describe.each(providers)("%s", (_name, ciphers) => {
  test("AES-CCM", () => {
    type Aead = Case & Record<"key" | "iv" | "aad" | "msg" | "ct" | "tag", string>;
    let [run, leftOut] = [0, 0];
    for (const group of groups<Aead, { ivSize: number; keySize: number; tagSize: number }>("aes_ccm_test")) {
      const tagBytes = group.tagSize / 8;
      if (
        group.keySize !== 128 ||
        group.ivSize < 56 ||
        group.ivSize > 104 ||
        (tagBytes !== 8 && tagBytes !== 16)
      ) {
        leftOut += group.tests.length;
        continue;
      }
      for (const { tcId, result, key, iv, aad, msg, ct, tag } of group.tests) {
        const sealed = bytes(ct + tag);
        const opened = ciphers.ccmOpen(bytes(key), bytes(iv), tagBytes as CcmTagBytes, bytes(aad), sealed);
        if (result === "valid") {
          expect(hex(opened!), `case ${tcId}`).toBe(msg);
          const own = ciphers.ccmSeal(bytes(key), bytes(iv), tagBytes as CcmTagBytes, bytes(aad), bytes(msg));
          expect(hex(own), `case ${tcId}`).toBe(ct + tag);
        } else {
          expect(opened, `case ${tcId}`).toBeUndefined();
        }
        run++;
      }
    }
    expect({ run, leftOut }).toEqual(applied.ccm);
  });

  test("ECDH on P-256, with the x-coordinate alone", () => {
    type Key = Record<"crv" | "x" | "y" | "d", string>;
    type Ecdh = Case & { public: Key; private: Key; shared: string };
    let [run, otherCurve, falseY] = [0, 0, 0];
    for (const { tests } of groups<Ecdh>("ecdh_secp256r1_webcrypto_test")) {
      for (const each of tests) {
        const { public: theirs, private: ours } = each;
        if (theirs.crv !== "P-256" || ours.crv !== "P-256") {
          otherCurve++;
          continue;
        }
        const x = base64(theirs.x);
        const secret = ciphers.sharedSecret(base64(ours.d), x);
        if (each.result === "valid") {
          expect(hex(secret!), `case ${each.tcId}`).toBe(each.shared);
        } else if (isOnCurve(x)) {
          falseY++;
          continue;
        } else {
          expect(secret, `case ${each.tcId}`).toBeUndefined();
        }
        run++;
      }
    }
    expect({ run, otherCurve, falseY }).toEqual(applied.ecdh);
  });

  test("ES256", () => {
    type Ecdsa = Case & { msg: string; sig: string };
    let run = 0;
    const file = "ecdsa_secp256r1_sha256_p1363_test";
    for (const { publicKey, tests } of groups<Ecdsa, { publicKey: { uncompressed: string } }>(file)) {
      const key = bytes(publicKey.uncompressed).subarray(1);
      for (const { tcId, msg, sig, result } of tests) {
        expect(ciphers.verify(key, bytes(msg), bytes(sig)), `case ${tcId}`).toBe(result === "valid");
        run++;
      }
    }
    expect(run).toBe(applied.ecdsa);
  });

  test("HKDF", () => {
    type Hkdf = Case & { ikm: string; salt: string; info: string; size: number; okm: string };
    let run = 0;
    for (const { tests } of groups<Hkdf>("hkdf_sha256_test")) {
      for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
        // RFC 5869, section 2.2: without a salt, one of zeros, which HMAC pads a shorter key with anyway.
        const derive = () =>
          hkdfExpand(ciphers, hkdfExtract(ciphers, bytes(salt), bytes(ikm)), bytes(info), size);
        if (result === "valid") expect(hex(derive()), `case ${tcId}`).toBe(okm);
        else expect(derive, `case ${tcId}`).toThrow(RangeError);
        run++;
      }
    }
    expect(run).toBe(applied.hkdf);
  });

  test("HMAC", () => {
    type Mac = Case & { key: string; msg: string; tag: string };
    let run = 0;
    for (const { tagSize, tests } of groups<Mac, { tagSize: number }>("hmac_sha256_test")) {
      for (const { tcId, key, msg, tag, result } of tests) {
        const mac = ciphers.hmacSha256(bytes(key), bytes(msg)).slice(0, tagSize / 8);
        expect(mac.length === tag.length / 2 && ciphers.isEqual(mac, bytes(tag)), `case ${tcId}`).toBe(
          result === "valid",
        );
        run++;
      }
    }
    expect(run).toBe(applied.hmac);
  });
});

/** How many cases there are, so that none is left out by accident. */
const applied = {
  ccm: { run: 122, leftOut: 430 },
  ecdh: { run: 342, otherCurve: 5, falseY: 6 },
  ecdsa: 262,
  hkdf: 86,
  hmac: 174,
};

function groups<C extends Case, G = object>(name: string): readonly (Group<C> & G)[] {
  const file = join(import.meta.dirname, "vectors", `${name}.json`);
  return (JSON.parse(readFileSync(file, "utf8")) as { testGroups: (Group<C> & G)[] }).testGroups;
}

function bytes(hexText: string): Uint8Array {
  return new Uint8Array(Buffer.from(hexText, "hex"));
}

function hex(array: Uint8Array): string {
  return Buffer.from(array).toString("hex");
}

function base64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function isOnCurve(x: Uint8Array): boolean {
  try {
    ECDH.convertKey(Buffer.concat([Uint8Array.of(2), x]), "prime256v1");
    return true;
  } catch {
    return false;
  }
}
