import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { commandIdFromText, commandIdToText } from "../../../../host-tools/leader/raft/command-id.ts";
import { CommandTable } from "../../../../host-tools/leader/raft/command-table.ts";
import type { Entry, SnapshotItem } from "../../../../protocols/raft/types.ts";
import { EntryKind, limits } from "../../../../protocols/raft/types.ts";
import { seeded } from "./host-world.ts";

const window = 500;

describe("the commands that are remembered", () => {
  it("are those of a plain map, behind the floor, whatever is appended, truncated, snapshotted and restored", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      let table = new CommandTable(window);
      const log: (number | undefined)[] = [];
      let applied = 0;
      let next = 1;
      for (let turn = 0; turn < 400; turn++) {
        const kind = random();
        if (kind < 0.7) {
          for (let i = Math.floor(random() * 30); i >= 0; i--) {
            log.push(random() < 0.7 ? next++ : undefined);
            table.append(entry(log.length, log.at(-1)));
          }
        } else if (kind < 0.8) {
          log.length = applied + Math.floor(random() * (log.length - applied + 1));
          table.truncate(log.length + 1);
        } else if (kind < 0.95) {
          // Never more behind than there is room for: a leader takes no more.
          applied = Math.max(applied, log.length - Math.floor(random() * 40));
        } else {
          const items = table.items(applied);
          expect(items.every(({ data }) => data.length <= limits.entryBytesMax)).toBe(true);
          table = new CommandTable(window);
          table.restore(applied, items);
          for (let index = applied + 1; index <= log.length; index++)
            table.append(entry(index, log[index - 1]));
        }
        applied = Math.max(applied, log.length - 40);
        const floor = Math.max(0, applied - window);
        expect(table.floor).toBeLessThanOrEqual(floor);
        const index = 1 + Math.floor(random() * log.length);
        const id = log[index - 1];
        if (id !== undefined && index > floor) expect(table.find(idOf(id))).toBe(index);
        expect(table.find(idOf(next))).toBeUndefined();
      }
    }
  });

  it("make the same items on every host, so that those of two fit together", () => {
    const entries = Array.from({ length: 1400 }, (_, i) => entry(i + 1, i % 3 === 0 ? undefined : i));
    const all = new CommandTable(window);
    for (const each of entries) all.append(each);
    const other = new CommandTable(window);
    const from = new CommandTable(window);
    for (const each of entries.slice(0, 1100)) from.append(each);
    other.restore(1100, from.items(1100));
    for (const each of entries.slice(1100)) other.append(each);
    expect(ids(other.items(1400))).toEqual(ids(all.items(1400)));
    // One that was given a snapshot without commands, by a board, knows only what came after; a mixture no more.
    const poor = new CommandTable(window);
    poor.restore(1100, []);
    for (const each of entries.slice(1100)) poor.append(each);
    expect(poor.floor).toBe(1100);
    const mixed = new CommandTable(window);
    mixed.restore(1400, [...all.items(1400).slice(0, 2), ...poor.items(1400).slice(2)]);
    expect(mixed.floor).toBe(1100);
    for (let i = 1101; i < 1400; i++) if (i % 3 !== 0) expect(mixed.find(idOf(i))).toBe(i + 1);
  });

  it("are none when items are missing", () => {
    const table = new CommandTable(window);
    for (let i = 1; i <= 900; i++) table.append(entry(i, i));
    const items = table.items(900);
    for (const some of [items.slice(1), items.slice(0, -1), [...items.slice(0, 1), ...items.slice(2)]]) {
      const restored = new CommandTable(window);
      restored.restore(900, some);
      expect(restored.floor).toBe(900);
    }
  });
});

describe("a command id", () => {
  it("is the same in text and back", () => {
    const id = { after: 4711, random: Uint8Array.of(0, 1, 2, 3, 253, 254, 255, 16) };
    expect(commandIdToText(id)).toBe("4711-00010203fdfeff10");
    expect(commandIdFromText(commandIdToText(id))).toEqual(id);
  });

  it("is refused in any other form", () => {
    for (const text of [
      "",
      "4711",
      "4711-",
      "-00010203fdfeff10",
      "4711-00010203fdfeff1",
      "4711-00010203fdfeff1G",
      "4711-0000000000000000",
      "4711-00010203FDFEFF10",
      "1-00010203fdfeff10 ",
    ]) {
      expect(commandIdFromText(text)).toBeUndefined();
    }
  });
});

/** `id` undefined for a put without one. */
function entry(index: number, id: number | undefined): Entry {
  const data = encodeCbor(id === undefined ? ["key", index] : ["key", index, idOf(id)]);
  return { index, term: 1, kind: EntryKind.put, version: 1, data };
}

function idOf(id: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, id + 1);
  return bytes;
}

/** What the items say of ids: from where each host knows all may differ. */
function ids(items: readonly SnapshotItem[]): unknown {
  return items.map(({ data }) => [...data.subarray(-120 * 8)]);
}
