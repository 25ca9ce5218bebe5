import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { concat } from "../../../protocols/cbor/sequence.ts";
import { EntryKind, limits } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { stateLimits } from "../../../protocols/state/command.ts";
import { putBytes, putsFromData, putsLimits, putsToData } from "../../../protocols/state/puts.ts";
import { contentsOf, single, stateOf } from "./states.ts";

const id = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const command = fc.record({
  key: fc.stringMatching(/^[a-z0-9./_-]{1,12}$/),
  value: fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(undefined),
  ),
});
const commands = fc.uniqueArray(command, { minLength: 1, maxLength: 12, selector: ({ key }) => key });

describe("several puts in one entry", () => {
  test("come back as they were said, keys rising, and take the bytes that are told", () => {
    fc.assert(
      fc.property(commands, (puts) => {
        const data = putsToData(id, puts);
        const sorted = [...puts].sort((a, b) => (a.key < b.key ? -1 : 1));
        expect(putsFromData(data)).toEqual(sorted);
        expect(data.length).toBe(9 + puts.reduce((sum, put) => sum + putBytes(put), 0));
      }),
    );
  });

  test("make the state that the same puts one after the other make", () => {
    fc.assert(
      fc.property(commands, commands, (before, puts) => {
        const [together, alone] = [stateOf(before), stateOf(before)];
        together.apply(entry(putsToData(id, puts)));
        for (const put of puts) alone.apply(single(put));
        expect(contentsOf(together)).toEqual(contentsOf(alone));
      }),
    );
  });

  test("are skipped as a whole where anything is wrong", () => {
    const good = encodeCbor(["b", 1]);
    const wrong: Record<string, Uint8Array> = {
      "no id": good,
      "a short id": concat(encodeCbor(id.subarray(1)), good),
      "no put": encodeCbor(id),
      "the same key twice": concat(encodeCbor(id), good, good),
      "keys that fall": concat(encodeCbor(id), good, encodeCbor(["a", 1])),
      "an id within": concat(encodeCbor(id), good, encodeCbor(["c", 1, id])),
      "a value that is none": concat(encodeCbor(id), good, encodeCbor(["c", [1]])),
      "bytes behind": concat(encodeCbor(id), good, Uint8Array.of(0x82)),
    };
    for (const [what, data] of Object.entries(wrong)) {
      const state = new StateMap();
      expect(state.apply(entry(data)), what).toEqual([]);
      expect(state.size, what).toBe(0);
    }
    const { putsMax } = putsLimits;
    const many = Array.from({ length: putsMax + 1 }, (_, i) => ({ key: `k${i}`, value: i }));
    expect(() => putsToData(id, many)).toThrow(`at most ${putsMax}`);
    expect(putsFromData(putsToData(id, many.slice(1)))).toHaveLength(putsMax);
  });

  test("beyond the number of keys change nothing, and count what they delete", () => {
    const full = Array.from({ length: stateLimits.keysMax }, (_, i) => ({ key: `key.${i}`, value: i }));
    const state = stateOf(full);
    const added = [
      { key: "new.1", value: 1 },
      { key: "new.2", value: 2 },
    ];
    const gone = (key: string) => ({ key, value: undefined });
    expect(state.apply(entry(putsToData(id, [...added, gone("key.1"), gone("never.there")])))).toEqual([]);
    expect(state.get("key.1")).toBe(1);
    expect(state.apply(entry(putsToData(id, [...added, gone("key.1"), gone("key.2")])))).toHaveLength(4);
    expect([state.size, state.get("new.2")]).toEqual([stateLimits.keysMax, 2]);
  });

  test("fill an entry and no more", () => {
    const value = new Uint8Array(stateLimits.valueBytesMax);
    const rest = putsLimits.bytesMax - putBytes({ key: "a", value });
    const data = putsToData(id, [
      { key: "a", value },
      { key: "b", value: new Uint8Array(rest - 5) },
    ]);
    expect(data.length).toBe(limits.entryBytesMax);
  });
});

function entry(data: Uint8Array) {
  return { kind: EntryKind.puts, version: 1, data };
}
