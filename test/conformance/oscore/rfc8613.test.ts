/**
 * RFC 8613, appendix C: what OSCORE and Covey's records have in common is tried with Covey's own code. That is HKDF, the Enc_structure, the
 * nonce made of an IV and a Partial IV, and AES-CCM-16-64-128. Covey has no sender id in the nonce, as each direction has an IV of its own: here
 * the id's bytes are put into the IV beforehand.
 */
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { encStructure } from "../../../protocols/security/edhoc/key-schedule.ts";
import { hkdfExpand, hkdfExtract } from "../../../protocols/security/hkdf.ts";
import { openRecord, parseRecord, sealRecord } from "../../../protocols/security/record/record.ts";
import { providers } from "../providers.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (array: Uint8Array) => Buffer.from(array).toString("hex");

const masterSecret = "0102030405060708090a0b0c0d0e0f10";
const masterSalt = "9e7ca92223786340";

/** Appendices C.1 to C.3: what a context is derived from, and the client's keys; the server's are the same two the other way round. */
const contexts = {
  "C.1": {
    salt: masterSalt,
    idContext: null,
    client: ["", "8540f60a634b657910", "f0910ed7295e6ad4b54fc793154302ff", "4622d4dd6d944168eefb54987c"],
    server: ["01", "854101f60a634b657910", "ffb14e093c94c9cac9471648b4f98710", "4722d4dd6d944169eefb54987c"],
    commonIv: ["8540f60a6249560d", "4622d4dd6d944168eefb54987c"],
  },
  "C.2": {
    salt: "",
    idContext: null,
    client: ["00", "854100f60a634b657910", "321b26943253c7ffb6003b0b64d74041", "bf35ae297d2dace910c52e99f9"],
    server: ["01", "854101f60a634b657910", "e57b5635815177cd679ab4bcec9d7dda", "bf35ae297d2dace810c52e99f9"],
    commonIv: ["8540f60a6249560d", "be35ae297d2dace910c52e99f9"],
  },
  "C.3": {
    salt: masterSalt,
    idContext: "37cbf3210017a2d3",
    client: [
      "",
      "85404837cbf3210017a2d30a634b657910",
      "af2a1300a5e95788b356336eeecd2b92",
      "2ca58fb85ff1b81c0b7181b85e",
    ],
    server: [
      "01",
      "8541014837cbf3210017a2d30a634b657910",
      "e39a0c7c77b43f03b4b39ab9a268699f",
      "2da58fb85ff1b81d0b7181b85e",
    ],
    commonIv: ["85404837cbf3210017a2d30a6249560d", "2ca58fb85ff1b81c0b7181b85e"],
  },
} as const;

/** Appendices C.4 to C.8: who sends under which context, whose Partial IV of the request or response is in the nonce, and what comes out. */
const messages = [
  {
    name: "C.4, request",
    context: "C.1",
    sender: "client",
    nonce: ["client", 20, "4622d4dd6d944168eefb549868"],
    aadArray: "8501810a40411440",
    aad: "8368456e63727970743040488501810a40411440",
    plaintext: "01b3747631",
    ciphertext: "612f1092f1776f1c1668b3825e",
  },
  {
    name: "C.5, request without a salt",
    context: "C.2",
    sender: "client",
    nonce: ["client", 20, "bf35ae297d2dace910c52e99ed"],
    aadArray: "8501810a4100411440",
    aad: "8368456e63727970743040498501810a4100411440",
    plaintext: "01b3747631",
    ciphertext: "4ed339a5a379b0b8bc731fffb0",
  },
  {
    name: "C.6, request with an id context",
    context: "C.3",
    sender: "client",
    nonce: ["client", 20, "2ca58fb85ff1b81c0b7181b84a"],
    aadArray: "8501810a40411440",
    aad: "8368456e63727970743040488501810a40411440",
    plaintext: "01b3747631",
    ciphertext: "72cd7273fd331ac45cffbe55c3",
  },
  {
    name: "C.7, response with the request's nonce",
    context: "C.1",
    sender: "server",
    nonce: ["client", 20, "4622d4dd6d944168eefb549868"],
    aadArray: "8501810a40411440",
    aad: "8368456e63727970743040488501810a40411440",
    plaintext: "45ff48656c6c6f20576f726c6421",
    ciphertext: "dbaad1e9a7e7b2a813d3c31524378303cdafae119106",
  },
  {
    name: "C.8, response with a Partial IV of its own",
    context: "C.1",
    sender: "server",
    nonce: ["server", 0, "4722d4dd6d944169eefb54987c"],
    aadArray: "8501810a40411440",
    aad: "8368456e63727970743040488501810a40411440",
    plaintext: "45ff48656c6c6f20576f726c6421",
    ciphertext: "4d4c13669384b67354b2b6175ff4b8658c666a6cf88e",
  },
] as const;

describe.each(providers)("%s", (_, ciphers) => {
  test.each(Object.entries(contexts))("RFC 8613, %s: keys, common IV and nonces", (_, context) => {
    const { salt, idContext, client, server, commonIv } = context;
    const extracted = hkdfExtract(ciphers, bytes(salt), bytes(masterSecret));
    for (const [id, info, key, type] of [
      [client[0], client[1], client[2], "Key"],
      [server[0], server[1], server[2], "Key"],
      ["", commonIv[0], commonIv[1], "IV"],
    ] as const) {
      const length = bytes(key).length;
      // Section 3.2.1; 10 is AES-CCM-16-64-128.
      const own = encodeCbor([bytes(id), idContext === null ? null : bytes(idContext), 10, type, length]);
      expect(hex(own)).toBe(info);
      expect(hex(hkdfExpand(ciphers, extracted, [own], length))).toBe(key);
    }
    for (const [id, , , nonce] of [client, server]) expect(hex(ivOf(commonIv[1], id))).toBe(nonce);
  });

  test.each(messages.map((message) => [message.name, message] as const))("RFC 8613, %s", (_, message) => {
    const { context, sender, nonce, aadArray, aad, plaintext, ciphertext } = message;
    const { [sender]: own, commonIv } = contexts[context];
    const [nonceOwner, number, wholeNonce] = nonce;
    const iv = ivOf(commonIv[1], contexts[context][nonceOwner][0]);
    expect(hex(encStructure(bytes(aadArray)))).toBe(aad);
    const keys = { key: bytes(own[2]), iv };
    const record = sealRecord(ciphers, keys, number, bytes(aad), bytes(plaintext));
    expect(hex(parseRecord(record)!.sealed)).toBe(ciphertext);
    expect(hex(openRecord(ciphers, keys, parseRecord(record)!, bytes(aad))!)).toBe(plaintext);
    // The nonce that the appendix names is the one that was used.
    const sealed = ciphers.ccmSeal(keys.key, bytes(wholeNonce), 8, bytes(aad), bytes(plaintext));
    expect(hex(sealed)).toBe(ciphertext);
  });
});

/** Section 5.2 with a Partial IV of 0: the id's length, the id in 7 bytes, and 5 bytes for the Partial IV, all xored into the common IV. */
function ivOf(commonIv: string, id: string): Uint8Array {
  const iv = bytes(commonIv);
  const sender = bytes(id);
  iv[0]! ^= sender.length;
  sender.forEach((byte, at) => {
    iv[8 - sender.length + at]! ^= byte;
  });
  return iv;
}
