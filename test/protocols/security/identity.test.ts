import { Decoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { signRoot } from "../../../protocols/security/cose/sign1.ts";
import { Initiator } from "../../../protocols/security/edhoc/initiator.ts";
import { Responder } from "../../../protocols/security/edhoc/responder.ts";
import {
  credentialByReference,
  credentialByValue,
  identityInside,
  kidOf,
} from "../../../protocols/security/identity/credential.ts";
import {
  type Identity,
  IdentityError,
  issueIdentity,
  readIdentity,
  readStoredKey,
} from "../../../protocols/security/identity/identity.ts";
import { isAllowed, Permission } from "../../../protocols/security/identity/scope.ts";

const root = nodeCiphers.generateKeyPair();
const keys = nodeCiphers.generateKeyPair();
const north: Identity = {
  swarm: "greenhouse",
  name: "north-1",
  role: "board",
  scope: [
    { resource: "fan.*", permissions: Permission.read },
    { resource: "report", permissions: Permission.write },
  ],
  epoch: 3,
  publicKey: keys.publicKey,
};
const signed = issueIdentity(nodeCiphers, root.privateKey, north);

describe("an identity", () => {
  test("is read as it was issued", () => {
    expect(readIdentity(nodeCiphers, root.publicKey, signed)).toEqual(north);
  });

  test("is a CWT in a COSE_Sign1, as a library reads it", () => {
    const library = new Decoder({ mapsAsObjects: false });
    const [header, unprotected, claims, signature] = library.decode(signed);
    expect(library.decode(header)).toEqual(new Map([[1, -7]]));
    expect(unprotected).toEqual(new Map());
    expect(signature).toHaveLength(64);
    const map = library.decode(claims) as Map<number, unknown>;
    expect([map.get(1), map.get(2), map.get(-65538)]).toEqual(["greenhouse", "north-1", 3]);
  });

  test("has the same key by itself, whatever else it says", () => {
    const text = fc.string({ minLength: 1, maxLength: 48 });
    const entry = fc.record({
      resource: fc.string({ minLength: 1, maxLength: 12 }),
      permissions: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(text, text, fc.array(entry, { maxLength: 4 }), fc.nat(), (swarm, name, scope, epoch) => {
        const { publicKey } = nodeCiphers.generateKeyPair();
        const issued = issueIdentity(nodeCiphers, root.privateKey, {
          ...{ swarm, name, scope, epoch, publicKey },
          role: "host",
        });
        expect(readStoredKey(issued)).toEqual(readIdentity(nodeCiphers, root.publicKey, issued).publicKey);
      }),
    );
  });

  test("that ends before its key has none", () => {
    for (const length of [0, 1, 10, 60]) {
      expect(() => readStoredKey(signed.slice(0, length)), `${length} bytes`).toThrow(IdentityError);
    }
    const claims = encodeCbor(["greenhouse", 1]);
    expect(() => readStoredKey(signRoot(nodeCiphers, root.privateKey, claims))).toThrow(IdentityError);
  });

  test("of another root, or with any byte changed, is refused", () => {
    const other = nodeCiphers.generateKeyPair();
    expect(() => readIdentity(nodeCiphers, other.publicKey, signed)).toThrow(IdentityError);
    for (let at = 0; at < signed.length; at++) {
      const changed = signed.slice();
      changed[at]! ^= 4;
      expect(() => readIdentity(nodeCiphers, root.publicKey, changed), `byte ${at}`).toThrow(IdentityError);
    }
  });

  test("that is none is refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(() => readIdentity(nodeCiphers, root.publicKey, bytes)).toThrow(IdentityError);
      }),
    );
  });

  test("with a scope too long to be carried is not issued", () => {
    const scope = Array.from({ length: 16 }, (_, i) => ({
      resource: `${i}`.padStart(40, "x"),
      permissions: 1,
    }));
    expect(() => issueIdentity(nodeCiphers, root.privateKey, { ...north, scope })).toThrow(/shorter scope/);
  });
});

test("a handshake carries an identity by value to whoever knows only the root", () => {
  const hostKeys = nodeCiphers.generateKeyPair();
  const host: Identity = { ...north, name: "main", role: "host", publicKey: hostKeys.publicKey };
  const hostSigned = issueIdentity(nodeCiphers, root.privateKey, host);
  const hostCredential = credentialByReference(nodeCiphers, hostSigned, host);
  const met: Identity[] = [];
  const first = new Initiator({
    ciphers: nodeCiphers,
    credential: credentialByValue(signed, north),
    privateKey: keys.privateKey,
    find: (id) => (Buffer.compare(id, hostCredential.id) === 0 ? hostCredential : undefined),
    connectionId: Uint8Array.of(1),
  });
  const second = new Responder({
    ciphers: nodeCiphers,
    credential: hostCredential,
    privateKey: hostKeys.privateKey,
    find: (id) => {
      const inside = identityInside(id);
      if (inside === undefined) return undefined;
      const identity = readIdentity(nodeCiphers, root.publicKey, inside);
      met.push(identity);
      return credentialByValue(inside, identity);
    },
    connectionId: Uint8Array.of(2),
  });
  const message3 = first.takeMessage2(second.takeMessage1(first.message1));
  first.takeMessage4(second.takeMessage3(message3).message4);
  expect(met).toEqual([north]);
  expect(kidOf(nodeCiphers, signed)).toHaveLength(8);
});

describe("a scope", () => {
  const scope = north.scope;
  test("allows what an entry says, by name or by beginning", () => {
    expect(isAllowed(scope, "fan.duty", Permission.read)).toBe(true);
    expect(isAllowed(scope, "report", Permission.write)).toBe(true);
  });

  test("allows nothing else", () => {
    expect(isAllowed(scope, "fan.duty", Permission.write)).toBe(false);
    expect(isAllowed(scope, "fan.duty", Permission.read | Permission.write)).toBe(false);
    expect(isAllowed(scope, "reports", Permission.write)).toBe(false);
    expect(isAllowed(scope, "valve", Permission.read)).toBe(false);
    expect(isAllowed([], "fan.duty", Permission.read)).toBe(false);
    expect(isAllowed(scope, "fan.duty", 0)).toBe(false);
  });
});
