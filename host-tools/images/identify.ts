/** What a file is that may be any of those that lie in a flash, and what it says. */
import type { Chip } from "../chips/chips.ts";
import { type AppImage, isAppImage, readAppImage } from "./app-image.ts";
import { ImageError } from "./image-error.ts";
import { isBlank } from "./layout.ts";
import { isMerged, splitImage } from "./merge.ts";
import { type NvsKeys, readNvsKeys } from "./nvs/encryption.ts";
import { type NvsItem, pageBytes } from "./nvs/format.ts";
import { isNvs, readNvs } from "./nvs/read.ts";
import { type OtaSelection, otaDataBytes, readOtaData } from "./ota-data.ts";
import {
  DataSubtype,
  defaultApp,
  isData,
  otaSlots,
  type Partition,
  PartitionType,
  readPartitionTable,
} from "./partition-table.ts";

export type Identified =
  | { readonly kind: "app" | "bootloader"; readonly image: AppImage }
  | { readonly kind: "partition table"; readonly partitions: readonly Partition[] }
  | { readonly kind: "NVS"; readonly items: readonly NvsItem[] }
  | { readonly kind: "NVS keys" }
  /** `slot` is that of a board with two slots, for which the file alone can't say. */
  | { readonly kind: "otadata"; readonly selection: OtaSelection }
  | FlashContents;

export interface FlashContents {
  readonly kind: "flash";
  readonly chip: Chip;
  readonly bootloader: AppImage;
  readonly contents: readonly PartitionContent[];
  /** The partition whose app boots. */
  readonly boots: string | undefined;
}

export interface PartitionContent {
  readonly partition: Partition;
  readonly holds:
    | { readonly what: "nothing" }
    | { readonly what: "app"; readonly image: AppImage }
    | { readonly what: "values"; readonly items: readonly NvsItem[] }
    | { readonly what: "selection"; readonly selection: OtaSelection }
    | { readonly what: "bytes" }
    | { readonly what: "damage"; readonly problem: string };
}

/** @param keys of an encrypted NVS @throws {ImageError} for what begins like one of these and is damaged, and for what is none of them */
export function identify(bytes: Uint8Array, keys?: NvsKeys): Identified {
  // First, because the image of a flash begins with a bootloader on some chips.
  if (isMerged(bytes)) return flashContents(bytes, keys);
  if (isAppImage(bytes)) {
    const image = readAppImage(bytes);
    return { kind: image.app === undefined ? "bootloader" : "app", image };
  }
  if (bytes[0] === 0xaa && bytes[1] === 0x50)
    return { kind: "partition table", partitions: readPartitionTable(bytes) };
  if (bytes.length === otaDataBytes && !isNvs(bytes)) {
    const selection = readOtaData(bytes, 2);
    if (selection !== undefined) return { kind: "otadata", selection };
  }
  if (bytes.length > 0 && bytes.length % pageBytes === 0) {
    if (isNvs(bytes)) return { kind: "NVS", items: readNvs(bytes, keys) };
    if (bytes.length === pageBytes && areKeys(bytes)) return { kind: "NVS keys" };
  }
  const problem = isBlank(bytes) ? "it is empty" : "it begins like nothing that lies in a flash";
  throw new ImageError("image", 0, problem);
}

function flashContents(bytes: Uint8Array, keys: NvsKeys | undefined): FlashContents {
  const { chip, partitions, pieces } = splitImage(bytes);
  const slots = otaSlots(partitions);
  const contents = partitions.map((partition) => {
    const { offsetBytes, sizeBytes } = partition;
    return {
      partition,
      holds: holdsOf(partition, bytes.subarray(offsetBytes, offsetBytes + sizeBytes), slots.length, keys),
    };
  });
  const selected = contents.map(({ holds }) => holds).find(({ what }) => what === "selection");
  const booting = selected?.what === "selection" ? slots[selected.selection.slot] : defaultApp(partitions);
  return { kind: "flash", chip, bootloader: readAppImage(pieces[0]!.bytes), contents, boots: booting?.name };
}

function holdsOf(
  partition: Partition,
  bytes: Uint8Array,
  slots: number,
  keys: NvsKeys | undefined,
): PartitionContent["holds"] {
  if (isBlank(bytes)) return { what: "nothing" };
  try {
    if (partition.type === PartitionType.app) return { what: "app", image: readAppImage(bytes) };
    if (isData(partition, DataSubtype.nvs)) return { what: "values", items: readNvs(bytes, keys) };
    if (isData(partition, DataSubtype.ota) && slots > 0) {
      const selection = readOtaData(bytes, slots);
      return selection ? { what: "selection", selection } : { what: "damage", problem: "no record counts" };
    }
    return { what: "bytes" };
  } catch (error) {
    if (error instanceof ImageError) return { what: "damage", problem: error.problem };
    throw error;
  }
}

function areKeys(bytes: Uint8Array): boolean {
  try {
    readNvsKeys(bytes);
    return true;
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  }
}
