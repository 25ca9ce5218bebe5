import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionClock } from "../../../protocols/time/session-clock.ts";
import {
  decodeSntpAnswer,
  encodeSntpRequest,
  SntpError,
  sntpPacketBytes,
} from "../../../protocols/time/sntp.ts";

const cookie = Uint8Array.of(1, 2, 3, 4, 250, 251, 252, 253);

/** A server, written apart from the client: whole timestamps as one big integer. */
function answerTo(request: Uint8Array, receivedMs: number, sentMs: number): Uint8Array {
  const packet = new Uint8Array(sntpPacketBytes);
  const view = new DataView(packet.buffer);
  const stamp = (ms: number) => BigInt.asUintN(64, ((BigInt(ms) + 2_208_988_800_000n) << 32n) / 1000n + 1n);
  packet[0] = (4 << 3) | 4;
  packet[1] = 2;
  view.setUint32(4, 655);
  view.setUint32(8, 1311);
  packet.set(request.subarray(40), 24);
  view.setBigUint64(32, stamp(receivedMs));
  view.setBigUint64(40, stamp(sentMs));
  return packet;
}

test("a request is a client's, of version 4, and says nothing but its cookie", () => {
  const request = encodeSntpRequest(cookie);
  expect(request).toHaveLength(48);
  expect(request[0]).toBe(0x23);
  expect(request.subarray(1, 40).every((byte) => byte === 0)).toBe(true);
  expect(request.subarray(40)).toEqual(cookie);
  expect(() => encodeSntpRequest(cookie.subarray(1))).toThrow(RangeError);
});

test("an answer gives the server's times, before and after 2036", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2100, 0, 1) }),
      fc.nat(100),
      (receivedMs, heldMs) => {
        const answer = decodeSntpAnswer(
          answerTo(encodeSntpRequest(cookie), receivedMs, receivedMs + heldMs),
          cookie,
        );
        expect(answer).toMatchObject({ receivedMs, sentMs: receivedMs + heldMs });
        expect(answer.boundMs).toBeCloseTo(25, 0);
      },
    ),
  );
});

test("a packet written out by RFC 5905, figure 8: 12:00:00.250 and .251 on 2026-11-22", () => {
  const hex =
    "240203e8 00000321 0000045b c0a80101 eead5780 00000000 01020304 fafbfcfd eead57c0 40000000 eead57c0 40418938";
  const bytes = Uint8Array.from(hex.replaceAll(" ", "").match(/../g)!, (byte) => Number.parseInt(byte, 16));
  const { receivedMs, sentMs } = decodeSntpAnswer(bytes, cookie);
  expect(new Date(receivedMs).toISOString()).toBe("2026-11-22T12:00:00.250Z");
  expect(new Date(sentMs).toISOString()).toBe("2026-11-22T12:00:00.251Z");
});

describe("refused", () => {
  const good = answerTo(encodeSntpRequest(cookie), 1_800_000_000_000, 1_800_000_000_001);
  const changed = (at: number, ...bytes: number[]) => {
    const packet = good.slice();
    packet.set(bytes, at);
    return packet;
  };

  test.each<[string, Uint8Array, string]>([
    ["a short packet", good.subarray(1), "length"],
    ["a client's", changed(0, 0x23), "mode"],
    ["a broadcast", changed(0, 0x25), "mode"],
    ["version 2", changed(0, 0x14), "version"],
    ["another's cookie", changed(31, 0), "cookie"],
    ["stratum 16", changed(1, 16), "stratum"],
    ["a clock that was never set", changed(0, 0xe4), "unsynchronized"],
    ["a root delay of two seconds", changed(4, 0, 2, 0, 1), "root"],
    ["a dispersion of a second", changed(8, 0, 1, 0, 0), "root"],
    ["no time of receipt", changed(32, 0, 0, 0, 0, 0, 0, 0, 0), "times"],
    ["no time of sending", changed(40, 0, 0, 0, 0, 0, 0, 0, 0), "times"],
    ["an answer before its question", changed(32, 0xff), "times"],
  ])("%s", (_, packet, refusal) => {
    try {
      decodeSntpAnswer(packet, cookie);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SntpError);
      expect((error as SntpError).refusal).toBe(refusal);
    }
  });

  test("a kiss of death, with what it says", () => {
    const packet = changed(1, 0);
    packet.set(new TextEncoder().encode("RATE"), 12);
    expect(() => decodeSntpAnswer(packet, cookie)).toThrow("The server said RATE.");
  });

  test("any bytes whatever, with an SntpError or as an answer in order", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 60 }), fc.boolean(), (bytes, isPlausible) => {
        if (isPlausible && bytes.length >= 48) {
          bytes[0] = 0x24;
          bytes[1] = 1;
          bytes.set(cookie, 24);
        }
        try {
          const { receivedMs, sentMs } = decodeSntpAnswer(bytes, cookie);
          expect(sentMs).toBeGreaterThanOrEqual(receivedMs);
        } catch (error) {
          expect(error).toBeInstanceOf(SntpError);
        }
      }),
    );
  });
});

test("a board's clock set by it is right within its bound, a slow server's time included", () => {
  fc.assert(
    fc.property(
      fc.nat(2_000),
      fc.nat(500),
      fc.nat(2_000),
      fc.double({ min: -1, max: 1, noNaN: true }),
      (upMs, heldMs, downMs, error) => {
        const trueMs = 1_800_000_000_000;
        const clock = new SessionClock();
        const received = trueMs + upMs;
        const request = encodeSntpRequest(cookie);
        const errorMs = Math.round(error * 25);
        const answer = decodeSntpAnswer(
          answerTo(request, received + errorMs, received + errorMs + heldMs),
          cookie,
        );
        const nowMs = upMs + heldMs + downMs;
        clock.take(0, answer.receivedMs, answer.sentMs, answer.boundMs, nowMs);
        expect(Math.abs(clock.wallMs(nowMs) - (trueMs + nowMs))).toBeLessThanOrEqual(clock.boundMs(nowMs));
        expect(clock.boundMs(nowMs)).toBeLessThanOrEqual((upMs + downMs) / 2 + 32);
      },
    ),
  );
});
