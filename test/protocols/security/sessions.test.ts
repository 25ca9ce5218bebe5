import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { EdhocSession } from "../../../protocols/security/edhoc/session.ts";
import { kidOf } from "../../../protocols/security/identity/credential.ts";
import { issueIdentity } from "../../../protocols/security/identity/identity.ts";
import { recordAad } from "../../../protocols/security/record/context.ts";
import { sealRecord } from "../../../protocols/security/record/record.ts";
import {
  decodeFrame,
  encodeFrame,
  encodeRefresh,
  FrameKind,
  frameBytesMax,
} from "../../../protocols/security/session/frames.ts";
import { SessionInitiator } from "../../../protocols/security/session/initiator.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import { restoreSession, sessionLimits } from "../../../protocols/security/session/secure-session.ts";
import { TestRoot } from "../../members.ts";
import { End, hello, Pair, payloadOf } from "./session-pair.ts";

const kinds = (pair: Pair, first: Uint8Array | undefined) => {
  const seen: number[] = [];
  const steps = pair.carry(first, (frame) => seen.push(frame[0]!));
  return { seen, steps };
};

describe("a session comes up", () => {
  test("by reference, where the host's roster remembers the board", () => {
    const pair = new Pair();
    pair.host.roster.admit(pair.board.options.own.signed);
    const { seen } = kinds(pair, pair.initiator.start());
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(pair.talks()).toBe(true);
    expect(pair.responder.session?.peer.identity.name).toBe("north-1");
    expect(pair.initiator.session?.peer.identity.name).toBe("main");
  });

  test("by value, after the host said that it does not know the reference", () => {
    const pair = new Pair();
    const { seen, steps } = kinds(pair, pair.initiator.start());
    expect(seen).toEqual([1, 2, 3, 0, 1, 2, 3, 4]);
    expect(steps.every(({ failure }) => failure === undefined)).toBe(true);
    expect(pair.talks()).toBe(true);
  });

  test("in the epoch of the roster that the board knows", () => {
    const pair = new Pair();
    for (const epoch of [1, 23, 24, 300, 70_000]) {
      pair.publish(pair.root.revoke(epoch));
      pair.up();
      expect(pair.initiator.session?.epoch).toBe(epoch);
      expect(pair.responder.session?.epoch).toBe(epoch);
      expect(pair.talks()).toBe(true);
    }
  });

  test("with frames that fit the limit, an identity by value in them", () => {
    const pair = new Pair();
    let longest = 0;
    pair.carry(pair.initiator.start(), (frame) => {
      longest = Math.max(longest, frame.length);
    });
    expect(longest).toBeGreaterThan(200);
    expect(longest).toBeLessThan(frameBytesMax);
  });

  test("and nothing is sealed or opened before", () => {
    const pair = new Pair();
    expect(pair.initiator.seal("t", "raft", hello)).toBeUndefined();
    expect(pair.responder.open("t", "raft", hello)).toBeUndefined();
    const message1 = pair.initiator.start();
    expect(pair.initiator.isWaiting).toBe(true);
    const message2 = pair.responder.take(message1).send!;
    expect(pair.responder.isUp).toBe(false);
    pair.initiator.take(message2);
    expect(pair.initiator.isUp).toBe(false);
  });
});

