/** What is refused before a byte is written, and why. */
import { describe, expect, test } from "vitest";
import type { ChipFacts } from "../../../host-tools/flasher/chip-facts.ts";
import { refusals } from "../../../host-tools/flasher/plan.ts";
import type { Layout } from "../../../host-tools/images/layout.ts";
import { boardLayout, flash4MB, partitions } from "./board-image.ts";

const facts: ChipFacts = {
  chip: "esp32c3",
  label: "ESP32-C3",
  id: 5,
  revision: 4,
  mac: "24:0a:c4:00:00:01",
  flashBytes: flash4MB,
  secureBoot: false,
  flashEncryption: false,
  secureDownload: false,
};
const layout = boardLayout({ chip: "esp32c3", appBytes: 60_000 });

const withPiece = (name: string, changes: Partial<Layout["pieces"][number]>): Layout => ({
  ...layout,
  pieces: layout.pieces.map((piece) => (piece.name === name ? { ...piece, ...changes } : piece)),
});

function damaged(): Layout {
  const bytes = layout.app!.bytes.map((byte, at) => (at === 9000 ? byte ^ 1 : byte));
  const app = { ...layout.app!, bytes };
  return { ...layout, app, pieces: layout.pieces.map((piece) => (piece === layout.app ? app : piece)) };
}

describe("a layout is refused", () => {
  test.each<[string, Layout, ChipFacts, RegExp]>([
    [
      "on another chip",
      boardLayout({ chip: "esp32s3", appBytes: 60_000 }),
      facts,
      /^The image in build\/boards\/north-1 is for an ESP32-S3, and this board has an ESP32-C3: build it for/,
    ],
    [
      "on an earlier revision than it needs",
      boardLayout({ chip: "esp32c3", appBytes: 60_000, minRevision: 101 }),
      facts,
      /needs an ESP32-C3 of revision v1\.1 or later, and this one is v0\.4/,
    ],
    [
      "on a smaller flash",
      layout,
      { ...facts, flashBytes: flash4MB / 2 },
      /is for a flash of 4 MB, and this board has 2 MB/,
    ],
    [
      "whose partitions end behind the flash",
      boardLayout({ chip: "esp32c3", appBytes: 60_000, flashBytes: 0x200000 }),
      { ...facts, flashBytes: 0x200000 },
      /log ends at 0x400000, and the flash at 0x200000/,
    ],
    [
      "whose app is larger than its slot",
      boardLayout({ chip: "esp32c3", appBytes: 0x1d1000 }),
      facts,
      /The ota_0 in build\/boards\/north-1 is 4,096 bytes too large for its place/,
    ],
    [
      "whose bootloader lies over the table",
      withPiece("bootloader", { bytes: Buffer.concat([layout.pieces[0]!.bytes, new Uint8Array(20_000)]) }),
      facts,
      /bootloader ends at 0x[0-9a-f]+, over partition table at 0x8000/,
    ],
    ["that begins within a sector", withPiece("otadata", { offsetBytes: 0xf010 }), facts, /begins at 0xf010/],
    [
      "whose app is damaged",
      damaged(),
      facts,
      /The ota_0 in .* can't be used\. This is no sound app image: its checksum is wrong/,
    ],
    [
      "whose table overlaps itself",
      { ...layout, partitions: [...partitions, { ...partitions[0]!, name: "more", offsetBytes: 0xa000 }] },
      facts,
      /more at 0xa000 overlaps nvs/,
    ],
  ])("%s", (_, given, chip, sentence) => {
    expect(refusals(given, chip).join("\n")).toMatch(sentence);
  });
});

test("one that fits is not", () => {
  expect(refusals(layout, facts)).toEqual([]);
});
