/** Whatever bytes a file holds, a reader gives a value or an ImageError, in little time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAppImage, readAppImage } from "../../../host-tools/images/app-image.ts";
import { identify } from "../../../host-tools/images/identify.ts";
import { ImageError } from "../../../host-tools/images/image-error.ts";
import { mergePieces, splitImage } from "../../../host-tools/images/merge.ts";
import { readNvsKeys, writeNvsKeys } from "../../../host-tools/images/nvs/encryption.ts";
import { entryCrc, headerCrc } from "../../../host-tools/images/nvs/format.ts";
import { readNvs } from "../../../host-tools/images/nvs/read.ts";
import { writeNvs } from "../../../host-tools/images/nvs/write.ts";
import { emptyOtaData, readOtaData, selectSlot } from "../../../host-tools/images/ota-data.ts";
import { parsePartitionCsv } from "../../../host-tools/images/partition-csv.ts";
import {
  checkPartitions,
  readPartitionTable,
  writePartitionTable,
} from "../../../host-tools/images/partition-table.ts";
import { sampleApp, sampleBootloader, slotsCsv } from "./sample-images.ts";

const table = writePartitionTable(parsePartitionCsv(slotsCsv));
const nvs = writeNvs(
  [
    { namespace: "n", key: "number", type: "i64", value: -1n },
    { namespace: "n", key: "text", type: "text", value: "x".repeat(200) },
    { namespace: "m", key: "blob", type: "blob", value: new Uint8Array(5000) },
  ],
  0x4000,
);
const keys = { data: new Uint8Array(32).fill(1), tweak: new Uint8Array(32).fill(2) };
const merged = mergePieces([
  { name: "bootloader", offsetBytes: 0x1000, bytes: sampleBootloader("esp32") },
  { name: "partition table", offsetBytes: 0x8000, bytes: table },
  { name: "ota_0", offsetBytes: 0x2_0000, bytes: sampleApp("esp32") },
]);

/** Sums made right again, so that what lies behind them is reached. */
function mendNvs(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let page = 0; page + 4096 <= bytes.length; page += 4096) {
    view.setUint32(page + 28, headerCrc(bytes.subarray(page, page + 4096)), true);
    for (let at = page + 64; at < page + 4096; at += 32) {
      view.setUint32(at + 4, entryCrc(bytes.subarray(at, at + 32)), true);
    }
  }
  return bytes;
}

const readers: Readonly<Record<string, { readonly seed: Uint8Array; read(bytes: Uint8Array): unknown }>> = {
  "an app image": { seed: sampleApp("esp32", 90), read: (bytes) => [isAppImage(bytes), readAppImage(bytes)] },
  "a partition table": {
    seed: table,
    read: (bytes) => checkPartitions(readPartitionTable(bytes), 4 * 1024 * 1024),
  },
  otadata: {
    seed: selectSlot(emptyOtaData(), 1, 2).subarray(0, 64),
    read: (bytes) => readOtaData(bytes, 2),
  },
  "an NVS": { seed: nvs, read: (bytes) => readNvs(bytes) },
  "an NVS with its sums right": { seed: nvs, read: (bytes) => readNvs(mendNvs(Uint8Array.from(bytes))) },
  "an encrypted NVS": { seed: nvs, read: (bytes) => readNvs(bytes, keys) },
  "NVS keys": { seed: writeNvsKeys(keys).subarray(0, 80), read: readNvsKeys },
  "a merged image": { seed: merged, read: splitImage },
  "a file of any kind": { seed: merged, read: (bytes) => identify(bytes, keys) },
};

describe.for(Object.entries(readers))("%s", ([, { seed, read }]) => {
  const edits = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 12 });
  const changed = fc
    .tuple(edits, fc.nat(seed.length), fc.boolean(), fc.boolean())
    .map(([changes, length, isCut, isBuffer]) => {
      const bytes = seed.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      const cut = isCut ? bytes.subarray(0, length) : bytes;
      return isBuffer ? Buffer.from(cut) : cut;
    });
  const anything = fc.uint8Array({ maxLength: 9000, size: "max" });

  test("changed, cut or anything is read or refused, and stays as it is", () => {
    fc.assert(
      fc.property(fc.oneof(changed, anything), (bytes) => {
        const before = Uint8Array.from(bytes);
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
        expect(Buffer.compare(before, bytes)).toBe(0);
      }),
      { numRuns: 120 },
    );
  });
});
