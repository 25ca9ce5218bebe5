/** The ring on flash that loses its power at every byte, and on flash whose bits flip. */
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import type { Keeper } from "../../../firmware/keeping/keeper.ts";
import { RingFlashFails } from "../../../firmware/keeping/ring-flash.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { blockAt, contentsOf, openKeeper, put, readAll } from "./ring-model.ts";

const sectors = 4;
const sectorBytes = 1024;
const series = "south-1/temperature";

describe("the power fails at every byte of every write and within every erase", () => {
  test("what was said to be kept is kept, or its sector is said to be forgotten", () => {
    const flash = FlashModel.blank(sectors, sectorBytes);
    const acknowledged = new Map<number, number>();
    let cuts = 0;
    let gone = 0;
    // Three rounds of the ring and the first sector of all.
    for (let number = 1; number <= 50; number++) {
      const before = flash.reboot();
      const oldest = number === 1 ? 1 : contentsOf(openKeeper(flash.reboot())).ring.oldest;
      for (let power = 0; ; power++) {
        const cut = before.reboot();
        cut.power = power;
        if (!loses(() => put(openKeeper(cut), blockAt(number)))) break;
        cuts++;
        const survivor = cut.reboot();
        gone += check(openKeeper(survivor), acknowledged, number, oldest);
        // It goes on, and the power fails no more.
        const after = openKeeper(survivor.reboot());
        const now = new Map(acknowledged).set(number, put(after, blockAt(number)));
        check(after, now.set(number + 1, put(after, blockAt(number + 1))), number + 2, oldest);
      }
      acknowledged.set(number, put(openKeeper(flash), blockAt(number)));
    }
    expect(cuts).toBeGreaterThan(8_000);
    expect(gone).toBeGreaterThan(0);
  });

  test("twice in a row", () => {
    const flash = FlashModel.blank(sectors, sectorBytes);
    const acknowledged = new Map<number, number>();
    for (let number = 1; number <= 24; number++)
      acknowledged.set(number, put(openKeeper(flash), blockAt(number)));
    // One opens a sector, another does not: both come.
    for (let number = 25; number <= 30; number++) {
      const { oldest } = contentsOf(openKeeper(flash.reboot())).ring;
      for (let first = 0; ; first += 7) {
        const once = flash.reboot();
        once.power = first;
        if (!loses(() => put(openKeeper(once), blockAt(number)))) break;
        for (let second = 0; ; second += 13) {
          const twice = once.reboot();
          twice.power = second;
          if (!loses(() => put(openKeeper(twice), blockAt(number)))) break;
          const survivor = openKeeper(twice.reboot());
          check(survivor, acknowledged, number, oldest);
          const now = new Map(acknowledged).set(number, put(survivor, blockAt(number)));
          check(survivor, now, number + 1, oldest);
        }
      }
      acknowledged.set(number, put(openKeeper(flash), blockAt(number)));
    }
  });
});

test("a bit flips, of any byte: one block is gone at most", () => {
  const flash = FlashModel.blank(sectors, sectorBytes);
  const keeper = openKeeper(flash);
  for (let number = 1; number <= 30; number++) put(keeper, blockAt(number));
  const whole = contentsOf(keeper);
  let lost = 0;
  let kept = 0;
  for (let at = 0; at < flash.bytes.length; at++) {
    const damaged = flash.reboot();
    damaged.bytes[at]! ^= 1 << ((at * 5 + (at >> 4)) % 8);
    const contents = contentsOf(openKeeper(damaged));
    const { ring } = contents;
    const isSame = ring.name === whole.ring.name && ring.newest === whole.ring.newest;
    // A mark where there was none says that one sector less is there.
    const isMark = ring.oldest === whole.ring.oldest + 1;
    const expected = [...whole.held].filter(([, sector]) => sector >= ring.oldest);
    const missing = expected.filter(([block, sector]) => contents.held.get(block) !== sector).length;
    const isRight =
      isSame &&
      (isMark || ring.oldest === whole.ring.oldest) &&
      missing <= contents.damaged &&
      contents.damaged <= 1 &&
      contents.held.size === expected.length - missing;
    if (!isRight) expect.fail(`byte ${at}: ${JSON.stringify({ ring, missing, damaged: contents.damaged })}`);
    if (missing > 0) lost++;
    else kept++;
    if (at % 8 === 0) goesOn(damaged);
  }
  expect(lost).toBeGreaterThan(2_000);
  expect(kept).toBeGreaterThan(400);
});

/** What is there is as it was, and more can be put. */
function goesOn(flash: FlashModel): void {
  const keeper = openKeeper(flash);
  for (const block of readAll(keeper, series).blocks) expect(block).toEqual(blockAt(block.number));
  for (let number = 31; number <= 60; number++) expect(put(keeper, blockAt(number))).toBeGreaterThan(0);
  expect(readAll(keeper, series, 55).blocks).toHaveLength(6);
}

function loses(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof RingFlashFails && error.message.includes("Error")) return true;
    throw error;
  }
}

/** Gives how many blocks a full ring has forgotten. Of `number`, which was cut short, nothing is said: it is there or not. */
function check(
  keeper: Keeper,
  acknowledged: ReadonlyMap<number, number>,
  number: number,
  oldest: number,
): number {
  const { ring, held, damaged } = contentsOf(keeper);
  const there = [...acknowledged].filter(([, sector]) => sector >= ring.oldest);
  const lost = there.filter(([each, sector]) => held.get(`${series} ${each}`) !== sector);
  const more = held.has(`${series} ${number}`) && !acknowledged.has(number) ? 1 : 0;
  const isRight =
    damaged === 0 &&
    ring.oldest >= oldest &&
    // What a power cut tears leaves the rest of its sector unused.
    ring.oldest <= oldest + 3 &&
    lost.length === 0 &&
    held.size === there.length + more &&
    readAll(keeper, series).blocks.every((block) => isDeepStrictEqual(block, blockAt(block.number)));
  if (!isRight) expect.fail(JSON.stringify({ number, damaged, ring, lost, held: [...held] }));
  return acknowledged.size - there.length;
}
