/** The keys partition. */
import { describe, expect, test } from "vitest";
import {
  encryptNvs,
  keysPartitionBytes,
  readNvsKeys,
  writeNvsKeys,
} from "../../../../host-tools/images/nvs/encryption.ts";

const keys = {
  data: Uint8Array.from({ length: 32 }, (_, i) => i),
  tweak: Uint8Array.from({ length: 32 }, (_, i) => 255 - i),
};

describe("keys", () => {
  test("are read as they were written", () => {
    const partition = writeNvsKeys(keys);
    expect(partition.length).toBe(keysPartitionBytes);
    expect(readNvsKeys(partition)).toEqual(keys);
  });

  test("with any bit wrong are refused", () => {
    for (let bit = 0; bit < 68 * 8; bit++) {
      const partition = writeNvsKeys(keys);
      partition[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readNvsKeys(partition)).toThrow("the CRC-32 of its keys is wrong");
    }
  });

  test("that a chip has not made yet are named as such", () => {
    expect(() => readNvsKeys(new Uint8Array(4096).fill(0xff))).toThrow("it holds no keys yet");
    expect(() => readNvsKeys(writeNvsKeys(keys).subarray(0, 67))).toThrow("it ends within its keys");
  });

  test("that are no pair of XTS are refused", () => {
    const same = { data: keys.data, tweak: keys.data };
    expect(() => writeNvsKeys(same)).toThrow(RangeError);
    expect(() => encryptNvs(new Uint8Array(4096), same)).toThrow(RangeError);
    expect(() => writeNvsKeys({ data: keys.data, tweak: keys.tweak.subarray(1) })).toThrow(RangeError);
  });
});
