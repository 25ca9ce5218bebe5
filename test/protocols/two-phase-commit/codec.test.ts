/** Actions, reports and promises between struct and bytes, and names in few bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { stateLimits } from "../../../protocols/state/command.ts";
import { type Action, slotKey, slotOf } from "../../../protocols/two-phase-commit/action.ts";
import { actionFromWire, actionToWire } from "../../../protocols/two-phase-commit/codec.ts";
import { checkNames, packedHas, packNames, unpackNames } from "../../../protocols/two-phase-commit/names.ts";
import { promisesFromBytes, promisesToBytes } from "../../../protocols/two-phase-commit/promises.ts";
import { reportsFromWire, reportsToWire } from "../../../protocols/two-phase-commit/report.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const names = fc.uniqueArray(name, { maxLength: 40 });

const action: Action = {
  ...{ id: 7, name: "open-valves", boards: packNames(["north-1", "north-2"]) },
  set: [{ output: "valve", value: 1 }],
  require: [{ metric: "pressure", min: 1, max: 3, maxAgeMs: 10_000 }],
  ...{ forMs: 600_000, safetyMs: 30_000, deadlineMs: 1_800_000_000_000, startMs: undefined },
  ...{ phase: "begun", isEnded: false, reason: "", givenUp: [] },
};

describe("packed names", () => {
  it("come out as they went in, sorted, each once", () => {
    fc.assert(
      fc.property(names, (given) => {
        const packed = packNames([...given, ...given]);
        checkNames(packed, "test");
        expect(unpackNames(packed)).toEqual([...given].sort());
      }),
    );
  });

  it("are found, and only they", () => {
    fc.assert(
      fc.property(names, name, (given, other) => {
        const packed = packNames(given);
        for (const each of given) expect(packedHas(packed, each)).toBe(true);
        expect(packedHas(packed, other)).toBe(given.includes(other));
        for (const each of given) {
          expect(packedHas(packed, `${each}x`)).toBe(given.includes(`${each}x`));
          expect(packedHas(packed, each.slice(0, -1))).toBe(given.includes(each.slice(0, -1)));
        }
      }),
    );
  });

  it("that pass the check are what packing gives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        try {
          checkNames(bytes, "test");
        } catch {
          return;
        }
        expect(packNames(unpackNames(bytes))).toEqual(bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  it("of a hundred boards take a third of an entry", () => {
    const boards = Array.from({ length: 100 }, (_, i) => `north-${String(i + 1).padStart(3, "0")}`);
    expect(packNames(boards).length).toBeLessThan(stateLimits.valueBytesMax / 2);
  });
});

describe("codecs", () => {
  it("give actions, reports and promises back", () => {
    for (const each of [
      action,
      { ...action, startMs: 5, phase: "aborted" as const, isEnded: true, reason: "no" },
    ]) {
      expect(actionFromWire(decodeCbor(encodeCbor(actionToWire(each))))).toEqual(each);
    }
    const reports = [
      { slot: 3, id: 9, stage: "acted" as const, reason: "", wallMs: 1_800_000_000_000, boundMs: 4 },
      {
        slot: 15,
        id: 0xffff_ffff,
        stage: "no" as const,
        reason: "why",
        wallMs: undefined,
        boundMs: undefined,
      },
    ];
    expect(reportsFromWire(decodeCbor(encodeCbor(reportsToWire(reports))))).toEqual(reports);
    const kept = {
      slot: 3,
      id: 9,
      stage: "promised" as const,
      set: action.set,
      forMs: 1,
      safetyMs: 2,
      wallMs: 3,
    };
    const promises = [{ ...kept, boundMs: undefined, reason: "" }];
    expect(promisesFromBytes(promisesToBytes(promises))).toEqual(promises);
    expect(promisesFromBytes(Uint8Array.of(1, 2))).toBeUndefined();
  });

  it("name slots by their keys", () => {
    for (let slot = 0; slot < 16; slot++) expect(slotOf(slotKey(slot))).toBe(slot);
    for (const key of ["covey/act/16", "covey/act/1", "covey/act/metrics", "covey/act/-1", "x"]) {
      expect(slotOf(key)).toBeUndefined();
    }
  });
});
