/**
 * A host's durable Raft log: an append-only file, and the same in memory.
 *
 * `append` changes the memory at once and queues the bytes; one `fdatasync` then makes durable all that queued while the one
 * before it ran (group commit). A record is a CBOR array:
 *
 * ```
 * [1, format version, member id]                  once, first in the file
 * [2, term, vote or null]                         hard state; the last one holds
 * [3, index, term, kind, version, data]           entry; replaces the one at its index and drops all after it
 * ```
 */

import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Entry, HardState, HostLog, MemberId } from "../../../protocols/raft/types.ts";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { encodeFrame, frameHeaderBytes, scanFrames } from "./log-frame.ts";

export const logFileName = "raft.log";

/** Version of the file's format. */
export const logFormatVersion = 1;

/** Records in one frame; with entries of at most 1,024 bytes that is far below `framePayloadBytesMax`. */
const frameRecordsMax = 2048;

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

export class LogFile implements HostLog {
  readonly path: string;
  readonly memberId: MemberId;
  /** Bytes of a torn last write that were cut off when the file was opened; nobody had been told that they were kept. */
  readonly tornBytes: number;
  readonly #handle: FileHandle;
  readonly #entries: Entry[];
  #hardState: HardState;
  #sizeBytes: number;
  #queue: CborValue[] = [];
  /** Records queued and made durable since the file was opened. */
  #queuedCount = 0;
  #durableCount = 0;
  #durableEnd: LogPlace;
  #waiters: Waiter[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  /** Makes the file, its first records and its folder durable. Fails when there already is one. */
  static async create(directory: string, memberId: MemberId, first: LogChange): Promise<LogFile> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, logFileName);
    const frame = encodeFrame(
      encodeCbor([[recordKind.header, logFormatVersion, memberId], ...recordsOf(first)]),
    );
    // Written beside and renamed: a power cut leaves either no log or a whole one.
    const beside = await open(`${path}.new`, "w");
    await beside.writeFile(frame);
    await beside.sync();
    await beside.close();
    await rename(`${path}.new`, path);
    await syncDirectory(directory);
    const opened = await LogFile.open(directory);
    if (opened === undefined) throw new Error(`${path} vanished while it was made.`);
    return opened;
  }

  /** undefined when the folder has no log. Cuts a torn tail. @throws {DamagedLog} */
  static async open(directory: string): Promise<LogFile | undefined> {
    const path = join(directory, logFileName);
    const bytes = await readIfThere(path);
    if (bytes === undefined) return undefined;
    const { contents, endOffset } = recover(path, bytes);
    const handle = await open(path, "r+");
    if (endOffset < bytes.length) {
      await handle.truncate(endOffset);
      await handle.sync();
    }
    return new LogFile(path, handle, contents, endOffset, bytes.length - endOffset);
  }

  private constructor(
    path: string,
    handle: FileHandle,
    contents: Contents,
    sizeBytes: number,
    tornBytes: number,
  ) {
    this.path = path;
    this.#handle = handle;
    this.memberId = contents.memberId;
    this.#hardState = contents.hardState;
    this.#entries = contents.entries;
    this.#durableEnd = { index: this.lastIndex, term: this.termAt(this.lastIndex)! };
    this.#sizeBytes = sizeBytes;
    this.tornBytes = tornBytes;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  /** Bytes of the file that are durable. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get firstIndex(): number {
    return 1;
  }

  get lastIndex(): number {
    return this.#entries.length;
  }

  /** The last entry that was written and is durable; it may have been overwritten since. */
  get durableEnd(): LogPlace {
    return this.#durableEnd;
  }

  termAt(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entry(index: number): Entry {
    const entry = this.#entries[index - 1];
    if (entry === undefined)
      throw new RangeError(`Entry ${index} is outside the log (1 to ${this.lastIndex}).`);
    return entry;
  }

  /** At most `limit` entries from `from` on. */
  entries(from: number, limit: number): readonly Entry[] {
    return this.#entries.slice(from - 1, from - 1 + limit);
  }

  /** Changes the log at once; `flush` tells when it is durable. */
  append(change: LogChange): void {
    const records = recordsOf(change);
    if (records.length === 0) return;
    if (change.hardState !== undefined) this.#hardState = change.hardState;
    for (const entry of change.entries) keep(this.#entries, { ...entry, data: entry.data.slice() });
    this.#queue.push(...records);
    this.#queuedCount += records.length;
  }

  /** Resolves once all that was appended so far is durable; rejects, as do all later ones, when the disk refuses. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#durableCount === this.#queuedCount) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ count: this.#queuedCount, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Makes everything durable and closes the file. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#writing;
      await this.#handle.close();
    }
  }

  async #write(): Promise<void> {
    try {
      while (this.#durableCount < this.#queuedCount) {
        const records = this.#queue.splice(0, frameRecordsMax);
        const frame = encodeFrame(encodeCbor(records));
        for (let written = 0; written < frame.length; ) {
          const { bytesWritten } = await this.#handle.write(
            frame,
            written,
            frame.length - written,
            this.#sizeBytes + written,
          );
          written += bytesWritten;
        }
        await this.#handle.datasync();
        this.#sizeBytes += frame.length;
        this.#durableCount += records.length;
        this.#durableEnd = lastEntryOf(records) ?? this.#durableEnd;
        while (this.#waiters.length > 0 && this.#waiters[0]!.count <= this.#durableCount) {
          this.#waiters.shift()!.resolve();
        }
      }
    } catch (error) {
      // After a failed fsync the kernel may forget the dirty pages: nothing may be believed of this file until it is read again.
      this.#failure = error as Error;
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
    } finally {
      this.#writing = undefined;
    }
  }
}

interface Waiter {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Contents {
  memberId: MemberId;
  hardState: HardState;
  readonly entries: Entry[];
}

const recordKind = Object.freeze({ header: 1, hardState: 2, entry: 3 });

function recordsOf(change: LogChange): CborValue[] {
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

function lastEntryOf(records: readonly CborValue[]): LogPlace | undefined {
  const last = (records as readonly (readonly number[])[]).findLast(([kind]) => kind === recordKind.entry);
  return last === undefined ? undefined : { index: last[1]!, term: last[2]! };
}

/** Puts an entry in its place, dropping whatever was there and after. Returns whether that place exists. */
function keep(entries: Entry[], entry: Entry): boolean {
  if (entry.index < 1 || entry.index > entries.length + 1) return false;
  entries.length = entry.index - 1;
  entries.push(entry);
  return true;
}

/** @throws {DamagedLog} */
function recover(path: string, bytes: Buffer): { contents: Contents; endOffset: number } {
  const { payloads, endOffset, damagedAt } = scanFrames(bytes);
  if (damagedAt !== undefined) throw new DamagedLog(path, damagedAt, "a checksum does not match");
  const contents: Contents = { memberId: "", hardState: { term: 0, vote: undefined }, entries: [] };
  let offset = 0;
  for (const payload of payloads) {
    try {
      for (const record of decodeCbor(payload) as readonly CborValue[]) read(record, contents);
    } catch (error) {
      throw new DamagedLog(path, offset, (error as Error).message);
    }
    offset += frameHeaderBytes + payload.length;
  }
  if (contents.memberId === "") throw new DamagedLog(path, 0, "it does not begin with a header");
  return { contents, endOffset };
}

/** The checksum vouches for what was written; this vouches for who wrote it. */
function read(record: CborValue, contents: Contents): void {
  if (!Array.isArray(record)) throw new TypeError("a record is no array");
  const [kind, ...rest] = record as readonly CborValue[];
  if (kind === recordKind.header) {
    const [version, memberId] = rest;
    if (version !== logFormatVersion || typeof memberId !== "string" || contents.memberId !== "") {
      throw new TypeError(
        `a header of format ${String(version)}; this program knows only ${logFormatVersion}`,
      );
    }
    contents.memberId = memberId;
  } else if (kind === recordKind.hardState) {
    const [term, vote] = rest as [number, MemberId | null];
    contents.hardState = { term, vote: vote ?? undefined };
  } else if (kind === recordKind.entry) {
    const [index, term, entryKind, version, data] = rest as [number, number, number, number, Uint8Array];
    const entry = { index, term, kind: entryKind, version, data: new Uint8Array(data) };
    if (!keep(contents.entries, entry))
      throw new RangeError(`entry ${index} does not follow the one before it`);
  } else {
    throw new TypeError(`a record of kind ${String(kind)}; a newer program wrote it`);
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A new name in a folder is durable only once the folder is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  await handle.sync();
  await handle.close();
}
