import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientLimits } from "../../../protocols/improv/client.ts";
import { type Gift, giftFromBytes, giftLimits, giftToBytes } from "../../../protocols/improv/gift.ts";
import { Command, ErrorState, type SeenNetwork, State } from "../../../protocols/improv/rpc.ts";
import { serviceLimits } from "../../../protocols/improv/service.ts";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import { type Fault, TwoEnds } from "./two-ends.ts";

const home: WifiCredentials = { ssid: "MyWirelessAP", password: "mysecurepassword" };
const log = Buffer.from("info: life state=linking IMPROV\n");
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** A board in whose air there is one network. */
function ends(options: { readonly joinMs?: number; readonly toBoard?: Fault; readonly toHost?: Fault } = {}) {
  const tried: WifiCredentials[] = [];
  const { joinMs = 3000, ...faults } = options;
  const both: TwoEnds = new TwoEnds({
    board: {
      useWifi: (wifi) => {
        tried.push(wifi);
        const isRight = wifi.ssid === home.ssid && wifi.password === home.password;
        both.at(joinMs, () => both.service.onWifi(isRight, both.nowMs));
        return true;
      },
      canScan: true,
      scan: () => both.at(2000, () => both.service.onNetworks(air)),
    },
    log,
    ...faults,
  });
  return { both, tried };
}

const air: readonly SeenNetwork[] = [
  { ssid: "MyWirelessAP", rssi: -48, security: "WPA2" },
  { ssid: "Café", rssi: -81, security: "NO" },
];

describe("a board on a cable", () => {
  test("is given a Wi-Fi and says when it is in it", () => {
    const { both, tried } = ends();
    expect(both.ask({ kind: "wifi", wifi: home })).toEqual({ kind: "done", results: [] });
    expect(tried).toEqual([home]);
    expect(both.states).toEqual([State.provisioning, State.provisioned]);
  });

  test("says that wrong credentials do not work, and takes right ones then", () => {
    const { both } = ends();
    const wrong = { ...home, password: "notthepassword" };
    expect(both.ask({ kind: "wifi", wifi: wrong })).toEqual({
      kind: "refused",
      error: ErrorState.unableToConnect,
    });
    expect(both.service.state).toBe(State.authorized);
    expect(both.ask({ kind: "wifi", wifi: home }).kind).toBe("done");
  });

  test("gives an attempt up that gets no answer, and says so", () => {
    const { both } = ends({ joinMs: 10 * serviceLimits.attemptMs });
    expect(both.ask({ kind: "wifi", wifi: home })).toEqual({
      kind: "refused",
      error: ErrorState.unableToConnect,
    });
    expect(both.nowMs).toBeGreaterThanOrEqual(serviceLimits.attemptMs);
    expect(both.nowMs).toBeLessThan(serviceLimits.attemptMs + 3000);
  });

  test("tells what it is, what it sees and whether it is online", () => {
    const { both } = ends();
    const ask = (command: number) => both.ask({ kind: "ask", command });
    expect(ask(Command.deviceInfo)).toEqual({
      kind: "done",
      results: [["Covey", "0.1.0", "esp32c3", "north-1"]],
    });
    expect(ask(Command.deviceName)).toEqual({ kind: "done", results: [["north-1"]] });
    expect(ask(Command.hostname)).toEqual({ kind: "done", results: [["north-1"]] });
    expect(ask(Command.networkState)).toEqual({ kind: "done", results: [["2"]] });
    const seen = [
      ["MyWirelessAP", "-48", "YES"],
      ["Café", "-81", "NO"],
    ];
    expect(ask(Command.scan)).toEqual({ kind: "done", results: seen });
    expect(ask(0x55)).toEqual({ kind: "refused", error: ErrorState.unknownCommand });
  });

  test("keeps its log on the same line, whole", () => {
    const { both } = ends();
    both.ask({ kind: "ask", command: Command.deviceInfo });
    const text = Buffer.from(both.heard).toString();
    expect(text.length).toBeGreaterThan(0);
    expect(text).toBe(log.toString().repeat(text.length / log.length));
  });

  test("that says nothing is found out", () => {
    const { both } = ends({ toBoard: () => [] });
    expect(both.ask({ kind: "wifi", wifi: home })).toEqual({ kind: "silent", wasHeard: false });
    expect(both.nowMs).toBeLessThanOrEqual(clientLimits.sendsMax * clientLimits.resendMs + 1000);
  });

  test("that falls silent in an attempt is found out", () => {
    let isCut = false;
    const { both } = ends({ toHost: (byte) => (isCut ? [] : [byte]) });
    both.at(1000, () => {
      isCut = true;
    });
    expect(both.ask({ kind: "wifi", wifi: home })).toEqual({ kind: "silent", wasHeard: true });
  });
});

