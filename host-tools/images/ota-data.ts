/**
 * Which of the app slots boots: the partition `otadata`, two sectors with a record each, of which the sound one with the higher sequence counts. ESP-IDF, "Over The Air
 * Updates", and `esp_ota_select_entry_t`.
 *
 * ```
 * sequence, 4 | label, 20 | state, 4 | CRC-32 of the sequence, 4
 * ```
 *
 * Slot of sequence n is (n - 1) modulo the number of slots.
 */
import { crc32 } from "node:zlib";

export type OtaState = "new" | "pending-verify" | "valid" | "invalid" | "aborted" | "undefined";

export interface OtaSelection {
  /** Number of the slot that boots: 0 for `ota_0`. */
  readonly slot: number;
  readonly sequence: number;
  readonly state: OtaState;
}

/** undefined when no record is sound: then the factory app boots, or the first slot. */
export function readOtaData(bytes: Uint8Array, slots: number): OtaSelection | undefined {
  const records = [recordAt(bytes, 0), recordAt(bytes, sectorBytes)].filter((each) => each !== undefined);
  const latest = records
    .toSorted((a, b) => b.sequence - a.sequence)
    .find(({ state }) => state !== "invalid" && state !== "aborted");
  return latest && { ...latest, slot: (latest.sequence - 1) % slots };
}

/** Both sectors, so that `slot` boots; `sequence` of the record that counts so far, 0 for none. */
export function writeOtaData(
  slot: number,
  slots: number,
  state: OtaState = "valid",
  sequence = 0,
): Uint8Array {
  let next = sequence + 1;
  while ((next - 1) % slots !== slot) next++;
  const bytes = new Uint8Array(2 * sectorBytes).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, next, true);
  view.setUint32(24, states.indexOf(state) === 5 ? 0xffff_ffff : states.indexOf(state), true);
  view.setUint32(28, crcOf(next), true);
  return bytes;
}

export const otaDataBytes = 0x2000;

const sectorBytes = 0x1000;
/** The place of a state is its number on flash; `undefined` is 0xFFFFFFFF. */
const states: readonly OtaState[] = ["new", "pending-verify", "valid", "invalid", "aborted", "undefined"];

function recordAt(bytes: Uint8Array, at: number): { sequence: number; state: OtaState } | undefined {
  if (bytes.length < at + 32) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 32);
  const sequence = view.getUint32(0, true);
  if (sequence === 0 || sequence === 0xffff_ffff || view.getUint32(28, true) !== crcOf(sequence))
    return undefined;
  return { sequence, state: states[view.getUint32(24, true)] ?? "undefined" };
}

/** As the ROM's `crc32_le(UINT32_MAX, ...)`: the same polynomial as zlib's, begun at 0xFFFFFFFF. */
function crcOf(sequence: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, sequence, true);
  return crc32(bytes, 0xffff_ffff);
}