describe("a refresh", () => {
  test("of a live session gives new keys, and payloads go on meanwhile", () => {
    const pair = new Pair().up();
    const frame = pair.initiator.refresh()!;
    const before = pair.responder.seal("t/down", "raft", hello)!;
    const meanwhile = pair.initiator.seal("t/up", "report", hello)!;
    expect(payloadOf(pair.initiator.open("t/down", "raft", before))).toEqual(hello);
    const { seen } = kinds(pair, frame);
    expect(seen).toEqual([5, 6]);
    expect(payloadOf(pair.responder.open("t/up", "report", meanwhile))).toEqual(hello);
    expect(pair.talks()).toBe(true);
    expect(pair.initiator.session?.refreshes).toBe(1);
    expect(pair.initiator.isWaiting).toBe(false);
  });

  test("moves the session to the roster's new epoch", () => {
    const pair = new Pair().up();
    pair.publish(pair.root.revoke(7));
    pair.carry(pair.initiator.refresh());
    expect([pair.initiator.session?.epoch, pair.responder.session?.epoch]).toEqual([7, 7]);
    expect(pair.talks()).toBe(true);
  });

  test("brings it up again on a new connection, in one round", () => {
    const pair = new Pair().up();
    pair.reconnect();
    const { seen } = kinds(pair, pair.initiator.refresh());
    expect(seen).toEqual([5, 6]);
    expect(pair.talks()).toBe(true);
  });

  test("catches up with those that were lost, on the way there or back", () => {
    const pair = new Pair().up();
    pair.initiator.refresh();
    pair.reconnect();
    pair.responder.take(pair.initiator.refresh()!);
    pair.reconnect();
    expect(pair.initiator.session?.nextRefresh).toBe(3);
    pair.carry(pair.initiator.refresh());
    expect(pair.talks()).toBe(true);
  });

  test("never has a number twice, whatever the caller says", () => {
    const pair = new Pair().up();
    expect(pair.initiator.refresh(3)).toBeDefined();
    for (const number of [3, 2, 0, -1, Number.NaN]) expect(pair.initiator.refresh(number)).toBeUndefined();
    pair.reconnect();
    expect(pair.initiator.refresh(3)).toBeUndefined();
    expect(pair.initiator.refresh(sessionLimits.refreshesAheadMax + 1)).toBeUndefined();
  });

  test("is answered with an error where nothing is known of the session, and a handshake follows", () => {
    const pair = new Pair().up();
    pair.reconnect();
    pair.responder = new SessionResponder(pair.host.options);
    const { seen } = kinds(pair, pair.initiator.refresh());
    expect(seen).toEqual([5, 0, 1, 2, 3, 4]);
    expect(pair.talks()).toBe(true);
  });

  test("repeated to another connection that was opened before it gives no keys a second time", () => {
    const pair = new Pair().up();
    const stale = new SessionResponder(pair.host.options, pair.responder.session);
    const frame = pair.initiator.refresh()!;
    pair.carry(frame);
    expect(stale.take(frame).send?.[0]).toBe(FrameKind.error);
    expect(stale.isUp).toBe(false);
    // Nor does a later one, which went from the level between (found by nonces.test.ts).
    const second = pair.initiator.refresh()!;
    pair.carry(second);
    expect(stale.take(second).send?.[0]).toBe(FrameKind.error);
    // The peer itself may go on there.
    const next = pair.initiator.refresh()!;
    expect(stale.take(next).isUp).toBe(true);
  });

  test("is due when a million records went, also where all were the other end's", () => {
    const pair = new Pair().up();
    const session = pair.initiator.session!;
    const { key, refreshes } = session.kept();
    pair.carry(pair.initiator.refresh(refreshes));
    const next = pair.initiator.session!;
    expect(next.isWorn).toBe(false);
    // As the host would, after it sealed so many: 32769 is the label of its keys.
    const bytes = new EdhocSession(nodeCiphers, key).exportKey(32769, encodeCbor(0), 29);
    const context = { epoch: 0, sender: "main", receiver: "north-1", topic: "t/down", type: "raft" };
    const keys = { key: bytes.slice(0, 16), iv: bytes.slice(16) };
    const record = sealRecord(nodeCiphers, keys, sessionLimits.recordsMax - 1, recordAad(context), hello);
    expect(payloadOf(pair.initiator.open("t/down", "raft", record))).toEqual(hello);
    expect(next.isWorn).toBe(true);
  });

  test("changes what is exported for other purposes, which is the same on both sides", () => {
    const pair = new Pair().up();
    const before = pair.initiator.session!.exportKey(32784, 32);
    expect(pair.responder.session!.exportKey(32784, 32)).toEqual(before);
    pair.carry(pair.initiator.refresh());
    expect(pair.initiator.session!.exportKey(32784, 32)).not.toEqual(before);
    expect(() => pair.initiator.session!.exportKey(32768, 16)).toThrow(RangeError);
  });
});