describe("on a line that loses, doubles and turns bytes", () => {
  /** One in `every` bytes. */
  const faults = fc.record({
    seed: fc.integer({ min: 1, max: 0x7fffffff }),
    every: fc.integer({ min: 120, max: 2000 }),
  });

  function faultOf({ seed, every }: { seed: number; every: number }): Fault {
    let state = seed;
    return (byte) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      if ((state >> 8) % every !== 0) return [byte];
      return [[], [byte, byte], [byte ^ (1 << (state & 7))]][(state >> 4) % 3]!;
    };
  }

  test("a board is in the Wi-Fi when its computer says so, and nearly always gets there", () => {
    let done = 0;
    let runs = 0;
    fc.assert(
      fc.property(faults, faults, (toBoard, toHost) => {
        const { both, tried } = ends({ toBoard: faultOf(toBoard), toHost: faultOf(toHost) });
        const outcome = both.ask({ kind: "wifi", wifi: home });
        runs++;
        if (outcome.kind !== "done") return;
        done++;
        expect(both.service.state).toBe(State.provisioned);
        expect(tried.at(-1)).toEqual(home);
      }),
      { numRuns: 300 },
    );
    expect(done / runs).toBeGreaterThan(0.9);
  });

  test("a gift arrives as it was sent, or not at all", () => {
    const gift = giftToBytes(sampleGift(1100), sha256);
    let done = 0;
    let runs = 0;
    fc.assert(
      fc.property(faults, faults, (toBoard, toHost) => {
        const kept: Gift[] = [];
        const both = new TwoEnds({
          board: {
            canTakeGift: true,
            take: (bytes) => {
              const read = giftFromBytes(bytes, sha256);
              if (read === undefined) return undefined;
              kept.push(read);
              return "north-1";
            },
          },
          toBoard: faultOf(toBoard),
          toHost: faultOf(toHost),
          log,
        });
        const outcome = both.ask({ kind: "give", gift });
        runs++;
        for (const read of kept) expect(giftToBytes(read, sha256)).toEqual(gift);
        if (outcome.kind !== "done") return;
        done++;
        expect(kept).toHaveLength(1);
        expect(outcome.results).toEqual([["north-1"]]);
      }),
      { numRuns: 200 },
    );
    expect(done / runs).toBeGreaterThan(0.8);
  });
});

describe("a gift", () => {
  test("needs no more than a line's 128 bytes at once", () => {
    const longest = 9 + 2 + 4 + giftLimits.pieceBytesMax + 2;
    expect(longest).toBeLessThanOrEqual(128);
  });

  test("is refused by a board that has an identity, and by one for which it is not", () => {
    const gift = giftToBytes(sampleGift(0), sha256);
    expect(new TwoEnds({}).ask({ kind: "give", gift })).toEqual({
      kind: "refused",
      error: ErrorState.notAuthorized,
    });
    expect(new TwoEnds({ board: { canTakeGift: true } }).ask({ kind: "give", gift })).toEqual({
      kind: "refused",
      error: ErrorState.unknown,
    });
  });

  test("that was changed anywhere is none", () => {
    const gift = giftToBytes(sampleGift(0), sha256);
    for (let at = 0; at < gift.length; at += 3) {
      const changed = gift.slice();
      changed[at]! ^= 0x20;
      expect(giftFromBytes(changed, sha256)).toBeUndefined();
    }
    expect(giftFromBytes(gift.slice(1), sha256)).toBeUndefined();
  });
});

function sampleGift(authorityBytes: number): Gift {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i & 0xff);
  return {
    root: bytes(64),
    signed: bytes(240),
    privateKey: bytes(32),
    authority: authorityBytes === 0 ? undefined : bytes(authorityBytes > 1024 ? 1024 : authorityBytes),
    contactKey: bytes(16),
    contact: {
      number: 0,
      wifi: home,
      hosts: [{ name: "main", address: "192.0.2.7", port: 7883 }],
      timeServer: undefined,
    },
  };
}
