/** Drafts as large as they may be, in a partition of a real board's size. `power-cuts.test.ts` has small ones in every circumstance. */
import { expect, test } from "vitest";
import type { BoardStore } from "../../../firmware/storage/board-store.ts";
import { HeadReader, recordHeadBytes } from "../../../firmware/storage/record.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import type { PutCommand, StateValue } from "../../../protocols/state/command.ts";
import {
  adoptionToData,
  draftKey,
  draftKeyPrefix,
  draftLimits,
  draftPieces,
} from "../../../protocols/state/draft.ts";
import { FlashModel } from "./flash-model.ts";
import { commitSettings, openStore, partitionBytes, sectorBytes } from "./full-flash.ts";
import { append, commit, put } from "./store-driver.ts";
import { noOutput } from "./store-model.ts";

const { piecesMax, putsMax } = draftLimits;
/** Beside the pieces there is room for so many keys, all of which the draft changes. */
const keysBefore = putsMax - piecesMax;
/** So long that the pieces are full but for the last. */
const valueBytes = 97;

const puts: readonly PutCommand[] = Array.from({ length: putsMax }, (_, i) => ({
  key: i < keysBefore ? `setting.${i}` : `another.${1000 + i}`,
  value: new Uint8Array(valueBytes).fill(i),
}));
const pieces = draftPieces(puts);

/** The pieces are in a ring that has gone round; gives the entry that adopts them, which the log does not have yet. */
function drafted(keys = keysBefore): { flash: FlashModel; store: BoardStore; adoption: Entry } {
  const flash = FlashModel.blank(partitionBytes / sectorBytes, sectorBytes);
  const store = openStore(flash);
  commitSettings(store, 7000, keys);
  for (let i = 0; i < pieces.length; i++) commit(store, put(store.lastIndex + 1, draftKey(i), pieces[i]!, 3));
  return { flash, store, adoption: adoptionAt(store.lastIndex + 1) };
}

function adoptionAt(index: number): Entry {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const data = adoptionToData(new Uint8Array(8), { pieces: pieces.length, puts: puts.length, bytes });
  return { index, term: 3, kind: EntryKind.adoption, version: 1, data };
}

/** What a store says of all keys that there ever were. */
function valuesOf(store: BoardStore): string {
  const keys = [...puts.map(({ key }) => key), ...pieces.map((_, i) => draftKey(i))];
  const shown = (value: StateValue | undefined) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : `${value}`;
  return [store.size, ...keys.map((key) => shown(store.get(key)))].join();
}

test("the largest draft is adopted: each key is told once, and as many keys as there may be are there", () => {
  expect([pieces.length, puts.length]).toEqual([piecesMax, putsMax]);
  const { flash, store, adoption } = drafted();
  const told = new Map<string, StateValue | undefined>();
  const last: boolean[] = [];
  let breaths = 0;
  commit(store, adoption, {
    onStateChange(key, value, isMore) {
      expect(told.has(key)).toBe(false);
      expect(store.get(key)).toEqual(value);
      told.set(key, value);
      last.push(!isMore);
    },
    onLongWork: () => breaths++,
  });
  expect(store.appliedIndex).toBe(adoption.index);
  expect([...told].sort()).toEqual(puts.map(({ key, value }) => [key, value]).sort());
  expect(last.indexOf(true)).toBe(puts.length - 1);
  expect(breaths).toBe(3);
  for (const each of [store, openStore(flash.reboot())]) {
    expect(each.size).toBe(putsMax);
    expect(each.reservedKeysWith(draftKeyPrefix)).toEqual([]);
    for (const { key, value } of puts) expect(each.get(key)).toEqual(value);
  }
  // The ring goes round once more: nothing of it is lost by cleaning.
  commitSettings(store, 7000, 1);
  const later = openStore(flash.reboot());
  expect(later.size).toBe(putsMax);
  for (const { key, value } of puts.slice(1)) expect(later.get(key)).toEqual(value);
});

