/** Layouts from disk: a merged image, the folder that mcconfig filled, or a folder with several of those, of which each chip gets its own. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { chipLabel } from "../chips/chips.ts";
import { readAppImage, simulatorProject } from "../images/app-image.ts";
import { type Layout, LayoutError, layoutOfFiles, layoutOfMerged } from "../images/layout.ts";
import type { ChipFacts } from "./chip-facts.ts";
import { FlashProblem } from "./problems.ts";

/** At least one. @throws {LayoutError}, {ImageError} */
export async function readLayouts(path: string): Promise<Layout[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new LayoutError(
      `There is no ${path}: build a board's image with covey build --board NAME, or name one with --image.`,
    );
  }
  if (found.isFile()) return [layoutOfMerged(path, await readFile(path))];
  const layouts: Layout[] = [];
  for (const folder of await imageFolders(path, 0))
    layouts.push(layoutOfFiles(folder, await filesOf(folder)));
  if (layouts.length === 0) {
    throw new LayoutError(
      `No image lies in ${path}: a built one has xs_esp32.bin, bootloader.bin and partition-table.bin.`,
    );
  }
  return layouts;
}

/** Its app runs on simulated boards, and no chip starts from it. */
export function isForSimulator({ app }: Layout): boolean {
  return app !== undefined && readAppImage(app.bytes).app?.project === simulatorProject;
}

/** @throws {FlashProblem} when there is none for this chip, or more than one */
export function layoutFor(layouts: readonly Layout[], { id, label }: ChipFacts): Layout {
  // A single one is refused with its own words when it is for another chip.
  if (layouts.length === 1) return layouts[0]!;
  const fitting = layouts.filter(({ chipId }) => chipId === id);
  if (fitting.length === 1) return fitting[0]!;
  const sources = fitting.map(({ source }) => source).join(", ");
  throw fitting.length > 1
    ? new FlashProblem(
        "no-image",
        `${fitting.length} images are for an ${label} (${sources}): name the one with --image.`,
      )
    : new FlashProblem(
        "no-image",
        `No image is for an ${label}; there are some for ${[...new Set(layouts.map(({ chipId }) => chipLabel(chipId)))].join(", ")}: build one with covey build --board NAME.`,
      );
}

const imageFile = "xs_esp32.bin";
/** From build/boards to build/boards/NAME/sdk/bin/esp32/esp32c3/release/NAME. */
const depthMax = 8;
const imageFiles = [imageFile, "bootloader.bin", "partition-table.bin", "ota_data_initial.bin"];

async function imageFolders(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.isFile() && entry.name === imageFile)) return [folder];
  if (depth === depthMax) return [];
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    // ESP-IDF's own build, in which the same files lie about, is under tmp.
    if (entry.isDirectory() && entry.name !== "tmp")
      found.push(...(await imageFolders(join(folder, entry.name), depth + 1)));
  }
  return found;
}

async function filesOf(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of imageFiles) {
    const bytes = await readFile(join(folder, name)).catch(() => undefined);
    if (bytes !== undefined) files.set(name, bytes);
  }
  return files;
}
