/** Which of the images on disk a chip gets. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { layoutFor, readLayouts } from "../../../host-tools/flasher/image-files.ts";
import { mergePieces } from "../../../host-tools/images/merge.ts";
import { boardFiles, boardLayout } from "./board-image.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "covey-flash-"));
  await build("esp32c3", "north");
  await build("esp32s3", "south");
});
afterAll(() => rm(folder, { recursive: true }));

async function build(chip: "esp32c3" | "esp32s3", name: string): Promise<void> {
  const place = join(folder, "boards", name, `sdk/bin/esp32/${chip}/release/${name}`);
  await mkdir(place, { recursive: true });
  const files = boardFiles({ chip, appBytes: 60_000 });
  for (const [file, bytes] of files) await writeFile(join(place, file), bytes);
  // The SDK leaves its own build beside it.
  const scratch = join(folder, "boards", name, "sdk/tmp/build");
  await mkdir(scratch, { recursive: true });
  await writeFile(join(scratch, "xs_esp32.bin"), files.get("xs_esp32.bin")!);
}

type Facts = Parameters<typeof layoutFor>[1];
const facts = (id: number, label: string) => ({ id, label }) as Facts;

test("of a folder with several builds, each chip gets its own", async () => {
  const layouts = await readLayouts(join(folder, "boards"));
  expect(layouts).toHaveLength(2);
  expect(layoutFor(layouts, facts(9, "ESP32-S3")).source).toContain("south");
  expect(layoutFor(layouts, facts(5, "ESP32-C3")).source).toContain("north");
  expect(() => layoutFor(layouts, facts(0, "ESP32"))).toThrow(
    "No image is for an ESP32; there are some for ESP32-C3, ESP32-S3: build one with covey build --board NAME.",
  );
});

test("two builds for one chip: the user says which", async () => {
  await build("esp32c3", "north-2");
  const layouts = await readLayouts(join(folder, "boards"));
  expect(() => layoutFor(layouts, facts(5, "ESP32-C3"))).toThrow(
    /^2 images are for an ESP32-C3 .* --image\.$/,
  );
});

test("one merged image", async () => {
  const file = join(folder, "all.bin");
  await writeFile(file, mergePieces(boardLayout({ chip: "esp32c3", appBytes: 60_000 }).pieces));
  expect(await readLayouts(file)).toMatchObject([{ chipId: 5, source: file }]);
});

test("no such place, and a place with nothing in it", async () => {
  await expect(readLayouts(join(folder, "none"))).rejects.toThrow(/build a board's image with covey build/);
  await mkdir(join(folder, "empty"));
  await expect(readLayouts(join(folder, "empty"))).rejects.toThrow(/^No image lies in .*empty/);
});
