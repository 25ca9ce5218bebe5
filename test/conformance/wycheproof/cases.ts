/** The cases of `vectors/` that apply to what the protocols use, and how many do not, by reason. */
import { ECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CaseKind, WycheproofCase } from "./check-case.ts";

export interface CaseFile {
  readonly cases: readonly WycheproofCase[];
  /** Cases that were left out: how many, by why. */
  readonly leftOut: Readonly<Record<string, number>>;
}

interface Case {
  readonly tcId: number;
  readonly result: "valid" | "invalid" | "acceptable";
}

/** A case's fields, or why it is left out. */
type Reading<G, C> = (group: G, each: C) => readonly Uint8Array[] | string;

type EcdhKey = Record<"crv" | "x" | "y" | "d", string>;

export const wycheproof: Readonly<Record<CaseKind, () => CaseFile>> = {
  "AES-CCM": () =>
    read<
      Record<"ivSize" | "keySize" | "tagSize", number>,
      Record<"key" | "iv" | "aad" | "msg" | "ct" | "tag", string>
    >("AES-CCM", "aes_ccm_test", ({ ivSize, keySize, tagSize }, { key, iv, aad, msg, ct, tag }) => {
      if (keySize !== 128) return "a key of other than 128 bits";
      if (tagSize !== 64 && tagSize !== 128) return "a tag of other than 8 or 16 bytes";
      if (ivSize < 56 || ivSize > 104) return "a nonce that CCM has not";
      return [...[key, iv, aad, msg, ct + tag].map(bytes), new Uint8Array(tagSize / 8)];
    }),
  ECDH: () =>
    read<object, { public: EcdhKey; private: EcdhKey; shared: string } & Case>(
      "ECDH",
      "ecdh_secp256r1_webcrypto_test",
      (_, { public: theirs, private: ours, shared, result }) => {
        if (theirs.crv !== "P-256" || ours.crv !== "P-256") return "a key of another curve";
        if (result !== "valid" && isOnCurve(base64(theirs.x))) return "a false y beside a sound x";
        return [base64(ours.d), base64(theirs.x), bytes(shared)];
      },
    ),
  ES256: () =>
    read<{ publicKey: { uncompressed: string } }, { msg: string; sig: string }>(
      "ES256",
      "ecdsa_secp256r1_sha256_p1363_test",
      ({ publicKey }, { msg, sig }) => [bytes(publicKey.uncompressed).subarray(1), bytes(msg), bytes(sig)],
    ),
  HKDF: () =>
    read<object, Record<"ikm" | "salt" | "info" | "okm", string> & { size: number }>(
      "HKDF",
      "hkdf_sha256_test",
      (_, { ikm, salt, info, okm, size }) => [
        ...[ikm, salt, info, okm].map(bytes),
        Uint8Array.of(size >> 8, size),
      ],
    ),
  HMAC: () =>
    read<{ tagSize: number }, Record<"key" | "msg" | "tag", string>>(
      "HMAC",
      "hmac_sha256_test",
      (_, { key, msg, tag }) => [key, msg, tag].map(bytes),
    ),
};

function read<G, C>(kind: CaseKind, file: string, reading: Reading<G, C>): CaseFile {
  const path = join(import.meta.dirname, "vectors", `${file}.json`);
  const { testGroups } = JSON.parse(readFileSync(path, "utf8")) as {
    testGroups: readonly (G & { readonly tests: readonly (C & Case)[] })[];
  };
  const cases: WycheproofCase[] = [];
  const leftOut: Record<string, number> = {};
  for (const group of testGroups) {
    for (const each of group.tests) {
      const fields = reading(group, each);
      if (typeof fields === "string") leftOut[fields] = (leftOut[fields] ?? 0) + 1;
      else cases.push({ kind, number: each.tcId, isValid: each.result === "valid", fields });
    }
  }
  return { cases, leftOut };
}

function bytes(hexText: string): Uint8Array {
  return new Uint8Array(Buffer.from(hexText, "hex"));
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
