/** The leader's side, rule by rule; both sides together under faults are in `test/simulation/turns`. */
import { describe, expect, test } from "vitest";
import { firstTurn, type Turn, turnLimits } from "../../../protocols/turns/turn.ts";
import { maySpare, TurnDesk } from "../../../protocols/turns/turn-desk.ts";
import type { TurnSaying } from "../../../protocols/turns/turn-message.ts";

class Desk {
  desk = new TurnDesk(0);
  turn: Turn = firstTurn;
  nowMs = 1_000;
  spared: readonly string[] = ["a", "b", "c"];

  says(board: string, says: TurnSaying, askedMs: number, startId = 1): this {
    this.desk.hear(board, { says, startId, askedMs, purpose: "update" }, this.turn, this.nowMs);
    return this.look();
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this.look();
  }

  look(): this {
    this.turn = this.desk.next(this.turn, (board) => this.spared.includes(board), this.nowMs) ?? this.turn;
    return this;
  }

  get holder(): string | undefined {
    return this.turn.holder?.board;
  }
}

describe("the turn to be away", () => {
  test("is of whoever asks first, then of whoever has waited longest", () => {
    const it = new Desk().says("b", "asks", 10).says("c", "asks", 10).says("a", "asks", 10);
    expect([it.turn.number, it.holder]).toEqual([1, "b"]);
    it.after(10_000).says("c", "asks", 20).says("a", "asks", 20);
    it.says("b", "back", 30);
    expect(it.holder).toBe("c");
    it.says("c", "back", 30);
    expect(it.holder).toBe("a");
    it.says("a", "back", 30);
    expect(it.turn).toEqual({ number: 4, holder: undefined });
  });

  test("is not of a board that asks no more", () => {
    const it = new Desk().says("a", "asks", 10).says("b", "asks", 10);
    it.after(turnLimits.leaveMs + 1).says("a", "back", 40_000);
    expect(it.holder).toBeUndefined();
  });

  test("waits until the board can be spared, and goes to one that can be", () => {
    const it = new Desk();
    it.spared = [];
    it.says("a", "asks", 10).says("b", "asks", 10);
    expect(it.turn).toBe(firstTurn);
    it.spared = ["b"];
    expect(it.look().holder).toBe("b");
  });

  test("passes on when its holder asks anew: it is here, and will not leave by what it was given", () => {
    const it = new Desk().says("a", "asks", 10).says("b", "asks", 10);
    it.says("a", "asks", 20);
    expect(it.holder).toBe("b");
    // In another run too.
    it.says("b", "asks", 5, 2);
    expect(it.holder).toBe("a");
  });

  test("stays where it is, whatever its holder said before it was given it", () => {
    const it = new Desk().says("a", "asks", 10).says("b", "asks", 10);
    it.says("a", "asks", 10).says("a", "back", 9).says("a", "away", 20);
    expect(it.holder).toBe("a");
  });

  test("lapses when nothing is heard of its holder, and later when it is", () => {
    const it = new Desk().says("a", "asks", 10).look();
    it.after(turnLimits.silentMs - 1);
    expect(it.holder).toBe("a");
    it.says("a", "away", 400_000).after(turnLimits.silentMs - 1);
    it.says("a", "away", 800_000).after(turnLimits.heldMs - 2 * turnLimits.silentMs + 1);
    expect(it.holder).toBe("a");
    it.after(1);
    expect(it.holder).toBeUndefined();
  });

  test("that another leader gave is counted from when this one began to lead", () => {
    const it = new Desk().says("a", "asks", 10);
    it.nowMs = 10_000_000;
    it.desk = new TurnDesk(it.nowMs);
    it.says("b", "asks", 10).after(turnLimits.silentMs - 1);
    expect(it.holder).toBe("a");
    it.says("b", "asks", 20).after(1);
    expect(it.holder).toBe("b");
  });
});

describe("a board can be spared", () => {
  const spared = (voters: string, away: string, silent = "", outgoing = "") =>
    maySpare(
      { voters: voters.split(""), outgoing: outgoing.split("").filter(Boolean) },
      (id) => id === away,
      (id) => id !== away && !silent.includes(id),
    );

  test.each([
    ["of three, when both others answer", spared("abc", "c"), true],
    ["of three, not when one is silent", spared("abc", "c", "a"), false],
    ["of five, when one other is silent", spared("abcde", "c", "a"), true],
    ["of five, not when two are", spared("abcde", "c", "ae"), false],
    ["of four, when all others answer", spared("abcd", "c"), true],
    ["of two, from whom nobody can be missing, when the other answers", spared("ab", "b"), true],
    ["of two, not when it does not", spared("ab", "b", "a"), false],
    [
      "while voters change, not when the others of either half are too few",
      spared("abc", "c", "e", "cde"),
      false,
    ],
    ["that does not vote", spared("abc", "x", "a"), true],
  ])("%s", (_, is, ought) => expect(is).toBe(ought));
});
