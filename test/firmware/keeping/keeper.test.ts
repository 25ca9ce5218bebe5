import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { blockAt, contentsOf, openKeeper, ownerOf, put, readAll } from "./ring-model.ts";

const sectorBytes = 4096;

describe("a board that keeps blocks", () => {
  test("gives back what was put, by series and numbers, and across a restart", () => {
    const flash = FlashModel.blank(8, sectorBytes);
    let keeper = openKeeper(flash);
    for (let i = 1; i <= 30; i++) {
      put(keeper, blockAt(i));
      put(keeper, blockAt(i, "south-1/humidity"));
    }
    for (let life = 0; life < 2; life++) {
      expect(readAll(keeper, "south-1/temperature").blocks).toEqual(
        Array.from({ length: 30 }, (_, i) => blockAt(i + 1)),
      );
      expect(readAll(keeper, "south-1/humidity", 7, 9).blocks).toEqual(
        [7, 8, 9].map((number) => blockAt(number, "south-1/humidity")),
      );
      expect(readAll(keeper, "south-1/pressure").blocks).toEqual([]);
      keeper = openKeeper(flash);
    }
  });

  test("says where each block is, and what it holds", () => {
    const keeper = openKeeper(FlashModel.blank(8, sectorBytes));
    const sectors = new Map<string, number>();
    for (let i = 1; i <= 60; i++) sectors.set(`south-1/temperature ${i}`, put(keeper, blockAt(i)));
    const { held, ring, damaged } = contentsOf(keeper);
    expect(held).toEqual(sectors);
    expect(damaged).toBe(0);
    expect(ring).toMatchObject({ oldest: 1, newest: Math.max(...sectors.values()), sectors: 8 });
  });

  test("keeps numbers that share the hash of their series apart", () => {
    // FNV-1a gives both 0x5e4daa9d ("costarring" and "liquid").
    const keeper = openKeeper(FlashModel.blank(4, sectorBytes));
    put(keeper, blockAt(1, "costarring"));
    expect(put(keeper, blockAt(1, "liquid"))).toBe(1);
    expect([...contentsOf(keeper).held.keys()]).toEqual(["costarring 1", "liquid 1"]);
    expect(readAll(keeper, "liquid").blocks).toEqual([blockAt(1, "liquid")]);
  });

  test("writes what it holds already not again", () => {
    const flash = FlashModel.blank(4, sectorBytes);
    const keeper = openKeeper(flash);
    for (let i = 1; i <= 20; i++) put(keeper, blockAt(i));
    const { writes } = flash;
    expect(put(keeper, blockAt(20))).toBe(1);
    expect(flash.writes).toBe(writes);
    expect(readAll(keeper, "south-1/temperature", 20).blocks).toHaveLength(1);
  });

  test("forgets its oldest sector when it is full, and says so", () => {
    const flash = FlashModel.blank(5, sectorBytes);
    let keeper = openKeeper(flash);
    const sectors = new Map<number, number>();
    let oldest = 1;
    for (let i = 1; i <= 400; i++) {
      sectors.set(i, put(keeper, blockAt(i)));
      const { ring } = contentsOf(keeper);
      expect(ring.oldest).toBeGreaterThanOrEqual(oldest);
      oldest = ring.oldest;
      if (i % 50 !== 0) continue;
      keeper = openKeeper(flash);
      const there = [...sectors].filter(([, sector]) => sector >= oldest).map(([number]) => number);
      expect(readAll(keeper, "south-1/temperature").blocks).toEqual(there.map((number) => blockAt(number)));
    }
    expect(oldest).toBeGreaterThan(10);
    expect(Math.max(...flash.erasesOf) - Math.min(...flash.erasesOf)).toBeLessThanOrEqual(1);
  });

  test("keeps nothing of what it was before it lost its memory", () => {
    const flash = FlashModel.blank(4, sectorBytes);
    const before = openKeeper(flash);
    for (let i = 1; i <= 20; i++) put(before, blockAt(i));
    const after = openKeeper(flash, ownerOf("north-1.99999999", 78));
    expect(contentsOf(after)).toMatchObject({ held: new Map(), ring: { name: 78, oldest: 2, newest: 2 } });
    put(after, blockAt(21));
    const again = openKeeper(flash, ownerOf("north-1.99999999", 79));
    expect(contentsOf(again)).toMatchObject({ ring: { name: 78 } });
    expect(readAll(again, "south-1/temperature").blocks).toEqual([blockAt(21)]);
  });

  test("answers each question with a bounded look at its flash", () => {
    const flash = FlashModel.blank(64, sectorBytes);
    const keeper = openKeeper(flash);
    for (let i = 1; i <= 1200; i++) put(keeper, blockAt(i, `south-${i % 10}/temperature`));
    for (const kind of ["list", "read"] as const) {
      let cursor: number | undefined = 0;
      while (cursor !== undefined) {
        const before = flash.bytesRead;
        const of = { series: "south-3/temperature", from: 0, to: 2 ** 32 - 1 };
        const answer = keeper.answer(
          kind === "list" ? { kind, id: 1, cursor } : { kind, id: 1, cursor, ...of },
        );
        if (answer.kind !== "held" && answer.kind !== "blocks") throw new Error(answer.kind);
        expect(flash.bytesRead - before).toBeLessThan(9 * sectorBytes);
        cursor = answer.next;
      }
    }
  });

  test("refuses a block to flash that does not hold what is written to it, and goes on", () => {
    const flash = FlashModel.blank(6, sectorBytes);
    const keeper = openKeeper(flash);
    expect(put(keeper, blockAt(1))).toBe(1);
    const write = flash.write.bind(flash);
    flash.write = (offset, bytes) => {
      write(offset, bytes);
      flash.bytes[offset + 20]! &= ~bytes[20]!;
    };
    expect(put(keeper, blockAt(7))).toBe(0);
    flash.write = write;
    expect(put(keeper, blockAt(8))).toBe(2);
    expect([...contentsOf(keeper).held.keys()]).toEqual(["south-1/temperature 1", "south-1/temperature 8"]);
  });

  test("holds what a plain list would", () => {
    const steps = fc.array(
      fc.record({
        series: fc.constantFrom("a/t", "b/t", "north-hall-and-more/temperature"),
        length: fc.integer({ min: 0, max: 320 }),
        restart: fc.integer({ min: 0, max: 12 }),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 7 }), steps, (sectors, all) => {
        const flash = FlashModel.blank(sectors, 1024);
        let keeper = openKeeper(flash);
        const model: { block: KeptBlock; sector: number }[] = [];
        for (const [i, { series, length, restart }] of all.entries()) {
          if (restart === 0) keeper = openKeeper(flash);
          const block = { ...blockAt(i + 1, series), bytes: new Uint8Array(length).fill(i) };
          model.push({ block, sector: put(keeper, block) });
        }
        const { ring } = contentsOf(keeper);
        for (const series of ["a/t", "b/t", "north-hall-and-more/temperature"]) {
          const there = model.filter(({ block, sector }) => block.series === series && sector >= ring.oldest);
          expect(readAll(keeper, series).blocks).toEqual(there.map(({ block }) => block));
        }
      }),
      { numRuns: 60 },
    );
  });
});