describe("a session that was kept while its board slept", () => {
  test("is refreshed on waking", () => {
    const pair = new Pair().up();
    for (let sleep = 0; sleep < 5; sleep++) {
      wake(pair);
      expect(kinds(pair, pair.initiator.refresh()).seen).toEqual([5, 6]);
      expect(pair.talks()).toBe(true);
    }
  });

  test("tells nothing of what was sealed before: its key is that of a level that was never used", () => {
    const pair = new Pair().up();
    pair.carry(pair.initiator.refresh());
    const record = pair.initiator.seal("t/up", "report", hello)!;
    const kept = pair.initiator.session!.kept();
    expect(kept.refreshes).toBe(2);
    const used = [...Array(70).keys()].map((i) => pair.initiator.session!.kept(i).key);
    expect(new Set(used.map((key) => Buffer.from(key).toString("hex"))).size).toBeGreaterThan(60);
    // Whoever has the flash may go on, as the board could; what went before does not open with anything that follows from it.
    const thief = restoreSession(nodeCiphers, "north-1", kept);
    expect(() => thief.open("t/up", "report", record)).toThrow(RangeError);
    for (let number = 3; number < 60; number++) {
      const level = restoreSession(nodeCiphers, "north-1", kept).refreshed(number, 0)!;
      expect(level.open("t/up", "report", record)).toHaveProperty("fault");
    }
  });

  test("goes on even where the number was made durable and the power went before it was used", () => {
    const pair = new Pair().up();
    const first = wake(pair);
    const durable = first.kept(first.nextRefresh);
    pair.initiator = new SessionInitiator(
      pair.board.options,
      restoreSession(nodeCiphers, "north-1", durable),
    );
    pair.responder = new SessionResponder(pair.host.options, pair.responder.session);
    expect(kinds(pair, pair.initiator.refresh()).seen).toEqual([5, 6]);
    expect(pair.talks()).toBe(true);
  });

  test("can't seal before it is refreshed", () => {
    const pair = new Pair().up();
    const kept = wake(pair);
    expect(() => kept.seal("t", "raft", hello)).toThrow(RangeError);
    expect(pair.initiator.seal("t", "raft", hello)).toBeUndefined();
  });

  test("is left for a handshake where it is too far ahead of what the host knows", () => {
    const pair = new Pair().up();
    const { key, peer } = pair.initiator.session!.kept();
    const far = restoreSession(nodeCiphers, "north-1", { key, peer, refreshes: 200 });
    pair.initiator = new SessionInitiator(pair.board.options, far);
    expect(kinds(pair, pair.initiator.refresh()).seen).toEqual([5, 0, 1, 2, 3, 4]);
    expect(pair.talks()).toBe(true);
  });
});

/** The board sleeps and wakes: nothing but what it kept is left of its session. */
function wake(pair: Pair) {
  const session = restoreSession(nodeCiphers, "north-1", pair.initiator.session!.kept());
  pair.reconnect(session);
  return session;
}

