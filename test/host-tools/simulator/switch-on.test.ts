import { expect, it } from "vitest";
import { type Startable, switchOn } from "../../../host-tools/simulator/switch-on.ts";

class Board implements Startable {
  isOn = false;
  readonly #begun = Promise.withResolvers<void>();
  readonly begun = this.#begun.promise;

  powerOn(): void {
    this.isOn = true;
  }

  begin(): Promise<void> {
    this.#begun.resolve();
    return new Promise((resolve) => setImmediate(resolve));
  }
}

const never = new AbortController().signal;
const atOnce = (count: number) => ({ atOnce: count, patienceMs: 60_000, signal: never, onBegun() {} });
const namesOn = (boards: readonly Board[]) => boards.flatMap(({ isOn }, i) => (isOn ? [i] : []));

it("at most so many boards begin at once, and the next when one of them has begun, whichever it is", async () => {
  const boards = Array.from({ length: 5 }, () => new Board());
  const counts: number[] = [];
  const all = switchOn(boards, { ...atOnce(2), onBegun: (count) => counts.push(count) });
  expect(namesOn(boards)).toEqual([0, 1]);
  await boards[1]!.begin();
  expect(namesOn(boards)).toEqual([0, 1, 2]);
  await boards[2]!.begin();
  await boards[0]!.begin();
  expect(namesOn(boards)).toEqual([0, 1, 2, 3, 4]);
  await boards[3]!.begin();
  await boards[4]!.begin();
  await all;
  expect(counts).toEqual([1, 2, 3, 4, 5]);
});

it("boards that are not on yet stay off when it is given up", async () => {
  const boards = Array.from({ length: 3 }, () => new Board());
  const given = new AbortController();
  const all = switchOn(boards, { ...atOnce(1), signal: given.signal });
  given.abort();
  await boards[0]!.begin();
  await all;
  expect(namesOn(boards)).toEqual([0]);
});

it("boards that are not on yet stay off when one can't be switched on, and why is told", async () => {
  const boards = Array.from({ length: 4 }, () => new Board());
  boards[1]!.powerOn = () => {
    throw new RangeError("no flash");
  };
  await expect(switchOn(boards, atOnce(2))).rejects.toThrow("no flash");
  await boards[0]!.begin();
  expect(namesOn(boards)).toEqual([0]);
});

it("a board that takes long to begin holds nobody up", async () => {
  const boards = Array.from({ length: 3 }, () => new Board());
  let begun = 0;
  const all = switchOn(boards, { ...atOnce(1), patienceMs: 1, onBegun: (count) => (begun = count) });
  while (namesOn(boards).length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(begun).toBe(0);
  for (const board of boards) await board.begin();
  await all;
  expect(begun).toBe(3);
});
