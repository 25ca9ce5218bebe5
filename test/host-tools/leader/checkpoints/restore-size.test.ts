/** Whether a restore fits is known before anything is put, and what is said to fit a board's flash does. */
import { expect, test } from "vitest";
import { BoardStore } from "../../../../firmware/storage/board-store.ts";
import { smallestLogBytes } from "../../../../host-tools/leader/checkpoints/board-flash.ts";
import { entriesOf, sizeObjection, sizeOf } from "../../../../host-tools/leader/checkpoints/restore-size.ts";
import { encodePut } from "../../../../host-tools/leader/state/entries.ts";
import { emptyChain } from "../../../../protocols/raft/chain.ts";
import { type Entry, EntryKind } from "../../../../protocols/raft/types.ts";
import type { PutCommand, StateValue } from "../../../../protocols/state/command.ts";
import { adoptionToData, draftKey, draftPieces } from "../../../../protocols/state/draft.ts";
import { FlashModel } from "../../../firmware/storage/flash-model.ts";
import { noOutput, sha256 } from "../../../firmware/storage/store-model.ts";
import { definition } from "../leader-under-test.ts";

const logBytes = 262_144;
const id = new Uint8Array(8).fill(1);

function putsOf(count: number, valueBytes: number, fill = 1): PutCommand[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `program/board-${i}`,
    value: new Uint8Array(valueBytes).fill(fill),
  }));
}

function stateOf(puts: readonly PutCommand[]): Map<string, StateValue> {
  return new Map(puts.map(({ key, value }) => [key, value!]));
}

test("what an entry holds takes one, and more a piece for each 900 bytes beside it", () => {
  expect(entriesOf(sizeOf(putsOf(1, 900)))).toBe(1);
  expect(entriesOf(sizeOf(putsOf(48, 1)))).toBe(1);
  expect(sizeOf(putsOf(49, 1))).toMatchObject({ keys: 49, pieces: 2 });
  const puts = putsOf(40, 800);
  expect(sizeOf(puts).pieces).toBe(draftPieces(puts).length);
  expect(entriesOf(sizeOf(puts))).toBe(draftPieces(puts).length + 1);
});

test("what one entry holds is always taken, and so is a draft where there is room", () => {
  expect(sizeObjection(putsOf(48, 1), stateOf(putsOf(512, 900)), 65_536)).toBeUndefined();
  expect(sizeObjection(putsOf(60, 800), new Map(), logBytes)).toBeUndefined();
});

test("more than a draft, more keys than there may be, more than the smallest board has: one sentence each", () => {
  expect(sizeObjection(putsOf(100, 800), new Map(), logBytes)).toMatch(
    /^This restore changes 100 keys in 82\d+ bytes/,
  );
  const full = stateOf(putsOf(500, 10));
  expect(sizeObjection(putsOf(40, 800), full, logBytes)).toMatch(
    /needs 38 keys for itself, and the swarm has 500 of at most 512: delete checkpoints/,
  );
  const many = Array.from({ length: 100 }, (_, i) => ({ key: `zone-${i}`, value: i }));
  expect(sizeObjection(many, full, logBytes)).toMatch(/needs 101 keys for itself/);
  expect(sizeObjection(putsOf(40, 800), stateOf(putsOf(100, 800)), logBytes)).toMatch(
    /takes \d+ bytes of a board's flash together with what it replaces, and the smallest board has 155666/,
  );
  expect(sizeObjection(putsOf(40, 800), new Map(), 65_536)).toMatch(/the smallest board has 22466/);
});

test("the smallest board is found among the swarm's kinds; one without a file is the smallest that may be", async () => {
  expect(await smallestLogBytes(definition)).toBe(logBytes);
  const [board] = Object.values(definition.boards);
  const boards = { ...definition.boards, other: { ...board!, model: "nobody-knows" } };
  expect(await smallestLogBytes({ boards })).toBe(65_536);
  expect(await smallestLogBytes({ boards: {} })).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  ["long values, the longest draft", 62, 900],
  ["short values, many keys", 380, 12],
])("a restore that is said to fit does: %s", (_, count, valueBytes) => {
  const puts = putsOf(count, valueBytes, 2);
  // As much of the state as there may be beside it.
  const present: PutCommand[] = [];
  const others = Array.from({ length: 110 }, (_, i) => ({ key: `other-${i}`, value: new Uint8Array(900) }));
  for (const more of [...putsOf(count, valueBytes), ...others]) {
    if (sizeObjection(puts, stateOf([...present, more]), logBytes) !== undefined) break;
    present.push(more);
  }
  expect(present.length).toBeGreaterThan(30);
  const pieces = draftPieces(puts);
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const put = (command: PutCommand) => ({
    kind: EntryKind.put,
    data: Uint8Array.from(encodePut({ ...command, id })),
  });
  const entries = [
    ...present.map(put),
    ...pieces.map((value, i) => put({ key: draftKey(i), value })),
    { kind: EntryKind.adoption, data: adoptionToData(id, { pieces: pieces.length, puts: count, bytes }) },
  ].map((entry, i): Entry => ({ ...entry, index: i + 1, term: 1, version: 1 }));

  const flash = FlashModel.blank(logBytes / 4096, 4096);
  const store = new BoardStore(
    flash,
    { swarm: "house", board: "a" },
    { fill: (into) => into.fill(1) },
    sha256,
  );
  // What a board keeps for itself lies there too.
  expect(store.saveCheckpoint([new Uint8Array(1_000), new Uint8Array(1_000)])).toBe(true);
  for (const entry of entries) {
    const { index } = entry;
    const taken = store.makeRoom({
      ...{ type: "append-request", from: "a", to: "b", term: 1, prevLogIndex: index - 1, prevLogTerm: 1 },
      ...{ prevHash: emptyChain(), commitIndex: index - 1, readRound: 0, entries: [entry] },
    });
    expect(taken).toBe(true);
    store.write({ ...noOutput, entries: [entry] });
    store.commit(index, { onStateChange: () => {} });
  }
  expect(store.appliedIndex).toBe(entries.length);
  for (const { key, value } of puts) expect(store.get(key)).toEqual(value);
  expect(store.get(draftKey(0))).toBeUndefined();
});
