/** Pieces to one image, and back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chips } from "../../../host-tools/chips/chips.ts";
import { ImageError } from "../../../host-tools/images/image-error.ts";
import { mergePieces, type Piece, splitImage } from "../../../host-tools/images/merge.ts";
import { emptyOtaData } from "../../../host-tools/images/ota-data.ts";
import { parsePartitionCsv } from "../../../host-tools/images/partition-csv.ts";
import { writePartitionTable } from "../../../host-tools/images/partition-table.ts";
import { sampleApp, sampleBootloader, slotsCsv } from "./sample-images.ts";

const partitions = parsePartitionCsv(slotsCsv);
const piece = (name: string, offsetBytes: number, bytes: Uint8Array): Piece => ({ name, offsetBytes, bytes });

/** Of a board as it is first flashed. */
function boardPieces(chip: "esp32" | "esp32s3"): Piece[] {
  return [
    piece("bootloader", chips[chip].bootloaderOffset, sampleBootloader(chip)),
    piece("partition table", 0x8000, writePartitionTable(partitions)),
    piece("otadata", 0xf000, emptyOtaData()),
    piece("ota_0", 0x2_0000, sampleApp(chip, 5000)),
  ];
}

function withBytes(image: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  image.set(bytes, at);
  return image;
}

describe("merging", () => {
  test("puts each piece at its place and 0xFF between them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(50), fc.uint8Array({ minLength: 1, maxLength: 50 })), {
          minLength: 1,
          maxLength: 12,
        }),
        (gaps) => {
          let at = 0;
          const pieces = gaps.map(([gap, bytes], i) => {
            const made = piece(`${i}`, at + gap, bytes);
            at += gap + bytes.length;
            return made;
          });
          const model: number[] = Array.from({ length: at }, () => 0xff);
          for (const { offsetBytes, bytes } of pieces) model.splice(offsetBytes, bytes.length, ...bytes);
          expect([...mergePieces(pieces.toReversed())]).toEqual(model);
        },
      ),
    );
  });

  test("refuses pieces that overlap, by name", () => {
    const pieces = [piece("a", 0, new Uint8Array(0x21)), piece("b", 0x20, new Uint8Array(1))];
    expect(() => mergePieces(pieces)).toThrow("b at 0x20 overlaps a, which ends at 0x21.");
    expect(mergePieces([piece("a", 0, new Uint8Array(0x20)), pieces[1]!])).toHaveLength(0x21);
  });

  test("refuses what no flash holds", () => {
    expect(() => mergePieces([])).toThrow(RangeError);
    expect(() => mergePieces([piece("far", 0xffff_0000, new Uint8Array(1))])).toThrow(RangeError);
  });
});

describe("splitting", () => {
  test.for(["esp32", "esp32s3"] as const)("gives back the pieces of an %s", (name) => {
    const pieces = boardPieces(name);
    const split = splitImage(mergePieces(pieces));
    expect(split.chip.name).toBe(name);
    expect(split.partitions).toEqual(partitions);
    expect(split.pieces.map((each) => [each.name, each.offsetBytes])).toEqual(
      pieces.map((each) => [each.name, each.offsetBytes]),
    );
    // The app's last sector ends with the image.
    for (const [i, { bytes }] of split.pieces.entries()) expect(bytes).toEqual(pieces[i]!.bytes);
    expect(mergePieces(split.pieces)).toEqual(mergePieces(pieces));
  });

  test("of a whole flash takes what is written: an app to its last sector, data to its end, nothing of what is empty", () => {
    const flash = new Uint8Array(4 * 1024 * 1024).fill(0xff);
    flash.set(mergePieces(boardPieces("esp32")));
    flash[0x9000 + 100] = 1;
    const { pieces } = splitImage(flash);
    expect(pieces.map(({ name, bytes }) => [name, bytes.length])).toEqual([
      ["bootloader", sampleBootloader("esp32").length],
      ["partition table", 0xc00],
      ["nvs", 0x6000],
      ["otadata", 0x2000],
      ["ota_0", 0x2000],
    ]);
  });

  test("has otadata also where it is empty, so that the image's own app boots", () => {
    const { pieces } = splitImage(mergePieces(boardPieces("esp32")));
    expect(pieces.find(({ name }) => name === "otadata")?.bytes).toEqual(emptyOtaData());
  });

  test.for<[string, (image: Uint8Array) => Uint8Array, string]>([
    ["without a table", (image) => image.fill(0xff, 0x8000, 0x9000), "no partition table begins at 0x8000"],
    ["without a bootloader", (image) => image.fill(0xff, 0, 0x8000), "no bootloader begins at 0x0 or 0x1000"],
    [
      "with a bootloader where its chip does not look",
      (image) => withBytes(image.fill(0xff, 0, 0x8000), 0, sampleBootloader("esp32")),
      "no bootloader begins at 0x0 or 0x1000",
    ],
    ["with a damaged bootloader", (image) => image.fill(0, 0x1100, 0x1103), "its checksum is wrong"],
    ["that is short", (image) => image.subarray(0, 0x8000), "no partition table begins at 0x8000"],
  ])("refuses an image %s", ([, damage, problem]) => {
    const image = damage(mergePieces(boardPieces("esp32")));
    expect(() => splitImage(image)).toThrow(ImageError);
    expect(() => splitImage(image)).toThrow(problem);
  });
});
