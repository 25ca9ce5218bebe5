/** COSE_Sign1 with ES256 and COSE_Encrypt0 with AES-CCM: the working group's examples, read and made by every provider. */
import { globSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { concat } from "../../../protocols/cbor/sequence.ts";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { openRoot } from "../../../protocols/security/cose/sign1.ts";
import { openRecord, parseRecord, sealRecord } from "../../../protocols/security/record/record.ts";
import { providers } from "../providers.ts";
import { type Example, hex, readExample } from "./examples.ts";

const vectors = join(import.meta.dirname, "vectors");
const named = (pattern: string) =>
  globSync(`${pattern}.json`, { cwd: vectors })
    .map((file) => file.replace(/\.json$/, ""))
    .sort();
const signed = [
  ...named("RFC8152/Appendix_C_2_1"),
  ...named("CWT/A_3"),
  ...named("ecdsa-examples/*"),
  ...named("sign1-tests/*"),
].map(readExample);
const encrypted = [
  ...named("RFC8152/Appendix_C_4_*"),
  ...named("CWT/A_[56]"),
  ...named("aes-ccm-examples/*"),
  ...named("encrypted-tests/*"),
].map(readExample);

test("every example is tried", () => {
  const files = readdirSync(vectors, { recursive: true }).filter((file) => `${file}`.endsWith(".json"));
  expect(signed.length + encrypted.length).toBe(files.length);
});

const es256 = hex("a10126");

describe("COSE_Sign1", () => {
  test("the examples whose content has no place in Covey's form, and why", () => {
    expect(reasons(signed, whyNotSigned)).toEqual({
      "external data: Covey signs none": ["sign1-tests/sign-pass-02"],
      "another protected header than {1: -7}": [
        "ecdsa-examples/ecdsa-sig-01",
        "ecdsa-examples/ecdsa-sig-02",
        "ecdsa-examples/ecdsa-sig-03",
        "ecdsa-examples/ecdsa-sig-04",
        "sign1-tests/sign-fail-03",
        "sign1-tests/sign-fail-04",
        "sign1-tests/sign-fail-06",
        "sign1-tests/sign-pass-01",
      ],
    });
  });

  describe.each(providers)("%s", (_, ciphers) => {
    test.each(signed.map((each) => [each.name, each] as const))("%s", (_, example) => {
      const { name, bytes, parts, tag, publicKey, fails } = example;
      const untagged = tag === undefined ? bytes : encodeTagless(example);
      for (const form of [bytes, untagged]) {
        const isOurs = name === "CWT/A_3" && form === untagged;
        const payload = publicKey && openRoot(ciphers, publicKey, form);
        expect(payload !== undefined).toBe(isOurs);
      }
      if (whyNotSigned(example) !== undefined) return;
      const own = concat(
        hex("84"),
        encodeCbor(es256),
        hex("a0"),
        encodeCbor(parts[2]),
        encodeCbor(parts[3]!),
      );
      // Only the tag is wrong with sign-fail-01, which is not of our form; its signature is good.
      const isGood = !fails || tag !== 18;
      expect(openRoot(ciphers, publicKey!, own)).toEqual(isGood ? example.plaintext : undefined);
    });
  });
});

describe("COSE_Encrypt0", () => {
  test("the examples whose content has no place in Covey's form, and why", () => {
    expect(reasons(encrypted, whyNotEncrypted)).toEqual({
      "another algorithm than AES-CCM-16-64-128 and AES-CCM-16-128-128": [
        "aes-ccm-examples/aes-ccm-enc-03",
        "aes-ccm-examples/aes-ccm-enc-04",
        "aes-ccm-examples/aes-ccm-enc-05",
        "aes-ccm-examples/aes-ccm-enc-06",
        "aes-ccm-examples/aes-ccm-enc-07",
        "aes-ccm-examples/aes-ccm-enc-08",
        ...named("encrypted-tests/*"),
      ],
    });
  });

  describe.each(providers)("%s", (_, ciphers) => {
    test.each(encrypted.map((each) => [each.name, each] as const))("%s", (_, example) => {
      // A record has an empty protected header.
      expect(parseRecord(example.bytes)).toBeUndefined();
      expect(parseRecord(encodeTagless(example))).toBeUndefined();
      if (whyNotEncrypted(example) === undefined) expectContent(ciphers, example);
    });
  });
});

function expectContent(
  ciphers: Ciphers,
  { parts, contentKey, nonce, authenticated, plaintext }: Example,
): void {
  const [protectedHeader, unprotected, sealed] = parts;
  if (protectedHeader.at(-1) === algorithm16of128) {
    const iv = unprotected.get(5) as Uint8Array;
    expect(ciphers.ccmSeal(contentKey!, iv, 16, authenticated, plaintext)).toEqual(new Uint8Array(sealed));
    expect(ciphers.ccmOpen(contentKey!, iv, 16, authenticated, sealed)).toEqual(plaintext);
    return;
  }
  // An IV is what it is xored with a Partial IV of 0; and an IV xored with the Partial IV is the context's.
  const partialIv = (unprotected.get(6) as Uint8Array | undefined) ?? Uint8Array.of(0);
  const iv = new Uint8Array(nonce ?? (unprotected.get(5) as Uint8Array));
  partialIv.forEach((byte, at) => {
    iv[iv.length - partialIv.length + at]! ^= byte;
  });
  const number = partialIv.reduce((sum, byte) => sum * 256 + byte, 0);
  const keys = { key: contentKey!, iv };
  const own = concat(
    hex("8340a106"),
    encodeCbor(new Uint8Array(partialIv)),
    encodeCbor(new Uint8Array(sealed)),
  );
  expect(sealRecord(ciphers, keys, number, authenticated, plaintext)).toEqual(own);
  expect(openRecord(ciphers, keys, parseRecord(own)!, authenticated)).toEqual(plaintext);
}

/** COSE's numbers of AES-CCM-16-64-128 and AES-CCM-16-128-128 (RFC 9053, section 4.2). */
const algorithm16of64 = 10;
const algorithm16of128 = 30;

function whyNotSigned({ parts: [header], external }: Example): string | undefined {
  if (external.length > 0) return "external data: Covey signs none";
  if (Buffer.compare(header, es256) !== 0) return "another protected header than {1: -7}";
  return undefined;
}

function whyNotEncrypted({ parts: [header] }: Example): string | undefined {
  const isCcm = [algorithm16of64, algorithm16of128].some(
    (algorithm) => Buffer.compare(header, concat(hex("a101"), encodeCbor(algorithm))) === 0,
  );
  return isCcm ? undefined : "another algorithm than AES-CCM-16-64-128 and AES-CCM-16-128-128";
}

/** The names of the examples that are left out, by why. */
function reasons(examples: readonly Example[], why: (example: Example) => string | undefined) {
  const groups = Map.groupBy(examples, why);
  groups.delete(undefined);
  return Object.fromEntries([...groups].map(([reason, group]) => [reason, group.map(({ name }) => name)]));
}

/** The bytes of what is inside the tag: a tag of 18 or 16 has one byte, one of 995 or 998 three. */
function encodeTagless({ bytes, tag }: Example): Uint8Array {
  return bytes.slice(tag === undefined ? 0 : tag < 24 ? 1 : 3);
}
