/** What goes where in a board's flash, of mcconfig's output and of merged images. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ChipName, chips } from "../../../host-tools/chips/chips.ts";
import { LayoutError, outputFiles, readLayout } from "../../../host-tools/images/layout.ts";
import { mergePieces } from "../../../host-tools/images/merge.ts";
import { emptyOtaData, selectSlot } from "../../../host-tools/images/ota-data.ts";
import { parsePartitionCsv } from "../../../host-tools/images/partition-csv.ts";
import {
  mcconfigCsv,
  type OutputFolder,
  sampleApp,
  sampleBootloader,
  slotsCsv,
  writeOutputFolder,
} from "./sample-images.ts";

const root = mkdtempSync(join(tmpdir(), "covey-layout-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (chip: ChipName, contents?: OutputFolder) =>
  writeOutputFolder(join(root, `${folders++}`), chip, contents);
const places = ({ pieces }: Awaited<ReturnType<typeof readLayout>>) =>
  pieces.map(({ name, offsetBytes }) => [name, offsetBytes]);

describe("mcconfig's folder", () => {
  test.for(Object.keys(chips) as ChipName[])("of an %s: each piece at its place", async (chip) => {
    const layout = await readLayout(folder(chip));
    expect(layout.chip).toBe(chip);
    expect(places(layout)).toEqual([
      ["bootloader", chips[chip].bootloaderOffset],
      ["partition table", 0x8000],
      ["otadata", 0xf000],
      ["ota_0", 0x2_0000],
    ]);
    expect(layout.app?.app?.project).toBe("xs_esp32");
    expect(layout.bootloader.chipId).toBe(chips[chip].id);
    expect(layout.partitions).toEqual(parsePartitionCsv(slotsCsv));
  });

  test("with mcconfig's own table has the app in factory, and no otadata", async () => {
    const partitions = parsePartitionCsv(mcconfigCsv);
    expect(places(await readLayout(folder("esp32", { partitions, otaData: false })))).toEqual([
      ["bootloader", 0x1000],
      ["partition table", 0x8000],
      ["factory", 0x1_0000],
    ]);
  });

  test("without ota_data_initial.bin has an empty otadata, so that its own app boots", async () => {
    const { pieces } = await readLayout(folder("esp32", { otaData: false }));
    expect(pieces.find(({ name }) => name === "otadata")?.bytes).toEqual(emptyOtaData());
  });

  test.for(["bootloader", "table", "app"] as const)("without its %s is refused", async (which) => {
    const path = folder("esp32");
    rmSync(join(path, outputFiles[which]));
    await expect(readLayout(path)).rejects.toThrow(LayoutError);
    await expect(readLayout(path)).rejects.toThrow(
      `${path} holds no ${outputFiles[which]}: give the folder that mcconfig made, build/bin/esp32/.../release/NAME.`,
    );
  });

  test("with a torn app names the file", async () => {
    const path = folder("esp32", { app: sampleApp("esp32").subarray(0, 500) });
    await expect(readLayout(path)).rejects.toThrow(
      `${join(path, "xs_esp32.bin")} can't be used: this is no sound app image: it ends within a segment`,
    );
  });

  test("with images for two chips is refused", async () => {
    const path = folder("esp32", { bootloader: sampleBootloader("esp32c3") });
    await expect(readLayout(path)).rejects.toThrow(
      "holds a bootloader for ESP32-C3 and an app for ESP32: build it again.",
    );
  });

  test("with an app that is too large says by how much", async () => {
    const partitions = parsePartitionCsv(slotsCsv.replace("0x20000, 0x1d0000", "0x20000, 0x1000"));
    const app = sampleApp("esp32", 0x1000);
    await expect(readLayout(folder("esp32", { partitions, app }))).rejects.toThrow(
      `has a ota_0 that is ${app.length - 0x1000} bytes too large for its place.`,
    );
  });

  test("with a table that has no place for an app is refused", async () => {
    const partitions = parsePartitionCsv("nvs, data, nvs, , 0x6000");
    await expect(readLayout(folder("esp32", { partitions }))).rejects.toThrow(
      "has a partition table with no place for an app.",
    );
  });

  test("that is not there is refused with what makes one", async () => {
    await expect(readLayout(join(root, "none"))).rejects.toThrow(
      "build the board's image first (covey build)",
    );
  });
});

describe("a merged image", () => {
  test.for(["esp32", "esp32s3", "esp32c3"] as const)(
    "of an %s has the layout of its folder",
    async (chip) => {
      const fromFolder = await readLayout(folder(chip));
      const file = join(root, `${chip}.bin`);
      writeFileSync(file, mergePieces(fromFolder.pieces));
      const fromFile = await readLayout(file);
      expect(places(fromFile)).toEqual(places(fromFolder));
      expect(mergePieces(fromFile.pieces)).toEqual(mergePieces(fromFolder.pieces));
      expect(fromFile.app).toEqual(fromFolder.app);
    },
  );

  test("of a board that was updated has the app that boots", async () => {
    const layout = await readLayout(folder("esp32"));
    const pieces = layout.pieces.map((each) =>
      each.name === "otadata" ? { ...each, bytes: selectSlot(emptyOtaData(), 1, 2, "valid") } : each,
    );
    const app = sampleApp("esp32", 2222);
    const file = join(root, "updated.bin");
    writeFileSync(file, mergePieces([...pieces, { name: "ota_1", offsetBytes: 0x1f_0000, bytes: app }]));
    expect((await readLayout(file)).app?.sizeBytes).toBe(app.length);
  });

  test("whose app is damaged, or for another chip, is refused", async () => {
    const layout = await readLayout(folder("esp32"));
    const image = mergePieces(layout.pieces);
    image[0x2_0100]! ^= 1;
    const file = join(root, "damaged.bin");
    writeFileSync(file, image);
    await expect(readLayout(file)).rejects.toThrow(
      `${file}, partition ota_0, can't be used: this is no sound app image`,
    );
    const mixed = layout.pieces.map((each) =>
      each.name === "ota_0" ? { ...each, bytes: sampleApp("esp32c3") } : each,
    );
    writeFileSync(file, mergePieces(mixed));
    await expect(readLayout(file)).rejects.toThrow(
      "has a bootloader for ESP32 and in ota_0 an app for ESP32-C3.",
    );
  });

  test("that is an app alone is refused", async () => {
    const file = join(root, "app.bin");
    writeFileSync(file, sampleApp("esp32"));
    await expect(readLayout(file)).rejects.toThrow(
      "is no image of a whole flash: give mcconfig's output folder, or a file of covey image merge.",
    );
  });
});
