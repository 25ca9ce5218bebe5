import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import {
  GroupReceiver,
  GroupSender,
  senderKeysMax,
} from "../../../protocols/security/group/group-records.ts";
import {
  makeSenderKey,
  type SenderKey,
  senderKeyFromWire,
  senderKeyToWire,
} from "../../../protocols/security/group/sender-key.ts";
import { sealGroupRecord } from "../../../protocols/security/record/record.ts";

const topic = "covey/greenhouse/all/raft";
const payload = new TextEncoder().encode("an entry");
const keyOf = (host: string, epoch = 0) => makeSenderKey(nodeCiphers, host, epoch);
const senderOf = (key: SenderKey) => new GroupSender(nodeCiphers, key, topic);
const receiverOf = (...keys: SenderKey[]) => {
  const receiver = new GroupReceiver(nodeCiphers, topic);
  for (const key of keys) receiver.hold(senderKeyFromWire(senderKeyToWire(key)));
  return receiver;
};

describe("a publication", () => {
  test("is sealed once and opens for every member that holds its sender's key", () => {
    const key = keyOf("main");
    const sender = senderOf(key);
    const members = [receiverOf(key), receiverOf(key)];
    for (let i = 0; i < 3; i++) {
      const record = sender.seal(payload);
      for (const member of members) expect(member.open(record)).toEqual({ payload, host: "main" });
    }
    expect(sender.sealed).toBe(3);
    expect(sender.isWorn).toBe(false);
  });

  test("opens once, and for nobody without the key", () => {
    const key = keyOf("main");
    const record = senderOf(key).seal(payload);
    const member = receiverOf(key);
    member.open(record);
    expect(member.open(record)).toEqual({ fault: "replayed" });
    expect(receiverOf(keyOf("main")).open(record)).toEqual({ fault: "unknown-key" });
    expect(receiverOf(key).open(record.slice(1))).toEqual({ fault: "malformed" });
  });

  test("does not open on another topic, or with any byte changed", () => {
    const key = keyOf("main");
    const record = senderOf(key).seal(payload);
    const elsewhere = new GroupReceiver(nodeCiphers, "covey/orchard/all/raft");
    elsewhere.hold(key);
    expect(elsewhere.open(record)).toEqual({ fault: "forged" });
    const member = receiverOf(key);
    for (let at = 0; at < record.length; at++) {
      const changed = record.slice();
      changed[at]! ^= 1;
      expect(member.open(changed)).toHaveProperty("fault");
    }
    expect(member.open(record)).toHaveProperty("payload");
  });

  test("forged by a member that holds the key opens: it keeps secrets and proves nothing, which is the hash chain's part", () => {
    const key = keyOf("main");
    const forger = senderOf(key);
    expect(receiverOf(key).open(forger.seal(payload))).toEqual({ payload, host: "main" });
  });

  test("of one host's key does not pass for another host's", () => {
    const [first, second] = [keyOf("main"), keyOf("spare")];
    const member = receiverOf(first, second);
    // Whoever holds both keys and mixes them up on purpose.
    const mixed = senderOf({ ...first, id: second.id });
    expect(member.open(mixed.seal(payload))).toEqual({ fault: "forged" });
    const renamed = senderOf({ ...first, host: "spare" });
    expect(member.open(renamed.seal(payload))).toEqual({ fault: "forged" });
  });

  test("number cannot wrap", () => {
    const key = keyOf("main");
    expect(() => sealGroupRecord(nodeCiphers, key, 2 ** 32, payload, payload)).toThrow(RangeError);
  });
});

describe("a sender key", () => {
  test("of a new epoch replaces the host's former one, which opens nothing any more", () => {
    const [before, after] = [keyOf("main", 1), keyOf("main", 2)];
    const member = receiverOf(before);
    const old = senderOf(before).seal(payload);
    member.hold(after);
    expect(member.open(old)).toEqual({ fault: "unknown-key" });
    expect(member.open(senderOf(after).seal(payload))).toHaveProperty("payload");
  });

  test("of an earlier epoch does not come back: who was revoked since may have it", () => {
    const [before, after] = [keyOf("main", 1), keyOf("main", 2)];
    const member = receiverOf(after);
    member.hold(before);
    expect(member.open(senderOf(before).seal(payload))).toEqual({ fault: "unknown-key" });
    expect(member.open(senderOf(after).seal(payload))).toHaveProperty("payload");
  });

  test("handed over again does not make old publications new", () => {
    const key = keyOf("main");
    const member = receiverOf(key);
    const record = senderOf(key).seal(payload);
    member.open(record);
    member.hold(senderKeyFromWire(senderKeyToWire(key)));
    expect(member.open(record)).toEqual({ fault: "replayed" });
  });

  test("is one of few that are held: the latest", () => {
    const keys = Array.from({ length: senderKeysMax + 1 }, (_, i) => keyOf(`host-${i}`));
    const member = receiverOf(...keys);
    const opens = keys.map((key) => "payload" in member.open(senderOf(key).seal(payload)));
    expect(opens).toEqual([false, true, true, true]);
  });

  test("is made anew each time, and read only as it must be", () => {
    const [one, other] = [keyOf("main"), keyOf("main")];
    expect(one.keys.key).not.toEqual(other.keys.key);
    expect(one.id).not.toEqual(other.id);
    const wire = senderKeyToWire(one) as readonly unknown[];
    for (let at = 0; at < wire.length; at++) {
      const bad = wire.map((item, i) => (i === at ? null : item));
      expect(() => senderKeyFromWire(bad as never)).toThrow(ShapeError);
    }
  });
});
