/** The root's keys under a passphrase. */
import { describe, expect, it } from "vitest";
import { KeyFolderUnusable, WrongPassphrase } from "../../../host-tools/keys/key-error.ts";
import { formatRoot, parseRoot, unlockRoot } from "../../../host-tools/keys/root-file.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";

const root = nodeCiphers.generateKeyPair();
const authority = nodeCiphers.generateKeyPair();
const shown = { swarm: "garden", root: root.publicKey, authority: Uint8Array.of(1, 2, 3) };
const keys = { root: root.privateKey, authority: authority.privateKey };
const passphrase = "correct horse battery";
const sealed = await formatRoot(shown, keys, passphrase);
const path = "keys/root.json";

const withChange = (change: object): string => JSON.stringify({ ...JSON.parse(sealed), ...change });
const withCost = (change: object): string =>
  withChange({ encryption: { ...JSON.parse(sealed).encryption, ...change } });

describe("under a passphrase", () => {
  it("the keys come back, and stand nowhere in the clear", async () => {
    const file = parseRoot(path, sealed);
    expect(file).toMatchObject({ swarm: "garden", isSealed: true });
    expect(file.root).toEqual(root.publicKey);
    expect(await unlockRoot(file, passphrase)).toEqual(keys);
    for (const key of [keys.root, keys.authority]) {
      expect(sealed).not.toContain(Buffer.from(key).toString("base64url").slice(2, 40));
    }
  });

  it("it is scrypt at 128 MiB with a salt of its own, and AES-256-GCM, as the file says", async () => {
    const { encryption } = JSON.parse(sealed);
    expect(encryption).toMatchObject({ kdf: "scrypt", n: 131_072, r: 8, p: 1, cipher: "aes-256-gcm" });
    const again = JSON.parse(await formatRoot(shown, keys, passphrase));
    expect(again.encryption.salt).not.toBe(encryption.salt);
    expect(again.encryption.nonce).not.toBe(encryption.nonce);
  });

  it("another passphrase does not open it", async () => {
    const file = parseRoot(path, sealed);
    for (const wrong of ["", "correct horse batterz", `${passphrase} `]) {
      await expect(unlockRoot(file, wrong)).rejects.toThrow(WrongPassphrase);
    }
  });

  it("an accent is one character, however the keyboard makes it", async () => {
    const file = parseRoot(path, await formatRoot(shown, keys, "caf\u00e9 noir"));
    expect(await unlockRoot(file, "cafe\u0301 noir")).toEqual(keys);
  });

  it.each([
    ["the swarm", { swarm: "garten" }],
    ["the root", { root: Buffer.from(authority.publicKey).toString("base64url") }],
    ["the authority", { authority: "AAAA" }],
    ["what it says of itself", { about: "nothing to see" }],
  ])("it does not open when %s was changed", async (_what, change) => {
    await expect(unlockRoot(parseRoot(path, withChange(change)), passphrase)).rejects.toThrow(
      WrongPassphrase,
    );
  });

  it("a cheaper scrypt does not open it", async () => {
    await expect(unlockRoot(parseRoot(path, withCost({ n: 2 })), passphrase)).rejects.toThrow(
      WrongPassphrase,
    );
  });
});

describe("a file that is none", () => {
  it.each([
    ["half of it", sealed.slice(0, sealed.length / 2)],
    ["nothing", ""],
    ["null", "null"],
    ["another version", withChange({ version: 2 })],
    ["a scrypt that would take all memory", withCost({ n: 2 ** 24 })],
    ["a scrypt that would take for ever", withCost({ p: 1_000 })],
    ["a cost that is no power of two", withCost({ n: 100_000 })],
    ["a short nonce", withCost({ nonce: "AAAA" })],
    ["another cipher", withCost({ cipher: "aes-256-ctr" })],
    ["a public key cut short", withChange({ root: "AAAA" })],
    ["no keys", withChange({ keys: undefined })],
  ])("%s is refused with its path and what to do", (_what, content) => {
    expect(() => parseRoot(path, content)).toThrow(KeyFolderUnusable);
    expect(() => parseRoot(path, content)).toThrow(/^keys\/root\.json is torn, .*; put the copy back/);
  });
});

it("without a passphrase the keys stand in the clear, and the file says what for", async () => {
  const content = await formatRoot(shown, keys, undefined);
  expect(JSON.parse(content).about).toContain("Keys of a simulation, in the clear");
  const file = parseRoot(path, content);
  expect(file.isSealed).toBe(false);
  expect(await unlockRoot(file, "")).toEqual(keys);
});
