/** A restore is what it was worked out to be, on hosts and in a board's flash; and what does not fit is known before. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { BoardStore } from "../../../../firmware/storage/board-store.ts";
import { differences, planDigest } from "../../../../host-tools/leader/checkpoints/difference.ts";
import { type PlannedPut, planRestore } from "../../../../host-tools/leader/checkpoints/restore-plan.ts";
import { sizeOf } from "../../../../host-tools/leader/checkpoints/restore-size.ts";
import { encodePut } from "../../../../host-tools/leader/state/entries.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { type Entry, EntryKind } from "../../../../protocols/raft/types.ts";
import { StateMap } from "../../../../protocols/state/apply.ts";
import type { StateValue } from "../../../../protocols/state/command.ts";
import { adoptionToData, draftKey, draftKeyPrefix, draftPieces } from "../../../../protocols/state/draft.ts";
import { putsToData } from "../../../../protocols/state/puts.ts";
import { FlashModel } from "../../../firmware/storage/flash-model.ts";
import { noOutput, sha256 } from "../../../firmware/storage/store-model.ts";
import { definition as one } from "../leader-under-test.ts";

const names = Array.from({ length: 8 }, (_, i) => `board-${i}`);
const keys = Array.from({ length: 12 }, (_, i) => `zone-${i}.limit`);
const [board] = Object.values(one.boards);
const definition: SwarmDefinition = {
  ...one,
  settings: Object.fromEntries(
    keys.map((key) => [key, { type: "number", unit: "%", min: 0, max: 100, initial: 5 }]),
  ),
  boards: Object.fromEntries(names.map((name) => [name, board!])),
};

const state = fc
  .record({
    settings: fc.array(fc.tuple(fc.constantFrom(...keys), fc.integer({ min: 0, max: 100 })), {
      maxLength: 12,
    }),
    programs: fc.array(
      fc.tuple(fc.constantFrom(...names), fc.uint8Array({ minLength: 1, maxLength: 400, size: "max" })),
      {
        maxLength: 8,
      },
    ),
    voters: fc.subarray(names, { maxLength: 3 }),
    epoch: fc.integer({ min: 1, max: 9 }),
  })
  .map(
    ({ settings, programs, voters, epoch }) =>
      new Map<string, StateValue>([
        ...settings,
        ...programs.map(([name, bytes]) => [`program/${name}`, bytes] as const),
        ["covey/voters", voters.join(",")],
        ["covey/roster", Uint8Array.of(epoch)],
        ["covey/release/esp32c3-devkit", Uint8Array.of(epoch)],
      ]),
  );

/** The entries that a leader agrees on to restore these. */
function restoreOf(puts: readonly PlannedPut[]): Pick<Entry, "kind" | "data">[] {
  const id = new Uint8Array(8).fill(1);
  const { pieces, keys, bytes } = sizeOf(puts);
  if (pieces === 0) return [{ kind: EntryKind.puts, data: putsToData(id, puts) }];
  const drafted = draftPieces(puts);
  expect(drafted).toHaveLength(pieces);
  const put = (value: Uint8Array, i: number) => ({
    kind: EntryKind.put,
    data: Uint8Array.from(encodePut({ key: draftKey(i), value })),
  });
  const adoption = { kind: EntryKind.adoption, data: adoptionToData(id, { pieces, puts: keys, bytes }) };
  return [...drafted.map(put), adoption];
}

const everything = { parts: undefined, boards: undefined };

test("applied, it leaves nothing to restore, and nothing changed that is never restored", () => {
  const restored = { entry: 0, draft: 0 };
  fc.assert(
    fc.property(state, state, (present, wanted) => {
      const { puts, leftOut } = planRestore(definition, present, wanted, everything);
      expect(leftOut).toEqual([]);
      if (puts.length === 0) return;
      restored[sizeOf(puts).pieces === 0 ? "entry" : "draft"]++;
      const entries: Entry[] = [...present].map(([key, value], i) => ({
        ...{ index: i + 1, term: 1, kind: EntryKind.put, version: 1 },
        data: Uint8Array.from(encodePut({ key, value })),
      }));
      for (const { kind, data } of restoreOf(puts)) {
        entries.push({ index: entries.length + 1, term: 1, kind, version: 1, data });
      }

      const host = new StateMap();
      for (const entry of entries) host.apply(entry);
      const random = { fill: (into: Uint8Array) => into.fill(1) };
      const owner = { swarm: "greenhouse", board: "board-0" };
      const flash = FlashModel.blank(32, 2048);
      const store = new BoardStore(flash, owner, random, sha256);
      store.write({ ...noOutput, entries });
      const told: [string, boolean][] = [];
      store.commit(entries.length, {
        onStateChange: (key, _, isMore) => {
          // By then the flash has all of it.
          if (store.appliedIndex < entries.length) return;
          for (const put of puts) expect(store.get(put.key)).toEqual(put.value);
          if (!key.startsWith(draftKeyPrefix)) told.push([key, isMore]);
        },
      });
      expect(told.map(([, isMore]) => isMore)).toEqual(puts.map((_, i) => i < puts.length - 1));
      const restarted = new BoardStore(flash, owner, random, sha256);
      expect(restarted.recovery).toEqual({ kind: "recovered" });
      for (const member of [host, store, restarted]) {
        const after = new Map(present);
        for (const key of wanted.keys()) if (member.get(key) !== undefined) after.set(key, member.get(key)!);
        expect(planRestore(definition, after, wanted, everything).puts).toEqual([]);
        for (const own of ["covey/roster", "covey/release/esp32c3-devkit"]) {
          expect(member.get(own)).toEqual(present.get(own));
        }
        for (const key of present.keys()) expect(member.get(key)).toBeDefined();
        expect(member.get(draftKey(0))).toBeUndefined();
      }
    }),
    { numRuns: 80 },
  );
  expect(restored.entry).toBeGreaterThan(10);
  expect(restored.draft).toBeGreaterThan(10);
});

test("parts that were not asked for stay, and what is shown is what its digest is of", () => {
  fc.assert(
    fc.property(state, state, (present, wanted) => {
      const settings = planRestore(definition, present, wanted, { ...everything, parts: ["settings"] }).puts;
      expect(settings.every(({ key }) => keys.includes(key))).toBe(true);
      const ofOne = planRestore(definition, present, wanted, {
        parts: ["programs"],
        boards: ["board-1"],
      }).puts;
      expect(ofOne.every(({ key }) => key === "program/board-1")).toBe(true);
      const all = planRestore(definition, present, wanted, everything).puts;
      expect(planDigest([...all].reverse())).toBe(planDigest(all));
      if (all.length !== settings.length) expect(planDigest(all)).not.toBe(planDigest(settings));
      const changed = new Set(differences(present, wanted).map(({ key }) => key));
      for (const { key } of all) expect(changed).toContain(key);
    }),
  );
});
