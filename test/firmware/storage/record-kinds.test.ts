import { expect, test } from "vitest";
import { RecordKind } from "../../../firmware/storage/record.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";

/** Two kinds of one number are one kind to whoever reads the flash or the log. */
test.each([
  ["records", RecordKind, 30],
  ["entries", EntryKind, 255],
])("no two kinds of %s share a number", (_what, kinds, max) => {
  const numbers = Object.values<number>(kinds);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(Math.max(...numbers)).toBeLessThanOrEqual(max);
});
