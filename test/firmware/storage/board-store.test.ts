import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoardStore, storeLimits } from "../../../firmware/storage/board-store.ts";
import { entryLimits } from "../../../firmware/storage/entry-log.ts";
import { FlashDamaged } from "../../../firmware/storage/flash-damaged.ts";
import { hashOf } from "../../../firmware/storage/key-index.ts";
import { RecordKind, RecordWriter } from "../../../firmware/storage/record.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { configurationToEntry } from "../../../protocols/raft/membership.ts";
import { EntryKind, type SnapshotItem } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { type StateValue, stateLimits } from "../../../protocols/state/command.ts";
import { FlashModel, PowerCut } from "./flash-model.ts";
import { append, commit, put, putItem, send } from "./store-driver.ts";
import { contentsOf, itemsOf, noOutput, StoreModel, sha256 } from "./store-model.ts";
import { deaf, keys, open, owner, randomFrom, sectorBytes, Workload, workload } from "./store-workload.ts";

test("the last two keys do have the same hash", () => {
  expect(hashOf(keys[3]!)).toBe(hashOf(keys[4]!));
});

describe("the power fails", () => {
  test("during the recovery that follows a cut: the next finds the same", () => {
    const flash = FlashModel.blank(6, sectorBytes);
    const store = open(flash);
    for (let i = 1; i <= 3; i++) append(store, put(i, keys[i]!, 40));
    const before = flash.reboot();
    const kept = contentsOf(open(before.reboot()));
    // Begins a sector.
    const truncate = (store: BoardStore) => store.write({ ...noOutput, truncateFrom: 3 });
    truncate(store);
    const done = contentsOf(store);
    let recoveryCuts = 0;
    for (let power = 0; power < flash.spent; power++) {
      const torn = before.reboot();
      const victim = open(torn);
      torn.power = power;
      try {
        truncate(victim);
      } catch (error) {
        expect(error).toBeInstanceOf(PowerCut);
      }
      const whole = torn.reboot();
      const survivor = contentsOf(open(whole, 99));
      expect([kept, done]).toContain(survivor);
      for (let again = 0; again < whole.spent; again++) {
        const cut = torn.reboot();
        cut.power = again;
        expect(() => open(cut, 99)).toThrow(PowerCut);
        expect(contentsOf(open(cut.reboot(), 99))).toBe(survivor);
        recoveryCuts++;
      }
    }
    expect(recoveryCuts).toBeGreaterThan(0);
  });

  test("during the first formatting, which then begins anew", () => {
    const whole = FlashModel.blank(6, sectorBytes);
    open(whole);
    for (let power = 0; power < whole.spent; power++) {
      const cut = FlashModel.blank(6, sectorBytes);
      cut.power = power;
      expect(() => open(cut)).toThrow(PowerCut);
      const next = open(cut.reboot(), 7);
      expect(next.recovery.kind).toBe("formatted");
      expect(next.memberId).toBe("north-1.00000007");
    }
  });
});

