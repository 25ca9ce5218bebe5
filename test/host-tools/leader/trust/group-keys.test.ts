import { expect, test } from "vitest";
import { decodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { ProtocolRefused } from "../../../../host-tools/leader/broker/broker-refusals.ts";
import type { HostFrame } from "../../../../host-tools/leader/hosts/host-frames.ts";
import { GroupKeys } from "../../../../host-tools/leader/trust/group-keys.ts";
import { Membership } from "../../../../host-tools/leader/trust/membership.ts";
import { ShapeError } from "../../../../protocols/cbor/shape.ts";
import { senderKeyFromWire } from "../../../../protocols/security/group/sender-key.ts";
import { TestRoot } from "../../../members.ts";
import { memberOf, rootOf } from "../test-swarm.ts";

function keysOf(host: string) {
  const membership = new Membership(memberOf("greenhouse", "host", host), { swarm: "greenhouse", host });
  const told: HostFrame[] = [];
  const boards: string[] = [];
  const keys = new GroupKeys(membership, {
    tellBoards: (payload) => boards.push(describe(payload)),
    tellHosts: (frame) => told.push(frame),
  });
  membership.onEpoch(() => keys.renew());
  return { membership, keys, told, boards };
}

function describe(payload: Uint8Array): string {
  const { host, epoch } = senderKeyFromWire(decodeCbor(payload));
  return `${host} ${epoch}`;
}

test("a host hands on the keys of the others, and none of an epoch that is over", () => {
  const [a, b] = [keysOf("a"), keysOf("b")];
  a.keys.take("b", b.keys.frame.key);
  expect(a.boards).toEqual(["b 0"]);
  expect(a.keys.payloads.map(describe)).toEqual(["a 0", "b 0"]);

  expect(a.membership.take(rootOf("greenhouse").revoke(1))).toBe("taken");
  expect(a.boards).toEqual(["b 0", "a 1"]);
  expect(a.told.map(({ kind }) => kind)).toEqual(["sender-key"]);
  expect(a.keys.payloads.map(describe)).toEqual(["a 1"]);

  b.membership.take(rootOf("greenhouse").revoke(1));
  a.keys.take("b", b.keys.frame.key);
  expect(a.keys.payloads.map(describe)).toEqual(["a 1", "b 1"]);
});

test("a key of a later epoch waits until this host knows who was revoked, and one of an earlier epoch is let pass by", () => {
  const [a, b] = [keysOf("a"), keysOf("b")];
  const former = b.keys.frame.key;
  b.membership.take(rootOf("greenhouse").revoke(1));
  // Whoever was revoked is connected to a still.
  a.keys.take("b", b.keys.frame.key);
  expect(a.boards).toEqual([]);
  expect(a.keys.payloads.map(describe)).toEqual(["a 0"]);

  a.membership.take(rootOf("greenhouse").revoke(1));
  expect(a.boards).toEqual(["a 1", "b 1"]);
  expect(a.keys.payloads.map(describe)).toEqual(["a 1", "b 1"]);

  // Of a host that has not heard yet, or that says again what it said before: no reason to end the connection over which it is to hear.
  a.keys.take("b", former);
  expect(a.boards).toEqual(["a 1", "b 1"]);
  expect(a.keys.payloads.map(describe)).toEqual(["a 1", "b 1"]);
});

test("a host gives a key for itself alone", () => {
  const [a, b] = [keysOf("a"), keysOf("b")];
  expect(() => a.keys.take("c", b.keys.frame.key)).toThrow(ProtocolRefused);
  expect(() => a.keys.take("a", a.keys.frame.key)).toThrow(ProtocolRefused);
  expect(() => a.keys.take("b", [1, "b", 0])).toThrow(ShapeError);
  expect(a.boards).toEqual([]);
});

test("a statement counts once, and only the root's, and only a newer one", () => {
  const { membership } = keysOf("a");
  const root = rootOf("greenhouse");
  const [first, second] = [root.revoke(1), root.revoke(2)];
  expect(membership.take(undefined)).toBe("known");
  expect(membership.isBehind(undefined)).toBe(false);
  expect(membership.take("text")).toBe("refused");
  expect(membership.take(second)).toBe("taken");
  expect(membership.take(second.slice())).toBe("known");
  expect(membership.take(first)).toBe("known");
  expect([undefined, "text", first, second.slice()].map((value) => membership.isBehind(value))).toEqual([
    ...[true, true, true, false],
  ]);
  expect(membership.roster.epoch).toBe(2);
  expect(membership.take(Object.assign(new TestRoot("orchard"), { keys: root.keys }).revoke(3))).toBe(
    "refused",
  );
  const forged = root.revoke(3);
  forged[20]! ^= 1;
  expect(membership.take(forged)).toBe("refused");
  expect(membership.roster.epoch).toBe(2);
});
