/** What goes where in a board's flash, of mcconfig's output and of merged images. */
import { describe, expect, test } from "vitest";
import { type ChipName, chips } from "../../../host-tools/chips/chips.ts";
import { ImageError } from "../../../host-tools/images/image-error.ts";
import {
  type Layout,
  LayoutError,
  layoutOfFiles,
  layoutOfMerged,
  layoutProblems,
} from "../../../host-tools/images/layout.ts";
import { mergePieces } from "../../../host-tools/images/merge.ts";
import { emptyOtaData, selectSlot } from "../../../host-tools/images/ota-data.ts";
import { parsePartitionCsv } from "../../../host-tools/images/partition-csv.ts";
import {
  mcconfigCsv,
  type OutputFiles,
  outputFiles,
  sampleApp,
  sampleBootloader,
  slotsCsv,
} from "./sample-images.ts";

const layoutOf = (chip: ChipName, contents?: OutputFiles) =>
  layoutOfFiles("out", outputFiles(chip, contents));
const places = ({ pieces }: Layout) => pieces.map(({ name, offsetBytes }) => [name, offsetBytes]);

describe("mcconfig's files", () => {
  test.for(Object.keys(chips) as ChipName[])("of an %s: each piece at its place", (chip) => {
    const layout = layoutOf(chip);
    expect(layout.chipId).toBe(chips[chip].id);
    expect(places(layout)).toEqual([
      ["bootloader", chips[chip].bootloaderOffset],
      ["partition table", 0x8000],
      ["otadata", 0xf000],
      ["ota_0", 0x2_0000],
    ]);
    expect(layout.app?.name).toBe("ota_0");
    expect(layout.partitions).toEqual(parsePartitionCsv(slotsCsv));
    expect(layoutProblems(layout)).toEqual([]);
  });

  test("with mcconfig's own table have the app in factory, and no otadata", () => {
    const partitions = parsePartitionCsv(mcconfigCsv);
    const layout = layoutOf("esp32", { partitions, otaData: false });
    expect(places(layout)).toEqual([
      ["bootloader", 0x1000],
      ["partition table", 0x8000],
      ["factory", 0x1_0000],
    ]);
    expect(layoutProblems(layout)).toEqual([]);
  });

  test("without ota_data_initial.bin have an empty otadata, so that their own app boots", () => {
    const { pieces } = layoutOf("esp32", { otaData: false });
    expect(pieces.find(({ name }) => name === "otadata")?.bytes).toEqual(emptyOtaData());
  });

  test.for(["bootloader.bin", "partition-table.bin", "xs_esp32.bin"])("without %s are refused", (name) => {
    const files = outputFiles("esp32");
    files.delete(name);
    expect(() => layoutOfFiles("out", files)).toThrow(LayoutError);
    expect(() => layoutOfFiles("out", files)).toThrow(`out has no ${name}: build the board again.`);
  });

  test("with a torn app, or for a chip that is not known, are refused", () => {
    expect(() => layoutOf("esp32", { app: sampleApp("esp32").subarray(0, 500) })).toThrow(ImageError);
    expect(() => layoutOf("esp32", { app: sampleApp("esp32", 700, { chipId: 99 }) })).toThrow(LayoutError);
  });

  test("with a table that has no place for an app are refused", () => {
    const partitions = parsePartitionCsv("nvs, data, nvs, , 0x6000");
    expect(() => layoutOf("esp32", { partitions })).toThrow(
      "The partition table of out has no room for an app.",
    );
  });
});

describe("a merged image", () => {
  test.for(Object.keys(chips) as ChipName[])("of an %s has the layout of its files", (chip) => {
    const layout = layoutOf(chip);
    const merged = layoutOfMerged("out", mergePieces(layout.pieces));
    expect(places(merged)).toEqual(places(layout));
    expect(mergePieces(merged.pieces)).toEqual(mergePieces(layout.pieces));
    expect(merged.app?.name).toBe("ota_0");
    expect(layoutProblems(merged)).toEqual([]);
  });

  test("of a board that was updated has the app that boots", () => {
    const pieces = layoutOf("esp32").pieces.map((each) =>
      each.name === "otadata" ? { ...each, bytes: selectSlot(emptyOtaData(), 1, 2, "valid") } : each,
    );
    const other = { name: "ota_1", offsetBytes: 0x1f_0000, bytes: sampleApp("esp32", 2222) };
    const { app } = layoutOfMerged("copy", mergePieces([...pieces, other]));
    expect(app).toMatchObject({ name: "ota_1", offsetBytes: 0x1f_0000 });
  });

  test("with an NVS has all of it, because a page that the board holds behind it would count", () => {
    const image = mergePieces(layoutOf("esp32").pieces);
    image[0x9000] = 0xfe;
    const nvs = layoutOfMerged("copy", image).pieces.find(({ name }) => name === "nvs");
    expect(nvs?.bytes.length).toBe(0x6000);
  });

  test("that is an app alone, or nothing, is refused", () => {
    expect(() => layoutOfMerged("app.bin", sampleApp("esp32"))).toThrow(
      "app.bin is one app alone: give the folder that it lies in, with bootloader and partition table.",
    );
    expect(() => layoutOfMerged("empty.bin", new Uint8Array())).toThrow(
      "empty.bin is no merged image: it has no partition table at 0x8000.",
    );
  });
});

describe("what keeps a board from starting is told", () => {
  test("an app that is too large, and by how much", () => {
    const partitions = parsePartitionCsv(slotsCsv.replace("0x20000, 0x1d0000", "0x20000, 0x1000"));
    const app = sampleApp("esp32", 0x1000);
    expect(layoutProblems(layoutOf("esp32", { partitions, app }))).toEqual([
      `The ota_0 in out is ${app.length - 0x1000} bytes too large for its place.`,
    ]);
  });

  test("a bootloader for another chip", () => {
    expect(layoutProblems(layoutOf("esp32", { bootloader: sampleBootloader("esp32c3") }))).toEqual([
      "The bootloader in out is for an ESP32-C3, and other parts for an ESP32: build it again.",
    ]);
  });

  test("a bootloader that reaches into the table", () => {
    const bootloader = sampleApp("esp32", 0x7000);
    expect(layoutProblems(layoutOf("esp32", { bootloader }))).toEqual([
      `The bootloader in out is ${bootloader.length - 0x7000} bytes too large for its place.`,
    ]);
  });

  test("an app that is damaged", () => {
    const image = mergePieces(layoutOf("esp32").pieces);
    image[0x2_0100]! ^= 1;
    expect(layoutProblems(layoutOfMerged("copy", image))).toEqual([
      expect.stringMatching(
        /^The ota_0 in copy can't be used\. This is no sound app image: its checksum is wrong/,
      ),
    ]);
  });
});