describe("damage", () => {
  const grown = (seed: number) => {
    const flash = FlashModel.blank(10, sectorBytes);
    const store = open(flash);
    const model = new StoreModel(store.memberId);
    const tasks = new Workload();
    for (const step of fc.sample(workload(60), { seed, numRuns: 1 })[0]!) {
      const task = tasks.task(step, store);
      if (task.perform(store)) task.model(model, () => {});
    }
    return { flash, model };
  };

  /** What a board of this flash would answer; undefined when it finds damage in the attempt, and notes it. */
  function answers(store: BoardStore, model: StoreModel): string | undefined {
    try {
      model.check(store);
      return contentsOf(store);
    } catch (error) {
      if (!(error instanceof FlashDamaged)) throw error;
      store.condemn(error.message);
      return undefined;
    }
  }

  test.each([7, 8, 9])(
    "a flipped bit anywhere is found, or was in nothing that counts (workload %i)",
    (seed) => {
      const { flash, model } = grown(seed);
      let found = 0;
      for (let at = 0; at < flash.sizeBytes; at++) {
        const rotten = flash.reboot();
        rotten.bytes[at]! ^= 1 << (at % 8);
        const first = open(rotten, 99);
        const served = first.recovery.kind === "recovered" ? answers(first, model) : undefined;
        if (served !== undefined) {
          expect(served).toBe(model.contents);
          continue;
        }
        const store = first.recovery.kind === "recovered" ? open(rotten.reboot(), 99) : first;
        expect(store.recovery.kind).toBe("damaged");
        found++;
        expect(store.memberId).toBe("north-1.00000063");
        expect([store.lastIndex, store.appliedIndex, store.size, store.staged]).toEqual([0, 0, 0, undefined]);
      }
      expect(found).toBeGreaterThan(300);
    },
  );

  test("a sector that lost everything is found, be it the first, the last or between", () => {
    const flash = FlashModel.blank(64, sectorBytes);
    const store = open(flash);
    for (let i = 1; i <= 100; i++) append(store, put(i, keys[i % keys.length]!, i));
    const last = Math.floor(flash.bytes.findLastIndex((byte) => byte !== 0xff) / sectorBytes);
    expect(last).toBeGreaterThan(5);
    for (let sector = 1; sector <= last; sector++) {
      const rotten = flash.reboot();
      rotten.bytes.fill(0xff, sector * sectorBytes, (sector + 1) * sectorBytes);
      expect(open(rotten, 99).recovery.kind).toBe("damaged");
    }
  });

  test("what another format left is refused with a sentence that says so", () => {
    const writer = new RecordWriter();
    writer.frame(RecordKind.header, 1, 0, encodeCbor([4, 1, []]), 0);
    const newer = FlashModel.blank(6, sectorBytes);
    newer.write(sectorBytes, writer.records);
    expect(open(newer).recovery).toEqual({
      kind: "damaged",
      what: "The flash is damaged: it is written in format 4, this firmware reads 3.",
    });
  });

  test("flash full of something else is refused, then formatted once", () => {
    const flash = new FlashModel(
      new Uint8Array(6 * sectorBytes).map((_, i) => i * 7),
      sectorBytes,
    );
    expect(open(flash).recovery).toMatchObject({ kind: "damaged" });
    expect(open(flash.reboot()).recovery.kind).toBe("recovered");
  });

  test("flash of another board makes a new member", () => {
    const store = new BoardStore(grown(7).flash, { ...owner, board: "south-1" }, randomFrom(5), sha256);
    expect(store.recovery).toEqual({ kind: "foreign", owner: "greenhouse/north-1" });
    expect(store.memberId).toBe("south-1.00000005");
    expect(store.hardState).toEqual({ term: 0, vote: undefined });
  });
});

