import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { concat } from "../../../protocols/cbor/sequence.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { type PutCommand, stateLimits } from "../../../protocols/state/command.ts";
import {
  type Adoption,
  adoptionFromData,
  adoptionToData,
  draftKey,
  draftLimits,
  draftPieces,
} from "../../../protocols/state/draft.ts";
import { contentsOf, single, stateOf } from "./states.ts";

const id = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const command = fc.record({
  key: fc.stringMatching(/^[a-z0-9./_-]{1,48}$/).filter((key) => !key.startsWith("covey/")),
  value: fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 900 }),
    fc.integer({ min: 880, max: 900 }).map((length) => new Uint8Array(length)),
  ),
});
const commands = fc.uniqueArray(command, { minLength: 1, maxLength: 30, selector: ({ key }) => key });

describe("a draft that is adopted", () => {
  test("makes the state that its puts one after the other make, and is gone", () => {
    fc.assert(
      fc.property(commands, commands, (before, puts) => {
        const [adopted, alone] = [stateOf(before), stateOf(before)];
        const changes = adopted.apply(adoptionOf(stage(adopted, puts)));
        for (const put of puts) alone.apply(single(put));
        expect(contentsOf(adopted)).toEqual(contentsOf(alone));
        const sorted = [...puts].sort((a, b) => (a.key < b.key ? -1 : 1));
        expect(changes.filter(({ value }) => value !== undefined)).toEqual(sorted);
      }),
    );
  });

  test("is skipped as a whole where anything is wrong", () => {
    const puts = Array.from({ length: 9 }, (_, i) => ({ key: `program/${i}`, value: new Uint8Array(500) }));
    const good = draftPieces(puts);
    const adoption = {
      pieces: good.length,
      puts: 9,
      bytes: good.reduce((sum, { length }) => sum + length, 0),
    };
    const [first] = good;
    const cases: Record<string, readonly [Adoption, readonly (Uint8Array | number | undefined)[]]> = {
      "a piece is missing": [adoption, [...good.slice(0, -1), undefined]],
      "a piece is no bytes": [adoption, [first, 7, ...good.slice(2)]],
      "pieces in another order": [adoption, [good[1], good[0], ...good.slice(2)]],
      "a piece of another draft": [adoption, [...good.slice(0, -1), first]],
      "fewer pieces": [{ ...adoption, pieces: adoption.pieces - 1 }, good],
      "other puts": [{ ...adoption, puts: 8 }, good],
      "other bytes": [{ ...adoption, bytes: adoption.bytes + 1 }, good],
      "an id within": [{ pieces: 1, puts: 1, bytes: 13 }, [encodeCbor(["a", 1, id])]],
      "a removal": [{ pieces: 1, puts: 1, bytes: 4 }, [encodeCbor(["a", null])]],
      "a key twice": [{ pieces: 1, puts: 2, bytes: 8 }, [concat(encodeCbor(["a", 1]), encodeCbor(["a", 1]))]],
      "a key of a draft": [{ pieces: 1, puts: 1, bytes: 16 }, [encodeCbor([draftKey(0), 1])]],
      "half a put": [{ pieces: 1, puts: 1, bytes: 3 }, [encodeCbor(["a", 1]).subarray(0, 3)]],
    };
    for (const [what, [said, pieces]] of Object.entries(cases)) {
      const state = new StateMap();
      pieces.forEach((value, i) => void state.apply(single({ key: draftKey(i), value })));
      const before = contentsOf(state);
      expect(state.apply(adoptionOf(said)), what).toEqual([]);
      expect(contentsOf(state), what).toEqual(before);
    }
  });

  test("counts the keys that it brings, and those of the draft as gone", () => {
    const { keysMax } = stateLimits;
    const full = (keys: number) =>
      stateOf(Array.from({ length: keys }, (_, i) => ({ key: `key.${i}`, value: i })));
    const added = ["new.1", "new.2", "key.1"].map((key) => ({ key, value: 7 }));
    const fits = full(keysMax - 2);
    expect(fits.apply(adoptionOf(stage(fits, added)))).toHaveLength(4);
    expect(fits.size).toBe(keysMax);
    const tight = full(keysMax - 1);
    expect(tight.apply(adoptionOf(stage(tight, added)))).toEqual([]);
    expect([tight.size, tight.get("key.1")]).toEqual([keysMax, 1]);
  });
});

test("an adoption is what was said, or no adoption", () => {
  const { piecesMax, putsMax, bytesMax } = draftLimits;
  const most = { pieces: piecesMax, puts: putsMax, bytes: bytesMax };
  expect(adoptionFromData(adoptionToData(id, most))).toEqual(most);
  for (const more of [
    { pieces: piecesMax + 1 },
    { puts: putsMax + 1 },
    { bytes: bytesMax + 1 },
    { puts: 0 },
  ]) {
    expect(() => adoptionToData(id, { ...most, ...more })).toThrow("In a draft");
  }
  expect(() => adoptionFromData(adoptionToData(id, most).subarray(1))).toThrow();
  expect(() => adoptionFromData(concat(adoptionToData(id, most), Uint8Array.of(0)))).toThrow();
});

test("more than a draft holds is refused before any of it is put", () => {
  const value = new Uint8Array(stateLimits.valueBytesMax);
  const many = Array.from({ length: 64 }, (_, i) => ({ key: `program/${i}`, value }));
  expect(() => draftPieces(many)).toThrow(`1 to ${draftLimits.piecesMax}`);
  expect(draftPieces(many.slice(2))).toHaveLength(64);
});

/** Puts the pieces into `state`, as a leader does. */
function stage(state: StateMap, puts: readonly PutCommand[]): Adoption {
  const pieces = draftPieces(puts);
  pieces.forEach((value, i) => void state.apply(single({ key: draftKey(i), value })));
  return {
    pieces: pieces.length,
    puts: puts.length,
    bytes: pieces.reduce((sum, { length }) => sum + length, 0),
  };
}

function adoptionOf(adoption: Adoption) {
  return { kind: EntryKind.adoption, version: 1, data: adoptionToData(id, adoption) };
}
