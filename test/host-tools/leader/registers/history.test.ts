/** The history of a register against a plain model: every change once, in the order of versions, whatever the order in which it is told. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import {
  historyFromWire,
  historyLimits,
  historyToWire,
  isRecorded,
  newHistory,
  type RegisterHistory,
  withChange,
} from "../../../../host-tools/leader/registers/history.ts";
import type { RegisterState } from "../../../../protocols/paxos/types.ts";

const begun = 3;

function state(version: number, value: RegisterState["value"] = version): RegisterState {
  return { version, value, by: "north", request: version, atMs: 1_795_000_000_000 + version };
}

/** What the leader does with each telling. */
function record(history: RegisterHistory, epoch: number, told: RegisterState): RegisterHistory {
  return isRecorded(history, epoch, told.version) ? history : withChange(history, told);
}

test("told in any order and any number of times, the latest changes are there once and in order", () => {
  const tellings = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 120 });
  fc.assert(
    fc.property(tellings, (versions) => {
      let history = newHistory(begun, state(0));
      for (const version of versions) history = record(history, begun, state(version));
      const { floor, changes } = history;
      const told = [...new Set(versions)].sort((a, b) => a - b);
      expect(changes.map(({ version }) => version)).toEqual(told.filter((version) => version > floor));
      expect(changes.length).toBeLessThanOrEqual(historyLimits.changesMax);
      for (const version of told) expect(isRecorded(history, begun, version)).toBe(true);
      const bytes = encodeCbor(historyToWire(history));
      expect(bytes.length).toBeLessThanOrEqual(historyLimits.bytesMax);
      expect(historyFromWire(decodeCbor(bytes))).toEqual(history);
    }),
  );
});

test("the longest texts and names still leave room for the last changes", () => {
  let history = newHistory(begun, state(0));
  for (let version = 1; version <= 50; version++) {
    const long = { ...state(4_000_000_000 + version, "x".repeat(32)), by: "n".repeat(32) };
    history = record(history, begun, long);
  }
  expect(history.changes.length).toBeGreaterThanOrEqual(8);
  expect(history.changes.at(-1)!.version).toBe(4_000_000_050);
});

test("a register that was declared anew knows nothing of its former life", () => {
  const history = newHistory(begun, state(0));
  expect(isRecorded(history, begun - 1, 7)).toBe(true);
  expect(isRecorded(history, begun, 7)).toBe(false);
});

test("one that goes on from a later version has that as its first change", () => {
  expect(newHistory(begun, state(9))).toMatchObject({ floor: 8, changes: [{ version: 9 }] });
});