describe("who was revoked", () => {
  const revokeBoard = (pair: Pair, epoch = 1) =>
    pair.root.revoke(epoch, kidOf(nodeCiphers, pair.board.options.own.signed));
  const revokeHost = (pair: Pair, epoch = 1) =>
    pair.root.revoke(epoch, kidOf(nodeCiphers, pair.host.options.own.signed));

  test("gets no session as the board, by reference or by value", () => {
    const pair = new Pair();
    pair.host.roster.admit(pair.board.options.own.signed);
    pair.host.roster.take(revokeBoard(pair));
    const { seen, steps } = kinds(pair, pair.initiator.start());
    expect(seen).toEqual([1, 2, 3, 0, 1, 2, 3, 0]);
    expect(steps.at(-1)?.failure).toMatch(/refused/);
    expect([pair.initiator.isUp, pair.responder.isUp]).toEqual([false, false]);
  });

  test("gets none as the host", () => {
    const pair = new Pair();
    pair.board.roster.take(revokeHost(pair));
    const { steps } = kinds(pair, pair.initiator.start());
    expect(steps.some(({ failure }) => failure !== undefined)).toBe(true);
    expect([pair.initiator.isUp, pair.responder.isUp]).toEqual([false, false]);
  });

  test("between message 2 and message 3, as the board", () => {
    const pair = new Pair();
    pair.host.roster.admit(pair.board.options.own.signed);
    const message2 = pair.responder.take(pair.initiator.start()).send!;
    const message3 = pair.initiator.take(message2).send!;
    pair.host.roster.take(revokeBoard(pair));
    expect(pair.responder.take(message3).isUp).toBeUndefined();
    expect(pair.responder.isUp).toBe(false);
  });

  test("between message 3 and message 4, as the host", () => {
    const pair = new Pair();
    pair.host.roster.admit(pair.board.options.own.signed);
    const message2 = pair.responder.take(pair.initiator.start()).send!;
    const message4 = pair.responder.take(pair.initiator.take(message2).send!).send!;
    pair.board.roster.take(revokeHost(pair));
    expect(pair.initiator.take(message4).failure).toMatch(/belongs no more/);
    expect(pair.initiator.isUp).toBe(false);
  });

  test("can't refresh, as the board; nor can a board refresh with such a host", () => {
    const pair = new Pair().up();
    pair.reconnect();
    pair.host.roster.take(revokeBoard(pair));
    expect(pair.responder.take(pair.initiator.refresh()!).isUp).toBeUndefined();
    expect(pair.responder.isUp).toBe(false);
    const other = new Pair().up();
    other.board.roster.take(revokeHost(other));
    expect(other.initiator.refresh()).toBeUndefined();
  });

  test("during a refresh, as the host, ends the session", () => {
    const pair = new Pair().up();
    const refreshed = pair.responder.take(pair.initiator.refresh()!).send!;
    pair.board.roster.take(revokeHost(pair));
    expect(pair.initiator.take(refreshed).failure).toMatch(/belongs no more/);
    expect(pair.initiator.isUp).toBe(false);
  });

  test("gets no session from the flash", () => {
    const pair = new Pair().up();
    const session = restoreSession(nodeCiphers, "north-1", pair.initiator.session!.kept());
    pair.board.roster.take(revokeHost(pair));
    expect(new SessionInitiator(pair.board.options, session).refresh()).toBeUndefined();
  });
});

describe("who is somebody else", () => {
  test("of this swarm, is not admitted in the place of the one that the connection is for", () => {
    const pair = new Pair();
    const other = pair.root.issue("board", "south-2");
    const end = new End(pair.root, other, nodeCiphers, "main");
    pair.initiator = new SessionInitiator(end.options);
    pair.carry(pair.initiator.start());
    expect([pair.initiator.isUp, pair.responder.isUp]).toEqual([false, false]);
    const second = new Pair();
    const impostor = new End(second.root, second.root.issue("host", "spare"), nodeCiphers, "north-1");
    second.responder = new SessionResponder(impostor.options);
    second.carry(second.initiator.start());
    expect([second.initiator.isUp, second.responder.isUp]).toEqual([false, false]);
  });

  test("of another swarm under the same root, or of another root, is a stranger", () => {
    const pair = new Pair();
    const other = new TestRoot("orchard").issue("board", "north-1");
    const { identity, privateKey } = other;
    const signed = issueIdentity(nodeCiphers, pair.root.keys.privateKey, identity);
    for (const own of [other, { identity, signed, privateKey }]) {
      const end = new End(pair.root, own, nodeCiphers, "main");
      pair.initiator = new SessionInitiator(end.options);
      pair.responder = new SessionResponder(pair.host.options);
      pair.carry(pair.initiator.start());
      expect(pair.responder.isUp).toBe(false);
    }
  });

  test("with the board's identity and not its key gets nothing", () => {
    const pair = new Pair();
    const own = { ...pair.board.options.own, privateKey: nodeCiphers.generateKeyPair().privateKey };
    pair.initiator = new SessionInitiator({ ...pair.board.options, own });
    pair.carry(pair.initiator.start());
    expect([pair.initiator.isUp, pair.responder.isUp]).toEqual([false, false]);
  });
});

