/** What a board takes, and what it refuses; what it does when something is in the way. */
import { describe, expect, test } from "vitest";
import { readRecord } from "../../../firmware/update/update-record.ts";
import { updaterLimits } from "../../../firmware/update/updater.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { boardReleaseKeyPrefix } from "../../../protocols/update/release.ts";
import { TestRoot } from "../../members.ts";
import { ChipModel, imageOf } from "./chip-model.ts";
import { answer, type Host, hostWith, type Published, publish, Updating } from "./updating.ts";

const slotSectors = 24;
const old = imageOf("old", "good", 8);
const second = publish(imageOf("second", "good", 12), 2);
const third = publish(imageOf("third", "good", 90), 3);
const all = hostWith(second, third);
const ownKey = `${boardReleaseKeyPrefix}north-1`;

const born = (...hosts: readonly Host[]) =>
  new Updating(ChipModel.flashed(old, slotSectors), hosts.length === 0 ? [all] : hosts);
/** It runs the second release. */
const updated = (...hosts: readonly Host[]) => {
  const board = born(...(hosts.length === 0 ? [all] : hosts));
  board.hosts = [all];
  board.give(second).run();
  board.hosts = hosts.length === 0 ? [all] : hosts;
  return board;
};

describe("refused with its reason", () => {
  const image = imageOf("other", "good", 8);
  const foreign = new TestRoot("greenhouse");
  test.each<[string, Uint8Array, number, string]>([
    [
      "another root's",
      publish(image, 3, {}).signed.map((b, i, all) => (i > all.length - 9 ? 0 : b)),
      0,
      "the swarm's root has not signed it",
    ],
    ["an identity", foreign.issue("board", "north-1").signed, 0, "the swarm's root has not signed it"],
    ["bytes", Uint8Array.of(1, 2, 3), 0, "the swarm's root has not signed it"],
    ["of another swarm", publish(image, 3, { swarm: "cellar" }).signed, 3, "it is of the swarm cellar"],
    [
      "for another kind",
      publish(image, 3, { model: "esp32s3-devkit" }).signed,
      3,
      "it is for boards of the kind esp32s3-devkit",
    ],
    [
      "larger than the slot",
      publish(image, 3, { sizeBytes: 100_000 }).signed,
      3,
      "it has 100000 bytes, and the slot 98304",
    ],
    ["no image", publish(image, 3, { sizeBytes: 31 }).signed, 3, "31 bytes are no image"],
    ["older", publish(image, 1).signed, 1, "it is older than 2, which has proved to work"],
  ])("%s", (_, signed, target, reason) => {
    const board = updated().put(ownKey, signed).run();
    expect(board.health).toEqual({ sequence: 2, target, stage: "refused", percent: 0, reason });
    expect(board.runs!.name).toBe("second");
    expect(board.logged("update-refused")).toHaveLength(1);
    // And what it ran before is what it is to run again.
    expect(board.put(ownKey, undefined).run().health).toMatchObject({
      sequence: 2,
      target: 2,
      stage: "steady",
    });
  });
});