describe("applied entries", () => {
  test("stay readable, the last 64 at least, over restarts and cleaning, with hashes that go on", () => {
    const flash = FlashModel.blank(16, 4096);
    let store = open(flash);
    const model = new StoreModel(store.memberId);
    for (let index = 1; index <= 4000; index++) {
      const entry = put(index, `key.${index % 300}`, index);
      expect(commit(store, entry)).toBe(true);
      model.write({ ...noOutput, entries: [entry] });
      model.commit(index);
      const retained = index - store.firstIndex + 1;
      expect(retained).toBeGreaterThanOrEqual(Math.min(index, entryLimits.retainedMin));
      expect(retained).toBeLessThanOrEqual(entryLimits.retainedMax);
      if (index % 97 === 0) {
        const { firstIndex } = store;
        store = open(flash);
        expect(store.firstIndex).toBe(firstIndex);
        model.check(store);
      }
    }
    expect(flash.erases).toBeGreaterThan(30);
    expect(contentsOf(store)).toBe(model.contents);
  });

  test("that were overtaken set nothing again, though cleaning copies them behind what overtook them", () => {
    const flash = FlashModel.blank(16, 4096);
    const store = open(flash);
    for (const [i, value] of [1, null, 3, 4].entries())
      commit(store, put(i + 1, i < 2 ? "removed" : "set", value));
    while (flash.erases < 60) store.saveCheckpoint([new Uint8Array(500)]);
    for (const each of [store, open(flash)]) {
      expect([each.firstIndex, each.size, each.get("removed"), each.get("set")]).toEqual([
        1,
        1,
        undefined,
        4,
      ]);
    }
    // And go on setting nothing when the log has let them go.
    for (let index = 5; index <= 200; index++) commit(store, put(index, "other", index));
    while (flash.erases < 120) store.saveCheckpoint([new Uint8Array(500)]);
    for (const each of [store, open(flash)])
      expect([each.size, each.get("removed"), each.get("set")]).toEqual([2, undefined, 4]);
  });

  test("give way when the state needs their room", () => {
    const store = open(FlashModel.blank(6, sectorBytes));
    let index = 0;
    while (commit(store, put(index + 1, `key.${index}`, new Uint8Array(100)))) index++;
    expect(store.firstIndex).toBe(index + 1);
    expect(store.get("key.0")).toEqual(new Uint8Array(100));
  });
});

