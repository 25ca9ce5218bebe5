/** Gives a simulated board what `covey provision` gives a real one: written into the NVS partition of its chip. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { storedKeys } from "../../../protocols/provisioning/stored.ts";
import type { BoardDescription } from "../../boards/boards.ts";
import {
  type BoardSettings,
  mergedValues,
  type StoredValues,
  sameValues,
  valuesOf,
} from "../../provisioner/board-settings.ts";
import { FlashFileError } from "./flash-file.ts";
import { NvsValues } from "./nvs-values.ts";

/**
 * What the swarm itself told the board since stays; nothing is written when nothing changes.
 *
 * @returns one sentence when the partition was damaged and is kept aside
 * @throws {FlashFileError}
 */
export function giveSettings(
  folder: string,
  { partitions }: BoardDescription,
  settings: BoardSettings,
): string | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FlashFileError(folder, (error as Error).message);
  }
  const { sizeBytes } = partitions.find(({ name }) => name === "nvs")!;
  const { values, warning } = NvsValues.open(join(folder, "nvs"), sizeBytes);
  const given = valuesOf(settings);
  const held = heldBy(values);
  // Most boards hold what they are given, and to look closer takes milliseconds.
  if (sameValues(given, held)) return warning;
  const wanted = held.size === 0 ? given : mergedValues(given, held, false);
  const gone = [...held.keys()].filter((key) => !wanted.has(key));
  values.change(new Map([...wanted, ...gone.map((key) => [key, undefined] as const)]));
  return warning;
}

function heldBy(values: NvsValues): StoredValues {
  const held = new Map<string, Uint8Array>();
  for (const key of Object.values(storedKeys)) {
    const value = values.read(key);
    if (value !== undefined) held.set(key, value);
  }
  return held;
}
