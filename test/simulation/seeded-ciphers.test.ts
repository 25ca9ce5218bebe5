import { describe, expect, it } from "vitest";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { TestRoot } from "../members.ts";
import { Random } from "./raft/random.ts";
import { seededCiphers } from "./seeded-ciphers.ts";

describe("ciphers whose chance comes from a seed", () => {
  it("sign what node:crypto verifies, and nothing else", () => {
    const ciphers = seededCiphers(new Random(1).next);
    for (let i = 0; i < 50; i++) {
      const { privateKey, publicKey } = ciphers.generateKeyPair();
      const message = Uint8Array.of(i, 2, 3);
      const signature = ciphers.sign(privateKey, message);
      expect(nodeCiphers.verify(publicKey, message, signature)).toBe(true);
      expect(nodeCiphers.verify(publicKey, Uint8Array.of(i, 2, 4), signature)).toBe(false);
    }
  });

  it("agree with node:crypto on what two key pairs share", () => {
    const ciphers = seededCiphers(new Random(2).next);
    const [own, other] = [ciphers.generateKeyPair(), nodeCiphers.generateKeyPair()];
    const here = ciphers.sharedSecret(own.privateKey, other.publicKey.slice(0, 32));
    expect(here).toEqual(nodeCiphers.sharedSecret(other.privateKey, own.publicKey.slice(0, 32)));
    const third = ciphers.generateKeyPair();
    const twice = [
      ciphers.sharedSecret(own.privateKey, third.publicKey.slice(0, 32)),
      ciphers.sharedSecret(third.privateKey, own.publicKey.slice(0, 32)),
    ];
    const right = nodeCiphers.sharedSecret(third.privateKey, own.publicKey.slice(0, 32));
    expect(twice).toEqual([right, right]);
    expect(ciphers.sharedSecret(own.privateKey, new Uint8Array(32).fill(255))).toBe(undefined);
  });

  it("issue the same identities from the same seed, and others from another", () => {
    const [first, again, other] = [3, 3, 4].map((seed) => {
      const root = new TestRoot("garden", seededCiphers(new Random(seed).next));
      return root.issue("board", "north-1").signed;
    });
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});
