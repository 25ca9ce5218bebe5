/**
 * What a host's log is made of, before it is framed: each record a CBOR array.
 *
 * ```
 * [1, format version, member id]                  once, first in the file
 * [2, term, vote or null]                         hard state; the last one holds
 * [3, index, term, kind, version, data]           entry; replaces the one at its index and drops all after it
 * ```
 */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Entry, HardState, MemberId } from "../../../protocols/raft/types.ts";
import { decodeCbor } from "../../codec/cbor.ts";
import { frameHeaderBytes, scanFrames } from "./log-frame.ts";

/** Version of the file's format. */
export const logFormatVersion = 1;

/** What one output of the core changes. */
export interface LogChange {
  readonly hardState: HardState | undefined;
  /** 0 for nothing to drop. */
  readonly truncateFrom: number;
  readonly entries: readonly Entry[];
}

/** Which entry: an index and a term name one. */
export interface LogPlace {
  readonly index: number;
  readonly term: number;
}

/** What a file says. */
export interface Contents {
  memberId: MemberId;
  hardState: HardState;
  readonly entries: Entry[];
}

/** The log's file holds bytes that were sound once and are not any more. */
export class DamagedLog extends Error {
  override readonly name = "DamagedLog";
  readonly file: string;
  readonly offsetBytes: number;

  constructor(file: string, offsetBytes: number, what: string) {
    super(`The Raft log ${file} is damaged at byte ${offsetBytes}: ${what}.`);
    this.file = file;
    this.offsetBytes = offsetBytes;
  }
}

/** A newer program wrote the file: it is sound, but this one cannot read it. */
export class NewerLog extends Error {
  override readonly name = "NewerLog";

  constructor(file: string, what: string) {
    super(`The Raft log ${file} was written by a newer Covey (${what}): update this one.`);
  }
}

/** The record that a file begins with. */
export function headerRecord(memberId: MemberId): CborValue {
  return [recordKind.header, logFormatVersion, memberId];
}

/** The records that carry out a change. */
export function recordsOf(change: LogChange): CborValue[] {
  const { hardState, truncateFrom, entries } = change;
  if (truncateFrom > 0 && entries[0]?.index !== truncateFrom) {
    throw new RangeError(`The log is truncated from ${truncateFrom}, but no entry replaces that one.`);
  }
  const records: CborValue[] = [];
  if (hardState !== undefined) records.push([recordKind.hardState, hardState.term, hardState.vote ?? null]);
  for (const { index, term, kind, version, data } of entries) {
    records.push([recordKind.entry, index, term, kind, version, data]);
  }
  return records;
}

/** The last entry among records; undefined when there is none. */
export function lastEntryOf(records: readonly CborValue[]): LogPlace | undefined {
  const last = (records as readonly (readonly number[])[]).findLast(([kind]) => kind === recordKind.entry);
  return last === undefined ? undefined : { index: last[1]!, term: last[2]! };
}

/** Puts an entry in its place, dropping whatever was there and after. Returns whether that place exists. */
export function keep(entries: Entry[], entry: Entry): boolean {
  if (entry.index < 1 || entry.index > entries.length + 1) return false;
  entries.length = entry.index - 1;
  entries.push(entry);
  return true;
}

/** Reads a whole file. @throws {DamagedLog | NewerLog} */
export function recover(path: string, bytes: Buffer): { contents: Contents; endOffset: number } {
  const { payloads, endOffset, damagedAt } = scanFrames(bytes);
  if (damagedAt !== undefined) throw new DamagedLog(path, damagedAt, "a checksum does not match");
  const contents: Contents = { memberId: "", hardState: { term: 0, vote: undefined }, entries: [] };
  let offset = 0;
  for (const payload of payloads) {
    try {
      for (const record of decodeCbor(payload) as readonly CborValue[]) read(path, record, contents);
    } catch (error) {
      if (error instanceof NewerLog) throw error;
      throw new DamagedLog(path, offset, (error as Error).message);
    }
    offset += frameHeaderBytes + payload.length;
  }
  if (contents.memberId === "") throw new DamagedLog(path, 0, "it does not begin with a header");
  return { contents, endOffset };
}

const recordKind = Object.freeze({ header: 1, hardState: 2, entry: 3 });

/** The checksum vouches for what was written; this for whether it can be read. */
function read(path: string, record: CborValue, contents: Contents): void {
  const [kind, ...rest] = record as readonly CborValue[];
  switch (kind) {
    case recordKind.header: {
      const [version, memberId] = rest as [number, MemberId];
      if (version !== logFormatVersion) throw new NewerLog(path, `format ${version}`);
      contents.memberId = memberId;
      return;
    }
    case recordKind.hardState: {
      const [term, vote] = rest as [number, MemberId | null];
      contents.hardState = { term, vote: vote ?? undefined };
      return;
    }
    case recordKind.entry: {
      const [index, term, entryKind, version, data] = rest as [number, number, number, number, Uint8Array];
      const entry = { index, term, kind: entryKind, version, data: new Uint8Array(data) };
      if (keep(contents.entries, entry)) return;
      throw new RangeError(`entry ${index} does not follow the one before it`);
    }
    default:
      throw new NewerLog(path, `record kind ${String(kind)}`);
  }
}
