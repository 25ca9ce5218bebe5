/** Updates of a whole board: over its session, beside Raft, through restarts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { restartLimits } from "../../../firmware/update/restart-turn.ts";
import { trialLimits } from "../../../firmware/update/trial.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { wantFromWire } from "../../../protocols/update/messages.ts";
import { programBytes, threeHosts } from "../board/surroundings.ts";
import { ChipModel, imageOf } from "./chip-model.ts";
import { UpdatedBoard } from "./updated-board.ts";
import { hostWith, publish } from "./updating.ts";

const old = imageOf("old", "good", 8);
const first = publish(imageOf("first", "good", 90), 1);
const deaf = publish(imageOf("deaf", "deaf", 10), 2);
const newChip = () => ChipModel.flashed(old, 24);
const tellMs = 3_000;

describe("a learner", () => {
  test("fetches, restarts after its pause, proves itself, and tells of each step", () => {
    const board = new UpdatedBoard(newChip(), [first]).run(1000);
    expect(board.told).toEqual({ sequence: 0, target: 0, stage: "steady", percent: 0, reason: undefined });
    const { length } = board.leader.raft;
    board.give(first).run(2500);
    const heard = board.leader.raft.slice(length);
    const asked = heard.filter(({ type }) => type === "append-request").length;
    const answered = heard.filter(({ type }) => type === "append-response").length;
    expect(answered).toBeGreaterThanOrEqual(asked - 1);
    board.run(restartLimits.learnerMsMax + tellMs);
    expect(board.names).toEqual(["old", "first"]);
    expect(board.reasons).toEqual(["update to 0.1.0, number 1"]);
    expect(board.told).toEqual({ sequence: 1, target: 1, stage: "steady", percent: 100, reason: undefined });
    const stages = new Set(board.leader.healths.map(({ firmware }) => firmware?.stage));
    expect([...stages]).toEqual(expect.arrayContaining(["steady", "fetching", "ready"]));
    board.run(5000);
    expect(board.names).toHaveLength(2);
  });

  test("is rolled back from one that can't join, says so, and takes the next one", () => {
    const board = new UpdatedBoard(newChip(), [deaf]).give(deaf);
    board.run(restartLimits.learnerMsMax + trialLimits.trialMs + 3 * tellMs);
    expect(board.names).toEqual(["old", "deaf", "old"]);
    expect(board.told).toMatchObject({
      ...{ sequence: 0, target: 2, stage: "rolled-back" },
      reason: "it did not catch up with the swarm in 5 minutes",
    });
    const third = publish(imageOf("third", "good", 10), 3);
    board.leader.onWant = (payload) => hostWith(third)(wantFromWire(decodeCbor(payload)), 0);
    board.give(third).run(restartLimits.learnerMsMax + tellMs);
    expect(board.told).toMatchObject({ sequence: 3, stage: "steady" });
  });

  test("leaves a host that has not got the image for another", () => {
    const board = new UpdatedBoard(newChip(), [first], { hosts: threeHosts });
    const host = hostWith(first);
    const asked = new Set<number>();
    board.leader.relays = true;
    board.leader.onWant = (payload, port) => {
      asked.add(port);
      return (port === 7002 ? host : hostWith())(wantFromWire(decodeCbor(payload)), 0);
    };
    board.give(first).run(200_000);
    expect(asked.has(7002)).toBe(true);
    expect(board.runs).toBe("first");
  });

  test("that sleeps fetches while it is awake, goes on when it wakes, and does not wait for its restart", () => {
    const sleepy: Program = {
      pipelines: [],
      outputs: [],
      rules: [],
      sleep: { awakeMs: 1000, everyMs: 60_000 },
    };
    const board = new UpdatedBoard(newChip(), [first]);
    board.leader.put("program/north-1", programBytes(sleepy));
    board.give(first).run(600_000);
    expect(board.names.slice(0, 3)).toEqual(["old", "old", "old"]);
    expect(board.runs).toBe("first");
    expect(board.told).toMatchObject({ sequence: 1, stage: "steady" });
  });
});

describe("a voter", () => {
  const voting = (): UpdatedBoard => {
    const board = new UpdatedBoard(newChip(), [first]).run(1000);
    board.leader.change("promote");
    return board.run(1000);
  };

  test("asks for its turn, restarts when it is agreed on, and gives it back when it has proved itself", () => {
    const board = voting();
    board.leader.givesTurns = false;
    board.give(first).run(60_000);
    expect(board.told).toMatchObject({ stage: "ready", percent: 100 });
    expect(board.names).toEqual(["old"]);
    const asked = board.leader.turnWords.map(({ says, purpose }) => `${says} ${purpose}`);
    expect(new Set(asked)).toEqual(new Set(["asks update"]));
    // Each says when it asked, 10 s after the one before.
    expect(asked.length).toBeLessThanOrEqual(6);
    board.leader.givesTurns = true;
    board.run(10_000 + tellMs);
    expect(board.names).toEqual(["old", "first"]);
    expect(board.told).toMatchObject({ sequence: 1, stage: "steady" });
    expect(board.leader.turnWords.at(-1)!.says).toBe("back");
    expect(board.leader.turn).toMatchObject({ number: 2, holder: undefined });
  });

  test("gives it back too when the firmware was no good, once the one before runs", () => {
    const board = new UpdatedBoard(newChip(), [deaf]).run(1000);
    board.leader.change("promote");
    board.run(1000);
    board.give(deaf).run(trialLimits.trialMs);
    expect(board.names).toEqual(["old", "deaf"]);
    expect(board.leader.turn.holder).toMatchObject({ board: "north-1", purpose: "update" });
    board.run(30_000);
    expect(board.names).toEqual(["old", "deaf", "old"]);
    expect(board.leader.turn.holder).toBeUndefined();
  });

  test("leaves by no turn that it asked for before its power was cut, and gives that back", () => {
    const board = voting();
    board.leader.givesTurns = false;
    board.give(first).run(20_000);
    const [word] = board.leader.turnWords.slice(-1);
    board.chip.flash.power = 0;
    board.run(10);
    board.leader.giveTurn({ board: "north-1", ...word! });
    board.leader.givesTurns = true;
    board.run(5_000);
    const words = board.leader.turnWords.filter(({ startId }) => startId !== word!.startId);
    expect(words.map(({ says }) => says).slice(0, 1)).toEqual(["asks"]);
    expect(board.told).toMatchObject({ sequence: 1, stage: "steady" });
    expect(board.leader.turn.holder).toBeUndefined();
  });
});

test("wherever the power fails, it ends on the new firmware", () => {
  const small = publish(imageOf("small", "good", 10), 1);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12_000 }), { maxLength: 2 }), (cuts) => {
      const board = new UpdatedBoard(newChip(), [small]).give(small);
      for (const power of cuts) {
        board.chip.flash.power = power;
        board.run(3000);
      }
      board.chip.flash.power = Infinity;
      board.run(2 * restartLimits.learnerMsMax);
      expect(board.runs).toBe("small");
      expect(board.told).toMatchObject({ sequence: 1, target: 1, stage: "steady" });
    }),
    { numRuns: 8 },
  );
});