describe("a snapshot", () => {
  const membership = (...voters: string[]): SnapshotItem => {
    const none = { outgoing: [], learners: [], learnersNext: [], autoLeave: false };
    return { kind: EntryKind.membership, ...configurationToEntry({ voters, ...none }) };
  };

  test("of any state comes in the order of its keys, in parts of any size, from any item on", () => {
    const store = open(FlashModel.blank(64, 4096));
    const state = new StateMap();
    for (let i = 0; i < stateLimits.keysMax; i++) {
      const entry = put(i + 1, `key.${(i * 199) % 512}`, `value ${i}`);
      commit(store, entry);
      state.apply(entry);
    }
    const all = state.sortedKeys().map((key) => state.item(key));
    expect(all).toHaveLength(512);
    expect(itemsOf(store, 512, 1024)).toEqual(all);
    expect(itemsOf(store, 512, 1)).toEqual(all);
    for (const first of [511, 300, 31, 32, 33, 0]) {
      expect(store.snapshotItems(512, "host.0", first, 1)).toEqual({
        items: [all[first]],
        isLast: first === 511,
      });
    }
    expect(store.snapshotItems(512, "host.0", 512, 1024)).toEqual({ items: [], isLast: true });
    expect(store.snapshotItems(511, "host.0", 0, 1024)).toBeUndefined();
    commit(store, put(513, "key.0", null));
    expect(store.snapshotItems(512, "host.0", 32, 1024)).toBeUndefined();
    expect(itemsOf(store, 513, 1024)).toHaveLength(511);
  });

  test("says no command's id, and says who belongs to the group first", () => {
    const store = open(FlashModel.blank(16, 4096));
    const { kind, version, data } = membership("north-1.00000001", "host.0");
    commit(store, { index: 1, term: 1, kind, version, data });
    const withId = encodeCbor(["fan.duty", 40, new Uint8Array(8).fill(1)]);
    commit(store, { ...put(2, "fan.duty", 40), data: withId });
    expect(itemsOf(store, 2, 1024)).toEqual([
      membership("north-1.00000001", "host.0"),
      putItem("fan.duty", 40),
    ]);
    expect(store.entry(2).data).toEqual(withId);
  });

  test("being received goes on after a restart where it was, and counts as nothing before its end", () => {
    const flash = FlashModel.blank(16, 4096);
    let store = open(flash);
    for (let index = 1; index <= 10; index++) commit(store, put(index, `old.${index}`, index));
    const items = [membership("north-1.00000001"), ...[1, 2, 3, 4, 5].map((i) => putItem(`new.${i}`, i))];
    send(store, 40, items, 2, 2);
    store = open(flash);
    expect(store.staged).toMatchObject({ index: 40, term: 2, items: 4 });
    expect([store.size, store.lastIndex, store.isVoter]).toEqual([10, 10, false]);
    send(store, 40, items, 2);
    for (const each of [store, open(flash)]) {
      expect(each.staged).toBeUndefined();
      expect([each.firstIndex, each.lastIndex, each.appliedIndex, each.termAt(40)]).toEqual([41, 40, 40, 2]);
      expect(each.hashAt(40)).toEqual(new Uint8Array(16).fill(40));
      expect(itemsOf(each, 40, 1024)).toEqual(items);
      expect(each.get("old.1")).toBeUndefined();
      expect(each.isVoter).toBe(true);
    }
  });

  test("whose power failed after its last item asks for what is behind that, and is whole", () => {
    const blank = FlashModel.blank(16, 4096);
    open(blank);
    const items = [membership("host.0"), putItem("a", 1), putItem("b", 2)];
    const whole = blank.reboot();
    send(open(whole), 9, items, 3);
    let waited = 0;
    for (let power = 0; power < whole.spent; power++) {
      const cut = blank.reboot();
      const victim = open(cut);
      cut.power = power;
      expect(() => send(victim, 9, items, 3)).toThrow(PowerCut);
      const survivor = open(cut.reboot());
      if (survivor.staged?.items === 3) waited++;
      if (survivor.appliedIndex === 0) send(survivor, 9, items, 3);
      expect(itemsOf(survivor, 9, 1024)).toEqual(items);
    }
    expect(waited).toBeGreaterThan(50);
  });

  test("beside a state that fills a third of the flash finds room, again and again", () => {
    const flash = FlashModel.blank(16, 4096);
    let store = open(flash);
    for (let round = 1; round <= 40; round++) {
      const items = Array.from({ length: 150 }, (_, i) =>
        putItem(`key.${String(i).padStart(3, "0")}`, new Uint8Array(60).fill(round)),
      );
      send(store, store.appliedIndex + 50, items, 9);
      for (let i = 0; i < 20; i++) commit(store, put(store.lastIndex + 1, `key.00${i % 10}`, i, 2));
      store = open(flash);
      expect(store.size).toBe(150);
      expect(store.get("key.149")).toEqual(new Uint8Array(60).fill(round));
    }
    expect(flash.erases).toBeGreaterThan(60);
  });

  test("with keys that do not rise, or too many, is taken for what is sound in it", () => {
    const flash = FlashModel.blank(64, 4096);
    const store = open(flash);
    const items = [putItem("b", 1), putItem("b", 2), putItem("a", 3), putItem("c", null), putItem("d", 4)];
    send(store, 9, items, 5);
    for (const each of [store, open(flash)]) {
      expect(each.size).toBe(2);
      expect([each.get("a"), each.get("b"), each.get("d")]).toEqual([undefined, 1, 4]);
    }
    const many = Array.from({ length: 600 }, (_, i) => putItem(`key.${1000 + i}`, i));
    send(store, 10, many, 30);
    for (const each of [store, open(flash)]) expect(each.size).toBe(stateLimits.keysMax);
  });
});

