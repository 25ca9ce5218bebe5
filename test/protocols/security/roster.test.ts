import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { signRoot } from "../../../protocols/security/cose/sign1.ts";
import { kidOf } from "../../../protocols/security/identity/credential.ts";
import { Roster, readRoster, rosterLimits, signRoster } from "../../../protocols/security/identity/roster.ts";
import { TestRoot } from "../../members.ts";

const swarm = "greenhouse";
const root = new TestRoot(swarm);
const { privateKey, publicKey } = root.keys;
const north = root.issue("board", "north-1");
const south = root.issue("board", "south-2");
const kid = (member: { signed: Uint8Array }) => kidOf(nodeCiphers, member.signed);
const statement = (epoch: number, since = 0, ...revoked: Uint8Array[]) =>
  signRoster(nodeCiphers, privateKey, { swarm, epoch, since, revoked });
const roster = (remembered = 8) => new Roster(nodeCiphers, publicKey, swarm, remembered);

describe("the roster", () => {
  test("admits whom the root signed, and remembers them by reference", () => {
    const known = roster();
    expect(known.find(kid(north))).toBeUndefined();
    const { publicKey: _, ...claims } = north.identity;
    expect(known.admit(north.signed)?.identity).toEqual(claims);
    expect(known.find(kid(north))?.identity.name).toBe("north-1");
    expect(known.epoch).toBe(0);
  });

  test("admits nobody that another root signed, nor of another swarm", () => {
    expect(roster().admit(new TestRoot(swarm).issue("board", "north-1").signed)).toBeUndefined();
    const elsewhere = new Roster(nodeCiphers, publicKey, "orchard", 8);
    expect(elsewhere.admit(north.signed)).toBeUndefined();
    expect(roster().admit(new Uint8Array(600))).toBeUndefined();
  });

  test("is of the latest statement of the root; an older one, or the same again, changes nothing", () => {
    const known = roster();
    expect(known.take(statement(2, 0, kid(north)))).toBe(true);
    for (const epoch of [1, 2]) expect(known.take(statement(epoch))).toBe(false);
    expect(known.epoch).toBe(2);
    expect(known.admit(north.signed)).toBeUndefined();
    expect(known.take(statement(3, 0, kid(south)))).toBe(true);
    expect(known.admit(north.signed)).toBeDefined();
    expect(known.admit(south.signed)).toBeUndefined();
  });

  test("takes no statement that is forged, changed, or of another swarm", () => {
    const known = roster();
    const forged = new TestRoot(swarm).revoke(1, kid(north));
    const other = signRoster(nodeCiphers, privateKey, { swarm: "orchard", epoch: 9, since: 0, revoked: [] });
    for (const bytes of [forged, other, new Uint8Array(0), north.signed])
      expect(known.take(bytes)).toBe(false);
    const sound = statement(1, 0, kid(north));
    for (let at = 0; at < sound.length; at++) {
      const changed = sound.slice();
      changed[at]! ^= 1;
      expect(known.take(changed)).toBe(false);
    }
    expect(known.epoch).toBe(0);
  });

  test("takes no statement whose items are not what they must be, though the root signed it", () => {
    const known = roster();
    const bad = [
      [2, swarm, 1, 0, new Uint8Array(0)],
      [1, swarm, 0, 0, new Uint8Array(0)],
      [1, swarm, 1, 2, new Uint8Array(0)],
      [1, swarm, 1, 0, new Uint8Array(9)],
      [1, swarm, 1, 0, new Uint8Array(8 * (rosterLimits.revokedMax + 1))],
      [1, swarm, 1, 0],
    ];
    for (const items of bad)
      expect(known.take(signRoot(nodeCiphers, privateKey, encodeCbor(items)))).toBe(false);
  });

  test("forgets whoever is revoked, at once", () => {
    const known = roster();
    const met = known.admit(north.signed)!;
    known.admit(south.signed);
    known.take(statement(1, 0, kid(north)));
    expect(known.find(kid(north))).toBeUndefined();
    expect(known.belongs(met)).toBe(false);
    expect(known.find(kid(south))).toBeDefined();
  });

  test("refuses identities of an epoch before the one since which all were issued anew", () => {
    const known = roster();
    known.admit(north.signed);
    known.take(statement(5, 5));
    expect(known.find(kid(north))).toBeUndefined();
    expect(known.admit(north.signed)).toBeUndefined();
    expect(known.admit(root.issue("board", "north-1", [], 4).signed)).toBeUndefined();
    expect(known.admit(root.issue("board", "north-1", [], 5).signed)).toBeDefined();
  });

  test("remembers no more than it may, the latest", () => {
    const known = roster(2);
    const three = ["a", "b", "c"].map((name) => root.issue("board", name));
    for (const each of three) known.admit(each.signed);
    expect(three.map((each) => known.find(kid(each)) !== undefined)).toEqual([false, true, true]);
  });

  test("lists as many as a statement holds, and says so beyond", () => {
    const many = Array.from({ length: rosterLimits.revokedMax }, (_, i) => new Uint8Array(8).fill(i));
    const read = readRoster(nodeCiphers, publicKey, statement(1, 0, ...many));
    expect(read?.revoked).toEqual(many);
    expect(() => statement(1, 0, ...many, kid(north))).toThrow(RangeError);
  });

  test("agrees with a plain list of who was revoked", () => {
    const members = [north, south, root.issue("host", "main"), root.issue("board", "late", [], 3)];
    const statements = fc.array(
      fc.record({
        epoch: fc.integer({ min: 1, max: 6 }),
        revoked: fc.subarray([0, 1, 2, 3]),
        since: fc.nat(6),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(statements, (list) => {
        const known = roster();
        let latest = { epoch: 0, since: 0, revoked: [] as number[] };
        for (const each of list) {
          const since = Math.min(each.since, each.epoch);
          known.take(statement(each.epoch, since, ...each.revoked.map((i) => kid(members[i]!))));
          if (each.epoch > latest.epoch) latest = { ...each, since };
        }
        for (const [i, member] of members.entries()) {
          const belongs = !latest.revoked.includes(i) && member.identity.epoch >= latest.since;
          expect(known.admit(member.signed) !== undefined).toBe(belongs);
        }
      }),
      { numRuns: 40 },
    );
  });
});
