/**
 * Which of the app slots boots: the partition `otadata`, two sectors with a record each, of which the sound one with the higher sequence counts. ESP-IDF, "Over The Air
 * Updates", and `esp_ota_select_entry_t`.
 *
 * ```
 * sequence, 4 | label, 20 | state, 4 | CRC-32 of the sequence, 4
 * ```
 *
 * Slot of sequence n is (n - 1) modulo the number of slots. A change is written into the sector that does not count, so that a power cut leaves one that does.
 */
import { crc32 } from "node:zlib";

export type OtaState = "new" | "pending-verify" | "valid" | "invalid" | "aborted" | "undefined";

export interface OtaSelection {
  /** Number of the slot that boots: 0 for `ota_0`. */
  readonly slot: number;
  readonly sequence: number;
  readonly state: OtaState;
  /** The sector that says so: 0 or 1. */
  readonly sector: number;
}

export const otaDataBytes = 0x2000;
/** What a new board has: the factory app boots, or where there is none the first slot. */
export const emptyOtaData = (): Uint8Array => new Uint8Array(otaDataBytes).fill(0xff);

/**
 * undefined when no record counts: then the factory app boots, or the first slot. A record that is damaged, or whose app was found invalid or given up, does not count.
 * @throws {RangeError} for less than one slot
 */
export function readOtaData(bytes: Uint8Array, slots: number): OtaSelection | undefined {
  checkSlots(slots);
  const records = [recordAt(bytes, 0), recordAt(bytes, 1)].filter((each) => each !== undefined);
  const latest = records.reduce<Omit<OtaSelection, "slot"> | undefined>(
    (best, each) => (best === undefined || each.sequence > best.sequence ? each : best),
    undefined,
  );
  return latest && { ...latest, slot: (latest.sequence - 1) % slots };
}

/**
 * The partition after `slot` was chosen, from what it was before (empty for a new board).
 * @throws {RangeError} for a slot that there is not, and when no sequence is left
 */
export function selectSlot(
  before: Uint8Array,
  slot: number,
  slots: number,
  state: OtaState = "undefined",
): Uint8Array {
  checkSlots(slots);
  if (!Number.isInteger(slot) || slot < 0 || slot >= slots) {
    throw new RangeError(`There is no slot ${slot} of ${slots}.`);
  }
  const counting = readOtaData(before, slots);
  const last = counting?.sequence ?? 0;
  const next = last + 1 + ((slot - (last % slots) + slots) % slots);
  if (next >= 0xffff_ffff) throw new RangeError("The sequence of the slots is at its end.");
  const bytes = emptyOtaData();
  bytes.set(before.subarray(0, otaDataBytes));
  const sector = counting === undefined ? 0 : 1 - counting.sector;
  bytes.fill(0xff, sector * sectorBytes, (sector + 1) * sectorBytes);
  bytes.set(writeOtaRecord(next, state), sector * sectorBytes);
  return bytes;
}

/** A record as it lies on flash, sound or not. */
export interface OtaRecord {
  /** 0xFFFFFFFF in an erased one. */
  readonly sequence: number;
  readonly state: OtaState;
  /** Its CRC-32 fits. */
  readonly isSound: boolean;
}

export const otaRecordBytes = 32;

/** @param bytes at least `otaRecordBytes` */
export function readOtaRecord(bytes: Uint8Array): OtaRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, otaRecordBytes);
  const sequence = view.getUint32(0, true);
  const state = states[view.getUint32(24, true)] ?? "undefined";
  return { sequence, state, isSound: view.getUint32(28, true) === crcOf(sequence) };
}

export function writeOtaRecord(sequence: number, state: OtaState): Uint8Array {
  const bytes = new Uint8Array(otaRecordBytes).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sequence, true);
  view.setUint32(24, state === "undefined" ? 0xffff_ffff : states.indexOf(state), true);
  view.setUint32(28, crcOf(sequence), true);
  return bytes;
}

const slotsMax = 16;
const sectorBytes = 0x1000;
/** The place of a state is its number on flash; `undefined` is 0xFFFFFFFF. */
const states: readonly OtaState[] = ["new", "pending-verify", "valid", "invalid", "aborted"];

function checkSlots(slots: number): void {
  if (!Number.isInteger(slots) || slots < 1 || slots > slotsMax) {
    throw new RangeError(`A table has 1 to ${slotsMax} slots, not ${slots}.`);
  }
}

function recordAt(bytes: Uint8Array, sector: number): Omit<OtaSelection, "slot"> | undefined {
  const at = sector * sectorBytes;
  if (bytes.length < at + otaRecordBytes) return undefined;
  const { sequence, state, isSound } = readOtaRecord(bytes.subarray(at));
  if (sequence === 0 || sequence === 0xffff_ffff || !isSound) return undefined;
  return state === "invalid" || state === "aborted" ? undefined : { sequence, state, sector };
}

/** As the ROM's `crc32_le(UINT32_MAX, ...)`: the same polynomial as zlib's, begun at 0xFFFFFFFF. */
function crcOf(sequence: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, sequence, true);
  return crc32(bytes, 0xffff_ffff);
}
