/** What the records of a board's flash hold, read back. Each throws `ShapeError` for a record that no firmware has written. */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Entry, HardState, MemberId } from "../../protocols/raft/types.ts";
import { EntryKind, limits } from "../../protocols/raft/types.ts";
import { indexMax, RecordKind, type StoredRecord } from "./record.ts";

/** UTF-8 bytes of a swarm's or board's name: two of them fit a header. */
export const storedNameBytesMax = 64;

/** What every sector's header carries: all that recovery must know before it looks at records. */
export interface StoreHeader {
  readonly swarm: string;
  readonly board: string;
  /** Eight hexadecimal digits. */
  readonly incarnation: string;
  readonly hardState: HardState;
  readonly appliedIndex: number;
  /** Term of the entry at `appliedIndex`. */
  readonly appliedTerm: number;
  readonly lastIndex: number;
  readonly hasCollisions: boolean;
  readonly crashes: number;
}

export function headerToStored(header: StoreHeader): CborValue {
  const { swarm, board, incarnation, hardState, appliedIndex, appliedTerm, lastIndex } = header;
  const { term, vote } = hardState;
  const collisions = header.hasCollisions;
  const { crashes } = header;
  return [
    swarm,
    board,
    incarnation,
    term,
    vote ?? null,
    appliedIndex,
    appliedTerm,
    lastIndex,
    collisions,
    crashes,
  ];
}

export function headerFromStored(value: CborValue): StoreHeader {
  const items = new ItemReader(value, "flash record", "header", 10);
  return {
    swarm: items.text("swarm", storedNameBytesMax),
    board: items.text("board", storedNameBytesMax),
    incarnation: items.text("incarnation", storedNameBytesMax),
    hardState: { term: items.integer("term", 0, indexMax), vote: voteFrom(items.any()) },
    appliedIndex: items.integer("applied", 0, indexMax),
    appliedTerm: items.integer("applied term", 0, indexMax),
    lastIndex: items.integer("last", 0, indexMax),
    hasCollisions: items.any() === true,
    crashes: items.integer("crashes", 0, indexMax),
  };
}

export function hardStateFrom({ index, data }: StoredRecord): HardState {
  return { term: index, vote: data.length === 0 ? undefined : voteFrom(decodeCbor(data)) };
}

/** The data of the record of an entry that is no valid put. */
export function entryToStored({ kind, version, data }: Entry): Uint8Array {
  return encodeCbor([kind, version, data]);
}

/** The entry that a `put` or an `entry` record holds. */
export function entryFrom({ kind, index, data, trailer }: StoredRecord): Entry {
  if (kind === RecordKind.put) return { index, term: trailer, kind: EntryKind.put, version: 1, data };
  const items = new ItemReader(decodeCbor(data), "flash record", "entry", 3);
  const entryKind = items.integer("kind", 0, integerMax);
  const version = items.integer("version", 1, integerMax);
  return { index, term: trailer, kind: entryKind, version, data: items.bytes("data", limits.entryBytesMax) };
}

/**
 * Whether the data of a put, value or absent record is about `key`: CBOR [key, ...], where the key is ASCII and was checked.
 * Compared in place, as each entry that is applied asks this of its key's last value.
 */
export function isAbout(data: Uint8Array, key: string): boolean {
  const { length } = key;
  const start = length < 24 ? 2 : 3;
  if (length < 24 ? data[1] !== (0x60 | length) : data[1] !== 0x78 || data[2] !== length) return false;
  for (let i = 0; i < length; i++) if (data[start + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** Whether two such records are about the same key. */
export function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  const length = a[1] === 0x78 ? 3 + a[2]! : 2 + (a[1]! & 0x1f);
  for (let i = 1; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function voteFrom(value: CborValue): MemberId | undefined {
  return value === null ? undefined : (value as MemberId);
}

const integerMax = Number.MAX_SAFE_INTEGER;
