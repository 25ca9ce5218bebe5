/** What the records of a board's flash hold, read back. Each throws `ShapeError` for a record that no firmware has written. */
import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Entry, HardState, MemberId } from "../../protocols/raft/types.ts";
import { limits } from "../../protocols/raft/types.ts";
import { RecordKind, type StoredRecord } from "./record.ts";

/** Of all that is in flash; a later one may change every record. */
export const formatVersion = 1;

/** UTF-8 bytes of a swarm's or board's name: two of them fit the room for a header. */
export const storedNameBytesMax = 64;

export interface AreaHeader {
  /** Counts up with each switch between the areas: the higher one holds the state. */
  readonly generation: number;
  readonly swarm: string;
  readonly board: string;
  /** Eight hexadecimal digits. */
  readonly incarnation: string;
}

/** Where the log begins in a compacted area, and the term of the entry before that. */
export interface LogBase {
  readonly index: number;
  readonly term: number;
}

export function headerFrom(value: CborValue): AreaHeader {
  const items = new ItemReader(value, "flash record", "header", 5);
  items.version(formatVersion);
  return {
    generation: items.integer("generation", 1, integerMax),
    swarm: items.text("swarm", storedNameBytesMax),
    board: items.text("board", storedNameBytesMax),
    incarnation: items.text("incarnation", storedNameBytesMax),
  };
}

export function hardStateFrom(value: CborValue): HardState {
  const items = new ItemReader(value, "flash record", "hard state", 2);
  const term = items.integer("term", 0, integerMax);
  const vote = items.any();
  return { term, vote: vote === null ? undefined : (vote as MemberId) };
}

export function baseFrom(value: CborValue): LogBase {
  const items = new ItemReader(value, "flash record", "base", 2);
  return { index: items.integer("index", 0, integerMax), term: items.integer("term", 0, integerMax) };
}

export function entryFrom(value: CborValue): Entry {
  const items = new ItemReader(value, "flash record", "entry", 5);
  const index = items.integer("index", 1, integerMax);
  const term = items.integer("term", 1, integerMax);
  const kind = items.integer("kind", 0, integerMax);
  const version = items.integer("version", 1, integerMax);
  return { index, term, kind, version, data: items.bytes("data", limits.entryBytesMax) };
}

/** The put command, still encoded, that an entry record or a state record carries. */
export function commandBytes({ kind, value }: StoredRecord): Uint8Array {
  return kind === RecordKind.state ? (value as Uint8Array) : entryFrom(value).data;
}

const integerMax = Number.MAX_SAFE_INTEGER;
