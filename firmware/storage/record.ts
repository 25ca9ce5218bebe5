/**
 * The record, the only thing that is ever written to the board's flash. It is made so that a reader can tell three
 * cases apart without knowing what was to be written: a whole record, one that the power cut short, and one that was whole
 * and has been damaged since.
 *
 * ```
 * 0     kind, never 0xFF
 * 1     check of bytes 0, 2 and 3, so that the length can be trusted alone
 * 2..3  length of the payload, little-endian
 * 4..7  CRC-32 of everything else, little-endian
 * 8..   payload: one CBOR value
 *       zeros up to a multiple of the flash's alignment, less one byte
 * last  end mark, never 0xFF
 * ```
 *
 * Flash is written in order of address and reads 0xFF where nothing was written. So a record cut short ends in 0xFF,
 * where a whole one has its end mark, and nothing follows it.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborEncoder } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { limits } from "../../protocols/raft/types.ts";
import { crc32 } from "./crc32.ts";

/** What a record says. The number is on flash: never reuse one. */
export const RecordKind = Object.freeze({
  /** First in an area, written last: the area is complete. [format, generation, swarm, board, incarnation] */
  header: 1,
  /** [term, vote or null] */
  hardState: 2,
  /** Appends an entry. [index, term, kind, version, data] */
  entry: 3,
  /** Drops this entry and all after it. index */
  truncate: 4,
  /** All entries up to this one are committed. index */
  commit: 5,
  /** Where a compacted log begins: everything up to here is in the state. [index, term] */
  base: 6,
  /** A key of the compacted state: the data of the entry that put it. bytes */
  state: 7,
});

export interface StoredRecord {
  readonly kind: number;
  readonly value: CborValue;
  /** On flash, frame and padding included. */
  readonly sizeBytes: number;
}

export const recordHeadBytes = 8;

/** Bytes of the largest record: an entry with as much data as it may have, and what surrounds it. */
export const recordBytesMax = limits.entryBytesMax + 128;

/** Frames values as records in a buffer that it keeps. */
export class RecordWriter {
  readonly #alignBytes: number;
  readonly #encoder = new CborEncoder(recordBytesMax);

  constructor(alignBytes: number) {
    this.#alignBytes = alignBytes;
  }

  /** The record, valid until the next call. */
  frame(kind: number, value: CborValue): Uint8Array {
    const used = this.#encoder.encode(value, recordHeadBytes).length;
    const record = this.#encoder.extend(this.#alignBytes - (used % this.#alignBytes));
    const length = used - recordHeadBytes;
    record[0] = kind;
    record[2] = length & 0xff;
    record[3] = length >> 8;
    record[1] = headCheck(record);
    record[record.length - 1] = endMark;
    const crc = recordCrc(record);
    for (let i = 0; i < 4; i++) record[4 + i] = crc >>> (8 * i);
    return record;
  }
}

/** Bytes of the record that begins with `head`, from what the head says; 0 when it is no sound head. */
export function recordSize(head: Uint8Array, alignBytes: number): number {
  if (head[0] === 0xff || head[1] !== headCheck(head)) return 0;
  const used = recordHeadBytes + head[2]! + head[3]! * 256;
  return used + alignBytes - (used % alignBytes);
}

/** The record in `bytes`, which are as many as its head says; undefined when it is not sound. */
export function readRecord(bytes: Uint8Array): StoredRecord | undefined {
  const crc = (bytes[4]! | (bytes[5]! << 8) | (bytes[6]! << 16) | (bytes[7]! << 24)) >>> 0;
  if (crc !== recordCrc(bytes)) return undefined;
  const end = recordHeadBytes + bytes[2]! + bytes[3]! * 256;
  try {
    const value = decodeCbor(bytes.subarray(recordHeadBytes, end));
    return { kind: bytes[0]!, value, sizeBytes: bytes.length };
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

const endMark = 0x5a;

function headCheck(head: Uint8Array): number {
  return crc32(head, 2, 4, crc32(head, 0, 1)) & 0xff;
}

function recordCrc(record: Uint8Array): number {
  return crc32(record, recordHeadBytes, record.length, crc32(record, 0, 4));
}
