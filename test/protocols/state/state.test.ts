import { Encoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { type Entry, EntryKind } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { commandFromWire, commandToWire, isStateKey } from "../../../protocols/state/codec.ts";
import { type PutCommand, stateLimits } from "../../../protocols/state/command.ts";

const library = new Encoder({ useRecords: false, tagUint8Array: false });
const id = fc.uint8Array({ minLength: 8, maxLength: 8 });
const putValues = {
  key: fc.stringMatching(/^[A-Za-z0-9._/-]{1,48}$/),
  value: fc.oneof(
    fc.double().map((value) => value + 0),
    fc.boolean(),
    fc.string({ unit: "grapheme-ascii", maxLength: 128 }),
    fc.uint8Array({ maxLength: 900 }),
    fc.constant(undefined),
  ),
};
const commands: fc.Arbitrary<PutCommand> = fc.oneof(fc.record(putValues), fc.record({ ...putValues, id }));

test("every valid command comes back as it was", () => {
  fc.assert(
    fc.property(commands, (command) => {
      const bytes = Uint8Array.from(library.encode(commandToWire(command)));
      expect(commandFromWire(decodeCbor(bytes))).toEqual(command);
    }),
  );
});

test("a key is letters, digits and . _ - /, nothing else", () => {
  for (let code = 0; code < 0x180; code++) {
    const char = String.fromCharCode(code);
    expect(isStateKey(char), char).toBe(/^[A-Za-z0-9._/-]$/.test(char));
  }
  expect(isStateKey("")).toBe(false);
  expect(isStateKey("k".repeat(48))).toBe(true);
  expect(isStateKey("k".repeat(49))).toBe(false);
});

describe("a command is refused", () => {
  test.each<[string, CborValue, RegExp]>([
    ["with a key too long", ["k".repeat(49), 1], /the key must be text of at most 48 bytes/],
    ["with a space in its key", ["fan duty", 1], /letters, digits/],
    ["without a value", ["fan.duty"], /an array of 2 items/],
    ["with an id that is no bytes", ["fan.duty", 1, 2], /the id must be at most 8 bytes/],
    ["with an id that is too short", ["fan.duty", 1, new Uint8Array(7)], /the id must be 8 bytes/],
    ["with an item too many", ["fan.duty", 1, new Uint8Array(8), 2], /the end/],
    ["with a list for a value", ["fan.duty", [1]], /not an array of 1/],
    ["with text beyond 128 bytes of UTF-8", ["fan.label", "é".repeat(65)], /128 bytes of text/],
    ["with bytes beyond 900", ["program/a", new Uint8Array(901)], /or 900 bytes/],
  ])("%s", (_, wire, sentence) => {
    expect(() => commandFromWire(wire)).toThrow(ShapeError);
    expect(() => commandFromWire(wire)).toThrow(sentence);
  });
});

describe("applying an entry", () => {
  const put = (data: Uint8Array, kind: number = EntryKind.put, version = 1): Entry => ({
    index: 1,
    term: 1,
    kind,
    version,
    data,
  });
  const set = (key: string, value: CborValue) => put(encodeCbor([key, value]));

  test("never fails, whatever its data", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(5), fc.nat(3), (data, kind, version) => {
        new StateMap().apply(put(data, kind, version));
      }),
      { numRuns: 1000 },
    );
  });

  test("sets, replaces and deletes", () => {
    const state = new StateMap();
    expect(state.apply(set("fan.duty", 40))).toEqual([{ key: "fan.duty", value: 40 }]);
    state.apply(set("fan.duty", 50));
    expect(state.get("fan.duty")).toBe(50);
    expect(state.apply(set("fan.duty", null))).toEqual([{ key: "fan.duty", value: undefined }]);
    expect([...state.keys()]).toEqual([]);
    expect(state.apply(set("fan.duty", null))).toEqual([]);
  });

  test("of a snapshot's items gives the same state, whatever was there before", () => {
    const state = new StateMap();
    for (const key of ["b", "a.2", "a.10", "Z", "a"]) state.apply(set(key, key));
    state.apply(put(encodeCbor(["a", 7, new Uint8Array(8)])));
    expect(state.sortedKeys()).toEqual(["Z", "a", "a.10", "a.2", "b"]);
    const items = state.sortedKeys().map((key) => state.item(key));
    expect(items[1]).toEqual({ kind: EntryKind.put, version: 1, data: encodeCbor(["a", 7]) });
    const other = new StateMap();
    other.apply(set("gone", 1));
    other.restore([{ kind: EntryKind.membership, version: 1, data: encodeCbor(["x"]) }, ...items]);
    expect(other.sortedKeys().map((key) => [key, other.get(key)])).toEqual(
      state.sortedKeys().map((key) => [key, state.get(key)]),
    );
  });

  test("skips kinds and versions that it does not know", () => {
    const state = new StateMap();
    const { data } = set("fan.duty", 40);
    for (const entry of [put(data, 0), put(data, 2), put(data, 99), put(data, EntryKind.put, 2)]) {
      expect(state.apply(entry)).toEqual([]);
    }
    expect(state.size).toBe(0);
  });

  test("keeps to the number of keys, and takes one again when one is gone", () => {
    const state = new StateMap();
    for (let i = 0; i < stateLimits.keysMax + 5; i++) state.apply(set(`key.${i}`, i));
    expect(state.size).toBe(stateLimits.keysMax);
    expect(state.get("key.512")).toBeUndefined();
    state.apply(set("key.3", 33));
    expect(state.get("key.3")).toBe(33);
    state.apply(set("key.4", null));
    state.apply(set("key.new", 1));
    expect(state.get("key.new")).toBe(1);
  });
});
