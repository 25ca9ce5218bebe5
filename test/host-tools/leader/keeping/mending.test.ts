/** What the leader gives a keeper that already has a whole copy, over the keeper that ships, on flash in memory. */
import { expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import type { AgreedShelves } from "../../../../host-tools/leader/keeping/agreed-shelves.ts";
import { isFull } from "../../../../host-tools/leader/keeping/holdings.ts";
import { Mending } from "../../../../host-tools/leader/keeping/mending.ts";
import { Questions } from "../../../../host-tools/leader/keeping/questions.ts";
import {
  type KeepRequest,
  keepAnswerFromWire,
  keepRequestToWire,
} from "../../../../protocols/keeping/messages.ts";
import { KeeperBoard } from "../../../simulation/keeping/keeper-board.ts";

const series = "meter/temperature~k3x9qa";
const all = 200;
const numbers = Array.from({ length: all }, (_, i) => i + 1);

function ask(board: KeeperBoard, request: KeepRequest) {
  return keepAnswerFromWire(decodeCbor(board.answer(encodeCbor(keepRequestToWire(request)))));
}

function put(board: KeeperBoard, to: string, number: number): void {
  const block = { series: to, number, firstMs: number, lastMs: number, bytes: new Uint8Array(150) };
  ask(board, { kind: "put", id: 1, blocks: [block] });
}

/** A keeper of so many sectors that was put these blocks, in their order. */
function keeper(name: string, sectors: number, given: readonly number[]): KeeperBoard {
  const board = new KeeperBoard(name, name, "host", sectors, () => sectors / 1_000);
  for (const number of given) put(board, series, number);
  return board;
}

function numbersOf(board: KeeperBoard): number[] {
  const mine = [...board.blocks.values()].filter((block) => block.series === series);
  return [...new Set(mine.map(({ number }) => number))].sort((a, b) => a - b);
}

function isFullNow(board: KeeperBoard): boolean {
  const answer = ask(board, { kind: "list", id: 1, cursor: 0 });
  return answer.kind === "held" && isFull(answer.ring);
}

/** One round over keepers that all count as whole; how many blocks were copied. */
async function mend(...boards: readonly KeeperBoard[]): Promise<number> {
  const named = new Map(boards.map((board) => [board.name, board]));
  let id = 0;
  const questions = new Questions({
    send: (board, payload) => {
      setImmediate(() => questions.take(board, named.get(board)!.answer(payload)));
      return true;
    },
    nowMs: () => 0,
    drawId: () => ++id,
  });
  const keepers = boards.map(({ name, ring }) => ({ board: name, ring, isWhole: true }));
  const shelves = new Map([
    ["meter", { shelf: { version: 1, keepers, former: [] }, value: new Uint8Array() }],
  ]);
  const mending = new Mending({
    agreed: { shelves } as unknown as AgreedShelves,
    ...{ questions, isUp: () => true, onRing: () => {}, log: () => {}, nowMs: () => 0 },
    put: () => Promise.reject(new Error("All are whole.")),
    sleep: () => Promise.resolve(),
  });
  mending.look(() => true);
  await expect.poll(() => mending.isBusy, { interval: 2, timeout: 10_000 }).toBe(false);
  return mending.copied;
}

test("a full ring is given what it lacks of what is newer, and never again what it forgot", async () => {
  const hole = all - 5;
  const withHole = numbers.filter((number) => number !== hole);
  const [small, large] = [keeper("small", 4, withHole), keeper("large", 40, numbers)];
  const [oldest] = numbersOf(small);
  expect(isFullNow(small)).toBe(true);
  expect(oldest).toBeGreaterThan(10);
  expect(numbersOf(large)).toEqual(numbers);

  expect(await mend(small, large)).toBe(1);
  expect(numbersOf(small)).toContain(hole);
  expect(numbersOf(small)[0]).toBeGreaterThanOrEqual(oldest!);
  // Round after round nothing goes in a circle.
  for (let round = 0; round < 3; round++) expect(await mend(small, large)).toBe(0);
});

test("a ring that has forgotten nothing is given all that it lacks, the oldest too", async () => {
  const late = keeper("late", 40, numbers.slice(60));
  expect(isFullNow(late)).toBe(false);
  expect(await mend(late, keeper("large", 40, numbers))).toBe(60);
  expect(numbersOf(late)).toEqual(numbers);
});

test("a full ring that has nothing of a series any more is given none of it", async () => {
  const small = keeper("small", 4, numbers);
  for (const number of numbers) put(small, "door/temperature~k3x9qa", number);
  expect(numbersOf(small)).toEqual([]);
  expect(await mend(small, keeper("large", 40, numbers))).toBe(0);
});
