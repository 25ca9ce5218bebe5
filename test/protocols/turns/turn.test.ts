import { describe, expect, test } from "vitest";
import { moveLimits } from "../../../firmware/board/contact-rule.ts";
import { trialLimits } from "../../../firmware/update/trial.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { firstTurn, turnFromBytes, turnIn, turnLimits, turnToBytes } from "../../../protocols/turns/turn.ts";
import { turnMessageFromWire, turnMessageToWire } from "../../../protocols/turns/turn-message.ts";

const holder = { board: "north-1", startId: 0xffff_ffff, askedMs: 5.25, purpose: "update" } as const;
/** From a start, or a change of contact, until a board is in step again. */
const startMs = 30_000;

describe("a turn", () => {
  test("reads as it was written", () => {
    for (const turn of [
      { number: 7, holder },
      { number: 8, holder: undefined },
    ]) {
      expect(turnFromBytes(turnToBytes(turn))).toEqual(turn);
    }
    const message = { says: "asks", startId: 0, askedMs: 0, purpose: "move" } as const;
    expect(turnMessageFromWire(turnMessageToWire(message))).toEqual(message);
    expect(() => turnMessageFromWire([1, 3, 0, 0, 0])).toThrow(ShapeError);
  });

  test("is nobody's before the first, and not to be read when a newer program wrote it", () => {
    expect(turnIn(undefined)).toBe(firstTurn);
    expect(turnIn(new Uint8Array([0x83, 0x02, 0x01, 0xf6]))).toBeUndefined();
    expect(turnIn("north-1")).toBeUndefined();
  });

  test("does not lapse before whoever cannot speak is back, by a clock that is 2 % too slow", () => {
    const update = turnLimits.leaveMs + trialLimits.trialMs + 2 * startMs;
    const move = turnLimits.leaveMs + moveLimits.tryMs + moveLimits.joinMs;
    const slowly = turnLimits.leaveMs + moveLimits.catchUpMs + moveLimits.joinMs;
    expect(turnLimits.silentMs).toBeGreaterThan(1.02 * Math.max(update, move));
    expect(turnLimits.heldMs).toBeGreaterThan(1.02 * slowly);
  });
});
