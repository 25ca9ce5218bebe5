/** No two voters are away, or on trial, at once, whatever their clocks say within what they know of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeOf, turnLimits, untilTurnMs } from "../../../firmware/update/restart-turn.ts";
import { trialLimits } from "../../../firmware/update/trial.ts";
import { ChipModel, imageOf } from "./chip-model.ts";
import { hostWith, publish, Updating } from "./updating.ts";

const { boundMsMax, turnMs, beginMs, againMs } = turnLimits;
/** Two starts of a board, and finding its leader again. */
const startMs = 30_000;

test("a voter's turn is over, trial and roll-back too, before the next one's begins", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 7 }),
      fc.array(
        fc.record({
          readyMs: fc.nat(10_000_000),
          errorMs: fc.integer({ min: -boundMsMax, max: boundMsMax }),
        }),
        { minLength: 7, maxLength: 7 },
      ),
      (count, boards) => {
        const away = boards.slice(0, count).map(({ readyMs, errorMs }, place) => {
          let nowMs = 1_700_000_000_000 + readyMs;
          for (let waitMs = 1; waitMs > 0; ) {
            waitMs = untilTurnMs(nowMs + errorMs, place, count);
            nowMs += waitMs;
          }
          return nowMs;
        });
        const sorted = away.sort((a, b) => a - b);
        for (let i = 1; i < sorted.length; i++) {
          const back = sorted[i - 1]! + 2 * startMs + trialLimits.trialMs;
          expect(sorted[i]).toBeGreaterThan(back);
        }
        // Everyone's turn comes within a round.
        expect(sorted.at(-1)! - 1_700_000_000_000).toBeLessThan(10_000_000 + count * turnMs + beginMs);
      },
    ),
  );
});

test("a joint configuration counts those who leave", () => {
  const places = (id: string) =>
    placeOf(
      {
        voters: ["a.1", "c.1", "host.1"],
        outgoing: ["b.1", "c.1"],
        learners: [],
        learnersNext: [],
        autoLeave: false,
      },
      id,
      (each) => !each.startsWith("host"),
    );
  expect(["a.1", "b.1", "c.1"].map(places)).toEqual([0, 1, 2].map((place) => ({ place, count: 3 })));
});

describe("a voter whose firmware is ready", () => {
  const next = publish(imageOf("next", "good", 8), 1);
  const round = 3 * turnMs;

  function ready(): Updating {
    const board = new Updating(ChipModel.flashed(imageOf("old", "good", 8), 8), [hostWith(next)]);
    board.voters = ["a.1", "north-1.1", "z.1", "host-1.1"];
    board.wallMs = (nowMs) => 1000 * round + nowMs;
    return board.give(next).run(10_000);
  }

  test("waits for its turn", () => {
    const board = ready().run(turnMs - 1);
    expect(board.health).toMatchObject({ stage: "ready", percent: 100 });
    expect(board.run(turnMs + beginMs).health).toMatchObject({ stage: "steady", sequence: 1 });
  });

  test.each([
    ["a host is away", { areAllJoined: false }],
    ["it does not know the time", { boundMs: Infinity }],
    ["it hears no leader", { isLeading: false }],
  ])("passes its turn over while %s", (_, trouble) => {
    const board = ready();
    Object.assign(board, trouble);
    board.run(turnMs + beginMs + againMs);
    expect(board.health.stage).toBe("ready");
    Object.assign(board, { areAllJoined: true, boundMs: 5, isLeading: true });
    board.run(round);
    expect(board.health.stage).toBe("ready");
    expect(board.run(round + turnMs + beginMs).health.stage).toBe("steady");
  });
});