test("where the power fails behind any record of the largest draft, all of it is there or nothing", () => {
  const { flash, store, adoption } = drafted();
  append(store, adoption);
  const before = valuesOf(store);
  const torn = flash.reboot();
  const journal = journalOf(torn, adoption.index);
  const after = valuesOf(openStore(torn));
  expect(after).not.toBe(before);
  const now = flash.reboot();
  let [nothing, everything, inside] = [0, 0, 0];
  /** The power fails here. */
  const cut = (isInside: boolean, isCompleted: boolean) => {
    const rest = now.reboot();
    const survivor = openStore(rest);
    expect(survivor.recovery.kind).toBe("recovered");
    const isApplied = survivor.appliedIndex === adoption.index;
    expect(valuesOf(survivor) === (isApplied ? after : before)).toBe(true);
    if (isApplied) everything++;
    else nothing++;
    if (isInside) inside++;
    if (!isCompleted) return;
    survivor.commit(adoption.index, { onStateChange() {} });
    expect(valuesOf(openStore(rest.reboot())) === after).toBe(true);
  };
  for (const { offset, bytes } of journal) {
    if (bytes === undefined) {
      now.eraseSector(offset / sectorBytes);
      cut(false, false);
      continue;
    }
    for (const [i, at] of boundaries(bytes).entries()) {
      const end = boundaries(bytes)[i + 1] ?? bytes.length;
      // Somewhere within, of one record in eight; then behind it.
      const middle = at + ((at * 7 + i * 13) % (end - at));
      now.bytes.set(bytes.subarray(at, middle), offset + at);
      if ((offset + at) % 128 === 0) cut(true, false);
      now.bytes.set(bytes.subarray(at, end), offset + at);
      cut(false, (nothing + everything) % 50 === 0);
    }
  }
  expect(nothing).toBeGreaterThan(putsMax + piecesMax);
  expect(inside).toBeGreaterThan(50);
  expect(everything).toBeGreaterThan(0);
}, 240_000);

test("an adoption for which there will be no room is not taken, and one that is cut off gives its room back", () => {
  const { store } = drafted(4);
  // Each promises 78 KB of 186.
  for (let times = 0; times < 5; times++) {
    const next = store.lastIndex + 1;
    expect(append(store, adoptionAt(next))).toBe(true);
    expect(append(store, adoptionAt(next + 1))).toBe(false);
    store.write({ ...noOutput, truncateFrom: next });
  }
  expect(commit(store, adoptionAt(store.lastIndex + 1))).toBe(true);
  expect(store.size).toBe(puts.length);
  // The pieces are gone: it changes nothing.
  const told: string[] = [];
  commit(store, adoptionAt(store.lastIndex + 1), { onStateChange: (key) => told.push(key) });
  expect([store.appliedIndex, told]).toEqual([store.lastIndex, []]);
});

interface Written {
  readonly offset: number;
  /** undefined for an erase of the sector. */
  readonly bytes: Uint8Array | undefined;
}

/** Commits up to `index` on `flash`; gives what that wrote and erased, in order. */
function journalOf(flash: FlashModel, index: number): Written[] {
  const journal: Written[] = [];
  const store = openStore(flash);
  const [write, erase] = [flash.write.bind(flash), flash.eraseSector.bind(flash)];
  flash.write = (offset, bytes) => {
    journal.push({ offset, bytes: bytes.slice() });
    write(offset, bytes);
  };
  flash.eraseSector = (sector) => {
    journal.push({ offset: sector * sectorBytes, bytes: undefined });
    erase(sector);
  };
  store.commit(index, { onStateChange() {} });
  return journal;
}

/** Where the records of one write begin. */
function boundaries(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  const head = new HeadReader();
  const starts: number[] = [];
  for (let at = 0; at + recordHeadBytes <= bytes.length && head.read(view, at); at += head.sizeBytes)
    starts.push(at);
  return starts.length === 0 ? [0] : starts;
}
