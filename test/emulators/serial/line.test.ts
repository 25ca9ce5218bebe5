/** The wire itself. */
import { expect, test } from "vitest";
import type { Faults } from "../faults.ts";
import { SerialLine } from "./line.ts";

test("chance loses and turns as many bytes as it was told to, each direction for itself", () => {
  const { line, heard } = wire({ toChip: { lostPerMillion: 10_000 }, toHost: { flippedPerMillion: 10_000 } });
  const zeroes = new Uint8Array(100_000);
  line.send("to-chip", zeroes);
  line.send("to-host", zeroes);
  expect(heard["to-chip"].length).toBeGreaterThan(98_500);
  expect(heard["to-chip"].length).toBeLessThan(99_500);
  expect(heard["to-chip"].every((byte) => byte === 0)).toBe(true);
  const turned = heard["to-host"].filter((byte) => byte !== 0);
  expect(heard["to-host"].length).toBe(100_000);
  expect(turned.length).toBeGreaterThan(500);
  expect(turned.length).toBeLessThan(1500);
  expect(turned.every((byte) => (byte & (byte - 1)) === 0)).toBe(true);
  expect(line.passed("to-chip")).toBe(100_000);
});

test("rates that differ by more than 3 % are noise", () => {
  const { line, heard } = wire({});
  const bytes = new Uint8Array(1000);
  line.hostBaud = 118_000;
  line.send("to-chip", bytes);
  expect(heard["to-chip"].every((byte) => byte === 0)).toBe(true);
  line.hostBaud = 120_000;
  line.send("to-host", bytes);
  expect(heard["to-host"].every((byte) => byte === 0)).toBe(false);
});

test("a cable pulled after so many bytes lets exactly those pass, however they are sent", () => {
  const { line, heard, state } = wire({});
  line.pullAfter(10, "to-host");
  line.send("to-chip", new Uint8Array(50));
  line.send("to-host", new Uint8Array(7));
  expect(state.pulled).toBe(0);
  line.send("to-host", new Uint8Array(7));
  expect(state.pulled).toBe(1);
  line.send("to-chip", new Uint8Array(5));
  expect([heard["to-chip"].length, heard["to-host"].length]).toEqual([50, 10]);
  line.plug();
  line.send("to-chip", new Uint8Array(5));
  expect(heard["to-chip"].length).toBe(55);
});

function wire(faults: Faults) {
  const heard = { "to-chip": [] as number[], "to-host": [] as number[] };
  const state = { pulled: 0 };
  let seed = 1;
  const line = new SerialLine(
    true,
    {
      toChip: (bytes) => heard["to-chip"].push(...bytes),
      toHost: (bytes) => heard["to-host"].push(...bytes),
      pulled: () => {
        state.pulled++;
      },
    },
    {
      faults,
      random: () => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return seed / 4_294_967_296;
      },
      paced: false,
    },
  );
  return { line, heard, state };
}
