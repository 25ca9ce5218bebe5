/** What the records of a board's flash hold, read back. Each throws `ShapeError` for a record that no firmware has written. */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { chainHashBytes } from "../../protocols/raft/chain.ts";
import type { Entry, HardState, MemberId, SnapshotItem, SnapshotPlace } from "../../protocols/raft/types.ts";
import { EntryKind, limits } from "../../protocols/raft/types.ts";
import { commandIdBytes } from "../../protocols/state/command.ts";
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
  readonly lastIndex: number;
  /** The entry before the first that the log holds, and the chain hash there. */
  readonly base: SnapshotPlace;
  readonly hasCollisions: boolean;
  readonly crashes: number;
  readonly staging: StagingPlace | undefined;
  readonly installed: Installation;
}

/** A snapshot that is being received. */
export interface StagingPlace extends SnapshotPlace {
  /** Sequence of the sector that began with it: its items are in this one and those after it. */
  readonly from: number;
}

/** The snapshot that became the state last. */
export interface Installation {
  /** The last entry that it stands for; 0 for none ever. */
  readonly index: number;
  /** Sequence of the sector that began with it: of the sectors before, only its items count. */
  readonly sequence: number;
  /** Sequence of the first sector with items of it. */
  readonly itemsFrom: number;
}

export function headerToStored(header: StoreHeader): CborValue {
  const { swarm, board, incarnation, hardState, appliedIndex, lastIndex, hasCollisions, crashes } = header;
  const { base, staging, installed } = header;
  return [
    swarm,
    board,
    incarnation,
    hardState.term,
    hardState.vote ?? null,
    appliedIndex,
    lastIndex,
    [base.index, base.term, base.hash],
    hasCollisions,
    crashes,
    staging === undefined ? null : [staging.index, staging.term, staging.hash, staging.from],
    [installed.index, installed.sequence, installed.itemsFrom],
  ];
}

/** Throws `ShapeError`. */
export function headerFromStored(value: CborValue): StoreHeader {
  const items = new ItemReader(value, "flash record", "header", 12);
  const swarm = items.text("swarm", storedNameBytesMax);
  const board = items.text("board", storedNameBytesMax);
  const incarnation = items.text("incarnation", storedNameBytesMax);
  const hardState = { term: items.integer("term", 0, indexMax), vote: voteFrom(items.any()) };
  const appliedIndex = items.integer("applied", 0, indexMax);
  const lastIndex = items.integer("last", 0, indexMax);
  const base = placeFrom(new ItemReader(items.any(), "flash record", "base", 3));
  const hasCollisions = items.boolean("collisions");
  const crashes = items.integer("crashes", 0, indexMax);
  const staging = stagingFrom(items.any());
  const installed = installationFrom(new ItemReader(items.any(), "flash record", "installed", 3));
  const own = { swarm, board, incarnation, hardState, appliedIndex, lastIndex };
  return { ...own, base, hasCollisions, crashes, staging, installed };
}

function placeFrom(items: ItemReader): SnapshotPlace {
  const index = items.integer("the index", 0, indexMax);
  const term = items.integer("the term", 0, indexMax);
  return { index, term, hash: items.bytes("the hash", chainHashBytes) };
}

function stagingFrom(value: CborValue): StagingPlace | undefined {
  if (value === null) return undefined;
  const items = new ItemReader(value, "flash record", "staging", 4);
  return { ...placeFrom(items), from: items.integer("the sector", 1, indexMax) };
}

function installationFrom(items: ItemReader): Installation {
  return {
    index: items.integer("the index", 0, indexMax),
    sequence: items.integer("the sector", 0, indexMax),
    itemsFrom: items.integer("the first sector", 0, indexMax),
  };
}

export function hardStateFrom({ index, data }: StoredRecord): HardState {
  return { term: index, vote: data.length === 0 ? undefined : voteFrom(decodeCbor(data)) };
}

/** The data of the record of an entry, or item, that is no valid put. */
export function entryToStored({ kind, version, data }: SnapshotItem): Uint8Array {
  return encodeCbor([kind, version, data]);
}

/** The entry that the record of one holds; of that of an item, all but its index and term. */
export function entryFrom({ kind, index, data, trailer }: StoredRecord): Entry {
  const term = trailer;
  if (kind === RecordKind.put || kind === RecordKind.pastPut) {
    return { index, term, kind: EntryKind.put, version: 1, data };
  }
  if (kind === RecordKind.puts) return { index, term, kind: EntryKind.puts, version: 1, data };
  if (kind === RecordKind.adoption) return { index, term, kind: EntryKind.adoption, version: 1, data };
  const items = new ItemReader(decodeCbor(data), "flash record", "entry", 3);
  const entryKind = items.integer("kind", 0, integerMax);
  const version = items.integer("version", 1, integerMax);
  return { index, term, kind: entryKind, version, data: items.bytes("data", limits.entryBytesMax) };
}

/** The data of a put without the id of its command, which only its entry has: what a snapshot says of a key. */
export function withoutId(put: Uint8Array): Uint8Array {
  if (put[0] !== arrayOfThree) return put;
  const data = put.slice(0, put.length - idItemBytes);
  data[0] = arrayOfThree - 1;
  return data;
}

/** The bytes of the key in the data of a put, a valid one; of a longer stretch of flash that begins with it, too. */
export function keyBytesOf(put: Uint8Array): Uint8Array {
  return put[1] === 0x78 ? put.subarray(3, 3 + put[2]!) : put.subarray(2, 2 + (put[1]! & 0x1f));
}

/**
 * Whether the data of a put, value or absent record is about `key`: CBOR [key, ...], where the key is ASCII and was checked.
 * Compared in place, as each entry that is applied asks this of its key's last value.
 */
export function isAbout(data: Uint8Array, key: string): boolean {
  const { length } = key;
  const start = length < 24 ? 2 : 3;
  if (length < 24 ? data[1] !== (0x60 | length) : data[1] !== 0x78 || data[2] !== length) return false;
  for (let i = 0; i < length; i++) if (data[start + i] !== charCodeAt.call(key, i)) return false;
  return true;
}

/** As in `key-index.ts`. */
const { charCodeAt } = String.prototype;

/** Whether two such records are about the same key. */
export function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(keyBytesOf(a), keyBytesOf(b)) === 0;
}

/** Below 0 when `a` comes before `b`: the order of ASCII keys by code units. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function voteFrom(value: CborValue): MemberId | undefined {
  return value === null ? undefined : (value as MemberId);
}

/** CBOR: the first byte of [key, value, id], and how much the id of 8 bytes takes. */
const arrayOfThree = 0x83;
const idItemBytes = 1 + commandIdBytes;
const integerMax = Number.MAX_SAFE_INTEGER;
