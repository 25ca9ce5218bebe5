/** Which slot boots. ESP-IDF, "Over The Air Updates", `bootloader_common_loader.c`, `esp_ota_ops.c`. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emptyOtaData,
  type OtaState,
  otaDataBytes,
  readOtaData,
  selectSlot,
} from "../../../host-tools/images/ota-data.ts";

/** What a board with two slots has after the first update: sequence 1 and its CRC-32, as ESP-IDF's forums and dumps show it. */
const firstRecord = `01000000${"ff".repeat(24)}9a984347`;

describe("a record", () => {
  test("is the one that ESP-IDF writes", () => {
    const bytes = selectSlot(emptyOtaData(), 0, 2);
    expect(Buffer.from(bytes.subarray(0, 32)).toString("hex")).toBe(firstRecord);
    expect(bytes.subarray(32).every((byte) => byte === 0xff)).toBe(true);
    expect(bytes.length).toBe(otaDataBytes);
  });

  test.for<OtaState>(["new", "pending-verify", "valid", "undefined"])("says that its app is %s", (state) => {
    expect(readOtaData(selectSlot(emptyOtaData(), 1, 2, state), 2)).toEqual({
      slot: 1,
      sequence: 2,
      state,
      sector: 0,
    });
  });

  test.for<OtaState>(["invalid", "aborted"])("of an app that is %s does not count", (state) => {
    const good = selectSlot(emptyOtaData(), 0, 2, "valid");
    expect(readOtaData(selectSlot(good, 1, 2, state), 2)).toMatchObject({ slot: 0, state: "valid" });
  });
});

test("an empty partition chooses none", () => {
  expect(readOtaData(emptyOtaData(), 2)).toBeUndefined();
  expect(readOtaData(new Uint8Array(), 2)).toBeUndefined();
});

test("the other sector is written, so that a power cut at any byte leaves the old choice or the new one", () => {
  const before = selectSlot(emptyOtaData(), 0, 2, "valid");
  const after = selectSlot(before, 1, 2, "new");
  expect(readOtaData(after, 2)).toMatchObject({ slot: 1, sequence: 2, sector: 1 });
  const third = selectSlot(after, 0, 2, "new");
  expect(readOtaData(third, 2)).toMatchObject({ slot: 0, sequence: 3, sector: 0 });
  for (let cut = 0; cut <= 0x1000; cut++) {
    const torn = before.slice();
    torn.set(after.subarray(0x1000, 0x1000 + cut), 0x1000);
    expect(readOtaData(torn, 2)?.slot).toBe(cut < 32 ? 0 : 1);
  }
});

test("a slot that is chosen boots, whatever was chosen before it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.array(fc.nat(), { maxLength: 40 }), (slots, chosen) => {
      let bytes = emptyOtaData();
      let sequence = 0;
      for (const each of chosen) {
        bytes = selectSlot(bytes, each % slots, slots, "valid");
        const selection = readOtaData(bytes, slots)!;
        expect(selection.slot).toBe(each % slots);
        expect(selection.sequence).toBeGreaterThan(sequence);
        expect(selection.sequence).toBeLessThanOrEqual(sequence + slots);
        sequence = selection.sequence;
      }
    }),
  );
});

test("a damaged record does not count", () => {
  const two = selectSlot(selectSlot(emptyOtaData(), 0, 2), 1, 2);
  for (const at of [0, 1, 2, 3, 28, 29, 30, 31]) {
    const damaged = two.slice();
    damaged[0x1000 + at]! ^= 4;
    expect(readOtaData(damaged, 2)).toMatchObject({ slot: 0, sequence: 1 });
  }
});

test("slots that there are not are refused", () => {
  expect(() => selectSlot(emptyOtaData(), 2, 2)).toThrow("There is no slot 2 of 2.");
  expect(() => selectSlot(emptyOtaData(), 0.5, 2)).toThrow(RangeError);
  expect(() => readOtaData(emptyOtaData(), 0)).toThrow(RangeError);
  expect(() => readOtaData(emptyOtaData(), 17)).toThrow(RangeError);
});