describe("a board", () => {
  test("looks at its own release before its kind's", () => {
    const board = born().put(ownKey, second.signed).give(third).run();
    expect(board.health.sequence).toBe(2);
    expect(board.put(ownKey, undefined).run().health.sequence).toBe(3);
  });

  test("checks the signature of a release once, over all its starts", () => {
    const board = updated();
    expect(readRecord(board.chip).vouched).toBeDefined();
    board.chip.flash.power = 0;
    board.live();
    const { wants } = board;
    wants.length = 0;
    expect(board.run().health).toMatchObject({ sequence: 2, stage: "steady" });
    expect(wants).toEqual([]);
  });

  test("takes a later number of the image that it runs without fetching or restarting", () => {
    const board = updated();
    const { lives } = board;
    board.wants.length = 0;
    board.give(publish(second.image, 7)).run();
    expect(board.health).toMatchObject({ sequence: 7, target: 7, stage: "steady" });
    expect([board.lives, board.wants.length]).toEqual([lives, 0]);
  });

  test("goes on where the last note says when the power fails", () => {
    const board = updated().give(third);
    board.run(board.nowMs + 2000);
    expect(board.health.percent).toBeGreaterThan(75);
    board.chip.flash.power = 0;
    board.live();
    board.wants.length = 0;
    board.run();
    expect(board.wants[0]).toMatchObject({ chunk: 64, count: 4 });
    expect(board.health.sequence).toBe(3);
  });

  test("that falls asleep amid a sector writes that sector anew when it wakes", () => {
    const halting: Host = (want) => all(want, 0).slice(0, want.chunk === 8 ? 2 : 4);
    const board = born(halting).give(third);
    board.run(2000);
    board.sleep();
    board.hosts = [all];
    board.wants.length = 0;
    board.run();
    expect(board.wants[0]).toMatchObject({ chunk: 8, count: 4 });
    expect(board.health.sequence).toBe(3);
  });

  test("starts over when another release comes in between", () => {
    const board = born().give(third);
    board.run(1500);
    board.wants.length = 0;
    board.give(second).run();
    expect(board.wants.map(({ chunk }) => chunk)).toEqual(
      [0, 4, 8, 12].filter((chunk) => chunk * 1024 < second.image.length),
    );
    expect(board.health.sequence).toBe(2);
  });

  test("stops when nothing is wanted any more", () => {
    const board = born().give(third);
    board.run(1000);
    board.put("covey/release/esp32c3-devkit", undefined).run();
    expect(board.health).toMatchObject({ sequence: 0, target: 0, stage: "steady" });
    expect(board.runs!.name).toBe("old");
  });

  test("that was flashed by cable says that it runs no release, and takes only a later one", () => {
    const board = updated();
    board.chip.reflash(imageOf("cable", "good", 8));
    board.chip.flash.power = 0;
    board.live();
    expect(board.run().health).toMatchObject({ sequence: 0, target: 2, stage: "refused" });
    expect(board.health.reason).toBe("another firmware came by cable since it was taken");
    expect(board.give(third).run().health).toMatchObject({ sequence: 3, stage: "steady" });
  });

  test("tries a release again after a power cut on trial, three times in all", () => {
    const deaf = publish(imageOf("deaf", "deaf", 8), 3);
    const board = updated(hostWith(deaf)).give(deaf);
    for (let trial = 1; trial <= 3; trial++) {
      while (board.runs?.name !== "deaf") board.run(board.nowMs + 1000);
      board.chip.flash.power = 0;
      board.live();
      board.run(board.nowMs + 1);
      expect(board.runs!.name, `trial ${trial}`).toBe("second");
    }
    expect(board.run().health).toMatchObject({ sequence: 2, target: 3, stage: "rolled-back" });
    expect(board.health.reason).toBe("the power failed in each of its trials");
  });

  test("does not try a release again that failed, and takes the next one", () => {
    const crash = publish(imageOf("crash", "crash", 8), 3);
    const fourth = publish(imageOf("fourth", "good", 8), 4);
    const board = updated(hostWith(crash, fourth)).give(crash).run();
    expect(board.health).toMatchObject({
      sequence: 2,
      target: 3,
      stage: "rolled-back",
      reason: "it crashed on trial",
    });
    board.wants.length = 0;
    board.chip.flash.power = 0;
    board.live();
    board.run();
    board.put("covey/release/esp32c3-devkit", undefined).give(crash).run();
    expect(board.wants).toEqual([]);
    expect(board.give(fourth).run().health).toMatchObject({ sequence: 4, stage: "steady" });
  });
});

describe("in the way", () => {
  test("no room for small values: nothing is fetched, and all goes on once there is some", () => {
    const board = born().give(second);
    board.chip.valueBytesMax = 50;
    board.run(1000);
    expect(board.health).toMatchObject({
      stage: "refused",
      reason: "the board has no room to note how far it has come",
    });
    expect(board.wants).toEqual([]);
    board.chip.valueBytesMax = 1000;
    board.run(2000 + updaterLimits.againMs).run();
    expect(board.health).toMatchObject({ sequence: 2, stage: "steady" });
  });

  test("no room just before the restart: the old firmware goes on, and knows what it is", () => {
    const board = born().give(second);
    board.run(1000);
    expect(board.health.stage).toBe("ready");
    board.chip.valueBytesMax = 50;
    board.run(100_000);
    expect(board.runs!.name).toBe("old");
    expect(board.health.stage).toBe("refused");
    board.chip.valueBytesMax = 1000;
    expect(board.run().health).toMatchObject({ sequence: 2, stage: "steady" });
  });

  test("a host without the image: it is asked less and less often, then another is", () => {
    const board = born(hostWith(), all).give(second).run();
    expect(board.logged("update-waits")).toHaveLength(1);
    expect(board.wants.slice(0, 4).map(({ chunk }) => chunk)).toEqual([0, 0, 0, 0]);
    expect(board.health.sequence).toBe(2);
  });

  test("no host with the image: questions come a minute apart at most, and flash is not worn", () => {
    const board = born(hostWith()).give(second);
    board.run(3_600_000);
    expect(board.wants.length).toBeLessThan(130);
    expect(board.wants.length).toBeGreaterThan(50);
    expect(board.chip.flash.erases).toBeLessThan(2);
    expect(board.health).toMatchObject({ stage: "fetching", percent: 0 });
  });

  test("a host that forges every chunk: none is written", () => {
    const forging: Host = (want) =>
      all(want, 0).map(() => answer(want.image, want.chunk, new Uint8Array(1056)));
    const board = born(forging, all).give(second);
    board.run(2500);
    expect(board.chip.flash.writes).toBeLessThan(3);
    expect(board.run().health.sequence).toBe(2);
  });

  test("what is no chunk ends the connection", () => {
    const board = born(() => [encodeCbor([1, 2])]).give(second);
    board.run(1000);
    expect(board.dropped).toHaveLength(1);
  });

  test("an image that the chip does not take: it is fetched three times, then given up", () => {
    const image = second.image.map((byte, at) => (at === 5000 ? byte ^ 1 : byte));
    const torn: Published = publish(image, 3);
    const board = updated(hostWith(torn)).give(torn).run();
    expect(board.health).toMatchObject({
      sequence: 2,
      stage: "rolled-back",
      reason: "the chip does not take its image",
    });
    expect(board.logged("update-image")).toHaveLength(3);
    expect(board.runs!.name).toBe("second");
  });
});
