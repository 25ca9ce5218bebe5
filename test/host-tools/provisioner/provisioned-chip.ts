/** Emulated boards that were flashed, and what they hold. */
import type { ChipName } from "../../../host-tools/chips/chips.ts";
import type { NvsItem } from "../../../host-tools/images/nvs/format.ts";
import { readNvs } from "../../../host-tools/images/nvs/read.ts";
import { writeNvs } from "../../../host-tools/images/nvs/write.ts";
import { type Holder, holderOf, storedIn } from "../../../host-tools/provisioner/board-settings.ts";
import type { ChipOptions, EmulatedChip } from "../../emulators/esp-chip.ts";
import { type AttachedBoard, attach } from "../flasher/attached.ts";
import { boardLayout, flash4MB } from "../flasher/board-image.ts";

const nvsAt = 0x9000;
const nvsBytes = 0x6000;

/** With an image as `covey flash` leaves it, and an NVS that is blank but for `items`. */
export async function flashedBoard(
  chip: ChipName,
  given: Partial<ChipOptions> = {},
  items: readonly NvsItem[] = [],
): Promise<AttachedBoard> {
  const board = await attach({ chip: chip as ChipOptions["chip"], flashBytes: flash4MB, ...given });
  for (const { offsetBytes, bytes } of boardLayout({ chip, appBytes: 50_000 }).pieces)
    board.chip.flash.set(bytes, offsetBytes);
  if (items.length > 0) board.chip.flash.set(writeNvs(items, nvsBytes), nvsAt);
  return board;
}

export function nvsOf(chip: EmulatedChip): NvsItem[] {
  return readNvs(chip.flash.subarray(nvsAt, nvsAt + nvsBytes));
}

export function holderIn(chip: EmulatedChip): Holder | undefined {
  return holderOf(storedIn(nvsOf(chip)));
}

/** As the radio's driver and another program leave them. */
export const foreignItems: readonly NvsItem[] = [
  { namespace: "phy", key: "cal_version", type: "u32", value: 5n },
  { namespace: "phy", key: "cal_data", type: "blob", value: new Uint8Array(1904).map((_, i) => i & 0xff) },
  { namespace: "nvs.net80211", key: "opmode", type: "u8", value: 1n },
  { namespace: "shop", key: "owner", type: "text", value: "somebody" },
];

/** All of the flash but the NVS. */
export function besideNvs(chip: EmulatedChip): Buffer {
  const bytes = Buffer.from(chip.flash);
  return bytes.fill(0, nvsAt, nvsAt + nvsBytes);
}