describe("whether the board votes", () => {
  const membership = (index: number, ...voters: string[]) => {
    const none = { outgoing: [], learners: [], learnersNext: [], autoLeave: false };
    return { index, term: 1, kind: EntryKind.membership, ...configurationToEntry({ voters, ...none }) };
  };

  test("is what the latest entry says, committed or not, and what the one before it says when it is gone", () => {
    const flash = FlashModel.blank(16, 4096);
    const store = open(flash);
    expect(store.configuration).toBeUndefined();
    commit(store, membership(1, "host.0"));
    expect(store.isVoter).toBe(false);
    append(store, membership(2, "host.0", store.memberId));
    expect([store.isVoter, open(flash).isVoter]).toEqual([true, true]);
    store.write({ ...noOutput, truncateFrom: 2 });
    expect([store.isVoter, open(flash).isVoter]).toEqual([false, false]);
    expect(store.configuration?.voters).toEqual(["host.0"]);
  });

  test("is known though its entry left the log long ago", () => {
    const flash = FlashModel.blank(8, 4096);
    const store = open(flash);
    commit(store, membership(1, "host.0", store.memberId));
    for (let index = 2; index <= 2000; index++) commit(store, put(index, "fan.duty", index));
    expect(flash.erases).toBeGreaterThan(16);
    expect([store.isVoter, open(flash).isVoter]).toEqual([true, true]);
  });
});

describe("limits", () => {
  test("a state that no longer fits is refused before it is written, and what is there stays", () => {
    const store = open(FlashModel.blank(6, sectorBytes));
    let index = 0;
    while (append(store, put(index + 1, `key.${index}`, new Uint8Array(100)))) store.commit(++index, deaf);
    expect(index).toBeGreaterThan(3);
    expect(store.size).toBe(index);
    expect(store.get("key.0")).toEqual(new Uint8Array(100));
    // A vote still fits.
    expect(store.makeRoom(undefined)).toBe(true);
    store.write({ ...noOutput, hardState: { term: 9, vote: "host.0" } });
  });

  test("more entries than the log holds beyond the applied ones are refused", () => {
    const store = open(FlashModel.blank(64, 4096));
    for (let index = 1; index <= 200; index++) commit(store, put(index, "fan.duty", index));
    let index = 200;
    while (append(store, put(index + 1, "fan.duty", index))) index++;
    expect(index).toBe(200 + storeLimits.entriesMax);
    store.commit(201, deaf);
    expect(append(store, put(index + 1, "fan.duty", 1))).toBe(true);
    expect(store.lastIndex).toBe(201 + storeLimits.entriesMax);
  });

  test("a key beyond the number of keys is not there, neither now nor after a restart", () => {
    const flash = FlashModel.blank(64, 4096);
    const store = open(flash);
    for (let index = 1; index <= stateLimits.keysMax + 1; index++)
      commit(store, put(index, `key.${index}`, index));
    for (const each of [store, open(flash)]) {
      expect(each.size).toBe(stateLimits.keysMax);
      expect(each.get(`key.${stateLimits.keysMax + 1}`)).toBeUndefined();
    }
  });

  test("wear: one sector erased for each that is filled, more or less, and every committed value is there", () => {
    const flash = FlashModel.blank(16, 4096);
    const store = open(flash);
    const changes: [string, StateValue | undefined][] = [];
    for (let index = 1; index <= 3000; index++) {
      const onStateChange = (key: string, value: StateValue | undefined) => changes.push([key, value]);
      commit(store, put(index, `key.${index % 20}`, index), { onStateChange });
    }
    expect(changes).toHaveLength(3000);
    expect(store.get("key.19")).toBe(2999);
    const filled = flash.spent / 4096;
    expect(flash.erases).toBeLessThan(1.2 * filled + 16);
    const again = open(flash.reboot());
    expect(again.appliedIndex).toBe(3000);
    for (let i = 0; i < 20; i++) expect(again.get(`key.${i}`)).toBe(store.get(`key.${i}`));
  });

  test("writes: what one request brings is one write, its commit another", () => {
    const flash = FlashModel.blank(64, 4096);
    const store = open(flash);
    const entries = [1, 2, 3, 4].map((index) => put(index, `key.${index}`, index));
    const before = flash.writes;
    expect(store.makeRoom(undefined)).toBe(true);
    store.write({ ...noOutput, hardState: { term: 1, vote: undefined }, entries });
    expect(flash.writes).toBe(before + 1);
    store.commit(4, deaf);
    expect(flash.writes).toBe(before + 2);
  });
});
