/**
 * Where a record is in flash and how long it is, in one unsigned 32-bit number: its address in units of 16 bytes (20 bits, 16
 * MiB), above it its length in the same unit (12 bits). Never 0, because a record is never empty.
 */
import { recordAlignBytes } from "./record.ts";

export type Place = number;

export function placeAt(addressBytes: number, sizeBytes: number): Place {
  return ((sizeBytes / recordAlignBytes) * addressUnits + addressBytes / recordAlignBytes) >>> 0;
}

export function addressOf(place: Place): number {
  return (place % addressUnits) * recordAlignBytes;
}

export function sizeOf(place: Place): number {
  return Math.floor(place / addressUnits) * recordAlignBytes;
}

const addressUnits = 0x10_0000;
