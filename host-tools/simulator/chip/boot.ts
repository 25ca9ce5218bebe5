/**
 * Which firmware a chip starts: what ESP-IDF's bootloader does with CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE and no factory app
 * (`bootloader_utility.c`), and what the app may do to it afterwards (`esp_ota_ops.c`). Pure: it knows the flash and nothing else.
 *
 * An update is selected as `new`. The bootloader starts it once, as `pending-verify`; whoever is that still at the next start was not
 * told to be `valid` meanwhile, becomes `aborted`, and the firmware before it starts again.
 */
import type { FlashRegion } from "../../../firmware/platform/ports.ts";
import {
  type OtaRecord,
  type OtaState,
  otaDataBytes,
  otaRecordBytes,
  readOtaRecord,
  selectSlot,
  writeOtaRecord,
} from "../../images/ota-data.ts";

export interface Booted {
  /** Number of the slot whose firmware starts: 0 for `ota_0`. */
  readonly slot: number;
  /** It is to say that it works before the next start. */
  readonly isOnTrial: boolean;
}

/**
 * Chooses, and writes what the bootloader writes.
 *
 * @param isBootable whether a sound image for this chip lies in a slot; asked for few of them
 * @returns undefined when no slot holds one
 */
export function boot(
  otadata: FlashRegion,
  slots: number,
  isBootable: (slot: number) => boolean,
): Booted | undefined {
  abortTrials(otadata);
  const records = readRecords(otadata);
  const active = activeOf(records);
  if (active !== undefined && records[active]!.state === "new")
    rewrite(otadata, active, records[active]!.sequence, "pending-verify");
  const selected = active === undefined ? undefined : slotOf(records[active]!, slots);
  const slot = inTurn(firstChoice(records, selected), slots).find(isBootable);
  if (slot === undefined) return undefined;
  // A new board: from now on it is written which slot runs, so that it is the one to come back to.
  if (records.every(isInitial)) rewrite(otadata, 0, slot + 1, "valid");
  return { slot, isOnTrial: slot === selected && stateOf(otadata, active!) === "pending-verify" };
}

/** The slot starts next, on trial: `esp_ota_set_boot_partition`, for an image that was found sound. */
export function selectNext(otadata: FlashRegion, slot: number, slots: number): void {
  const before = otadata.read(0, otaDataBytes);
  const after = selectSlot(before, slot, slots, "new");
  for (let sector = 0; sector < recordCount; sector++) {
    const at = sector * otadata.sectorBytes;
    const record = after.subarray(at, at + otaRecordBytes);
    if (Buffer.compare(record, before.subarray(at, at + otaRecordBytes)) === 0) continue;
    otadata.eraseSector(sector);
    otadata.write(at, record);
  }
}

/** The selected firmware works: `esp_ota_mark_app_valid_cancel_rollback`. */
export function markValid(otadata: FlashRegion): void {
  const records = readRecords(otadata);
  const active = activeOf(records);
  if (active === undefined || records[active]!.state === "valid") return;
  rewrite(otadata, active, records[active]!.sequence, "valid");
}

const recordCount = 2;
const erasedSequence = 0xffff_ffff;

function readRecords(otadata: FlashRegion): readonly OtaRecord[] {
  return [0, 1].map((sector) => readOtaRecord(otadata.read(sector * otadata.sectorBytes, otaRecordBytes)));
}

function abortTrials(otadata: FlashRegion): void {
  for (const [sector, { sequence, state }] of readRecords(otadata).entries())
    if (state === "pending-verify") rewrite(otadata, sector, sequence, "aborted");
}

/** As the bootloader counts them, which looks at the CRC only when it compares. */
function isInvalid({ sequence, state }: OtaRecord): boolean {
  return sequence === erasedSequence || state === "invalid" || state === "aborted";
}

function isInitial({ sequence, isSound }: OtaRecord): boolean {
  return sequence === erasedSequence || !isSound;
}

/** The sector whose record counts. */
function activeOf(records: readonly OtaRecord[]): number | undefined {
  const [first, second] = records.map((record) =>
    isInvalid(record) || !record.isSound ? -1 : record.sequence,
  ) as [number, number];
  if (first < 0 && second < 0) return undefined;
  return first >= second ? 0 : 1;
}

function slotOf({ sequence }: OtaRecord, slots: number): number {
  return ((sequence - 1) >>> 0) % slots;
}

/** -1: no record is worth anything, and the factory app would be tried first. */
function firstChoice(records: readonly OtaRecord[], selected: number | undefined): number {
  return selected ?? (records.every(isInvalid) ? 0 : -1);
}

/** From the first choice down to the first slot, then up from it. */
function inTurn(first: number, slots: number): number[] {
  const down = Array.from({ length: first + 1 }, (_, i) => first - i);
  const up = Array.from({ length: slots - first - 1 }, (_, i) => first + 1 + i);
  return [...down, ...up];
}

function stateOf(otadata: FlashRegion, sector: number): OtaState {
  return readRecords(otadata)[sector]!.state;
}

function rewrite(otadata: FlashRegion, sector: number, sequence: number, state: OtaState): void {
  otadata.eraseSector(sector);
  otadata.write(sector * otadata.sectorBytes, writeOtaRecord(sequence, state));
}
