import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type Checkpoint,
  CheckpointDamaged,
  checkpointFromBytes,
  checkpointLimits,
  checkpointToBytes,
  isCheckpointName,
  statedDigest,
} from "../../../../host-tools/leader/checkpoints/checkpoint-file.ts";
import { CheckpointStore } from "../../../../host-tools/leader/checkpoints/checkpoint-store.ts";
import { markerFromValue, markerToValue } from "../../../../host-tools/leader/checkpoints/marker.ts";
import { type StateValue, stateLimits } from "../../../../protocols/state/command.ts";

const values = fc
  .uniqueArray(
    fc.tuple(
      fc.stringMatching(/^[a-z0-9./_-]{1,12}$/),
      fc.oneof(fc.integer(), fc.boolean(), fc.string({ maxLength: 20 }), fc.uint8Array({ maxLength: 40 })),
    ),
    { maxLength: 20, selector: ([key]) => key },
  )
  .map((pairs) => new Map<string, StateValue>(pairs.sort(([a], [b]) => (a < b ? -1 : 1))));

function checkpointOf(of: ReadonlyMap<string, StateValue>): Checkpoint {
  return {
    swarm: "greenhouse",
    name: "summer",
    index: 9,
    term: 2,
    madeMs: 1_790_000_000_000,
    by: "ann",
    values: of,
  };
}

describe("the file of a checkpoint", () => {
  test("comes back as it was written, the same bytes whatever the order of the keys", () => {
    fc.assert(
      fc.property(values, (some) => {
        const bytes = checkpointToBytes(checkpointOf(some));
        expect(checkpointFromBytes(bytes)).toEqual(checkpointOf(some));
        expect(checkpointToBytes(checkpointOf(new Map([...some].reverse())))).toEqual(bytes);
      }),
    );
  });

  test("is refused with any bit flipped, and cut anywhere", () => {
    const bytes = checkpointToBytes(
      checkpointOf(
        new Map<string, StateValue>([
          ["a", 1],
          ["b", "text"],
        ]),
      ),
    );
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at % 8);
      expect(() => checkpointFromBytes(flipped)).toThrow(CheckpointDamaged);
      expect(() => checkpointFromBytes(bytes.subarray(0, at))).toThrow(CheckpointDamaged);
    }
  });

  test("of the largest state there may be is within its bound", () => {
    const value = new Uint8Array(stateLimits.valueBytesMax);
    const full = new Map(
      Array.from({ length: stateLimits.keysMax }, (_, i) => [
        `${i}`.padStart(stateLimits.keyLengthMax, "k"),
        value,
      ]),
    );
    const bytes = checkpointToBytes(checkpointOf(full));
    expect(bytes.length).toBeLessThanOrEqual(checkpointLimits.bytesMax);
    expect(checkpointFromBytes(bytes).values.size).toBe(stateLimits.keysMax);
  });

  test("has a name that is a file's and a key's", () => {
    const good = ["a", "summer-2", "before-120"];
    const bad = ["", "now", "Summer", "2nd", "a/b", "..", "a.b", "x".repeat(25)];
    expect(good.filter(isCheckpointName)).toEqual(good);
    expect(bad.filter(isCheckpointName)).toEqual([]);
  });
});

test("a marker says again what it was given", () => {
  const begun = { madeMs: 7, by: "ann", isAutomatic: true, made: undefined };
  expect(markerFromValue(markerToValue(begun))).toEqual(begun);
  const complete = { ...begun, made: { index: 4, term: 2, digest: new Uint8Array(32).fill(3) } };
  expect(markerFromValue(markerToValue(complete))).toEqual(complete);
  expect(markerFromValue(Uint8Array.of(1))).toBeUndefined();
  expect(markerFromValue("text")).toBeUndefined();
});

describe("a host's copies", () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), "covey-checkpoints-"));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };

  test("cut at any byte by the power are as before, or not there", () => {
    const directory = folder();
    const store = new CheckpointStore(directory);
    const old = checkpointToBytes(checkpointOf(new Map([["a", 1]])));
    const next = checkpointToBytes(checkpointOf(new Map([["a", 2]])));
    for (let cut = 0; cut <= next.length; cut++) {
      // What a power cut leaves of a durable write: a part of the staged file, and the file before, if any.
      writeFileSync(join(directory, "summer.checkpoint.new"), next.subarray(0, cut));
      expect(store.names()).toEqual([]);
      expect(store.check("summer", statedDigest(next))).toBe("missing");
    }
    store.write("summer", old);
    for (let cut = 0; cut <= next.length; cut++) {
      writeFileSync(join(directory, "summer.checkpoint.new"), next.subarray(0, cut));
      expect(store.check("summer", statedDigest(old))).toBe("whole");
    }
    store.write("summer", next);
    expect(store.open("summer", statedDigest(next)).values.get("a")).toBe(2);
    // Another one of that name, whole in itself.
    expect(store.check("summer", statedDigest(old))).toBe("damaged");
    store.remove("summer");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("damaged on the disk are said to be so, and not opened", () => {
    const directory = folder();
    const store = new CheckpointStore(directory);
    const bytes = checkpointToBytes(checkpointOf(new Map([["a", 1]])));
    const digest = statedDigest(bytes);
    writeFileSync(join(directory, "summer.checkpoint"), bytes.subarray(0, -1));
    expect(store.check("summer", digest)).toBe("damaged");
    expect(() => store.open("summer", digest)).toThrow(CheckpointDamaged);
    writeFileSync(join(directory, "summer.checkpoint"), Buffer.alloc(checkpointLimits.bytesMax + 1));
    expect(store.check("summer", digest)).toBe("damaged");
  });
});