describe("whoever is in between", () => {
  test("can't change the epoch of a handshake: it fails, on both sides", () => {
    const pair = new Pair();
    pair.host.roster.admit(pair.board.options.own.signed);
    const message1 = pair.initiator.start();
    // C_I is the last byte: epoch 0.
    expect(message1.at(-1)).toBe(0);
    const changed = message1.slice();
    changed[changed.length - 1] = 1;
    pair.carry(changed);
    expect([pair.initiator.isUp, pair.responder.isUp]).toEqual([false, false]);
  });

  test("can't change epoch or number of a refresh: nothing changes but that a handshake follows", () => {
    const pair = new Pair().up();
    const frame = decodeFrame(pair.initiator.refresh()!)!;
    for (const [number, epoch] of [
      [frame.number, 1],
      [frame.number + 1, frame.epoch],
    ] as const) {
      const step = pair.responder.take(encodeRefresh(number, epoch, frame.body));
      expect(step.isUp).toBeUndefined();
      expect(step.send?.[0]).toBe(FrameKind.error);
      expect(pair.responder.session?.refreshes).toBe(0);
    }
    pair.carry(pair.initiator.start());
    expect(pair.talks()).toBe(true);
  });

  test("ends no live session with any frame: garbage, errors, replays, another's frames", () => {
    const seen: { frame: Uint8Array; toHost: boolean }[] = [];
    const pair = new Pair();
    const see = (frame: Uint8Array, toHost: boolean) => seen.push({ frame, toHost });
    pair.carry(pair.initiator.start(), see);
    pair.carry(pair.initiator.refresh(), see);
    new Pair().carry(new Pair().initiator.start(), see);
    new Pair().up().carry(new Pair().up().initiator.refresh(), see);
    const junk = [0, 1, 2, 3, 4, 5, 6, 7, 255].map((kind) => encodeFrame(kind, encodeCbor([kind])));
    for (const frame of [...junk, new Uint8Array(0), new Uint8Array(2000), ...seen.map((one) => one.frame)]) {
      for (const end of [pair.responder, pair.initiator]) {
        expect(end.take(frame).failure).toBeUndefined();
        expect(pair.talks()).toBe(true);
      }
    }
  });

  test("costs a live session no more than a handshake with an error during its refresh", () => {
    const pair = new Pair().up();
    const refresh = pair.initiator.refresh()!;
    pair.responder.take(refresh);
    const step = pair.initiator.take(encodeFrame(FrameKind.error, new Uint8Array(0)));
    pair.carry(step.send);
    expect(pair.talks()).toBe(true);
  });

  test("can bring a connection of its own up with a refresh that it withheld, and say or read nothing on it", () => {
    const pair = new Pair().up();
    const withheld = pair.initiator.refresh()!;
    const itsOwn = new SessionResponder(pair.host.options, pair.responder.session);
    expect(itsOwn.take(withheld).isUp).toBe(true);
    // It has the frames that go by, and no key.
    const said = itsOwn.seal("t/down", "raft", hello)!;
    expect(Buffer.from(said).includes(Buffer.from(hello))).toBe(false);
    for (const record of [said, withheld.slice(3)]) {
      expect(itsOwn.open("t/up", "report", record)).toHaveProperty("fault");
    }
    // The board comes back, and goes on.
    pair.reconnect();
    pair.responder = new SessionResponder(pair.host.options, itsOwn.session);
    pair.carry(pair.initiator.refresh());
    expect(pair.talks()).toBe(true);
  });

  test("makes the end that answers hold one half-open handshake, however many it begins", () => {
    const pair = new Pair().up();
    const strangers = Array.from({ length: 20 }, () => new Pair().initiator.start());
    for (const message1 of strangers)
      expect(pair.responder.take(message1).send?.[0]).toBe(FrameKind.message2);
    expect(pair.talks()).toBe(true);
    pair.carry(pair.initiator.start());
    expect(pair.talks()).toBe(true);
  });

  test("can't splice frames of two sessions into a third", () => {
    const pair = new Pair();
    pair.host.roster.admit(pair.board.options.own.signed);
    const other = new SessionResponder(pair.host.options);
    const message1 = pair.initiator.start();
    const message2 = pair.responder.take(message1).send!;
    other.take(message1);
    const message3 = pair.initiator.take(message2).send!;
    expect(other.take(message3).failure).toBeDefined();
    const message4 = pair.responder.take(message3).send!;
    const again = new Pair();
    again.initiator.start();
    expect(again.initiator.take(message4).failure).toBeDefined();
    expect(pair.initiator.take(message4).isUp).toBe(true);
  });

  test("can't bring records of one session, or of the level before, into another", () => {
    const pair = new Pair().up();
    const record = pair.initiator.seal("t/up", "report", hello)!;
    pair.carry(pair.initiator.refresh());
    // Its number is used on this level by the refresh itself.
    expect(pair.responder.open("t/up", "report", record)).toEqual({ fault: "replayed" });
    const later = pair.initiator.seal("t/up", "report", hello)!;
    pair.up();
    for (const old of [record, later]) {
      expect(pair.responder.open("t/up", "report", old)).toEqual({ fault: "forged" });
    }
  });
});

/**
 * Somebody who sees all frames and decides what arrives where, how often and in what order: the invariants that must hold whatever it does. Whoever is up has
 * the name of the right peer, and what it opens the other end of that very session has sealed. And when it stops, a handshake brings everything back.
 */
test("a hostile wire gets nothing but delay", () => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant("deliver" as const), at: fc.nat(40) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant("spoil" as const),
        at: fc.nat(40),
        byte: fc.nat(400),
        mask: fc.integer({ min: 1, max: 255 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constantFrom("start", "refresh", "reconnect", "sleep", "talk", "epoch"),
      }),
    },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const pair = new Pair();
      const frames: Uint8Array[] = [];
      const records: { record: Uint8Array; payload: Uint8Array }[] = [];
      let said = 0;
      let epoch = 0;
      const send = (frame: Uint8Array | undefined) => void (frame !== undefined && frames.push(frame));
      const deliver = (frame: Uint8Array) => {
        for (const end of [pair.initiator, pair.responder]) send(end.take(frame).send);
      };
      for (const each of actions) {
        switch (each.what) {
          case "deliver":
            if (frames.length > 0) deliver(frames[frames.length - 1 - (each.at % frames.length)]!);
            break;
          case "spoil": {
            if (frames.length === 0) break;
            const frame = frames[frames.length - 1 - (each.at % frames.length)]!.slice();
            frame[each.byte % frame.length]! ^= each.mask;
            deliver(frame);
            break;
          }
          case "start":
            send(pair.initiator.start());
            break;
          case "refresh":
            send(pair.initiator.refresh());
            break;
          case "reconnect":
            pair.reconnect();
            break;
          case "sleep":
            if (pair.initiator.session !== undefined && pair.initiator.isUp) wake(pair);
            break;
          case "epoch":
            pair.publish(pair.root.revoke(++epoch));
            break;
          case "talk": {
            const payload = new TextEncoder().encode(`payload ${said++}`);
            const record = pair.initiator.seal("t/up", "report", payload);
            if (record !== undefined) records.push({ record, payload });
            break;
          }
        }
        for (const end of [pair.initiator, pair.responder]) {
          if (!end.isUp) continue;
          expect(end.session?.peer.identity.name).toBe(end === pair.initiator ? "main" : "north-1");
        }
        for (const { record, payload } of records) {
          const opened = payloadOf(pair.responder.open("t/up", "report", record));
          if (opened !== undefined) expect(opened).toEqual(payload);
        }
      }
      pair.reconnect();
      pair.up();
      expect(pair.talks()).toBe(true);
    }),
    { numRuns: 150 },
  );
}, 120_000);
