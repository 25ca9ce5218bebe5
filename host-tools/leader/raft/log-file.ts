/**
 * A host's durable Raft log: an append-only file, and the same in memory.
 *
 * `append` changes the memory at once and queues the bytes; one `fdatasync` then makes durable all that queued while the one
 * before it ran (group commit).
 */
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Entry, HardState, HostLog, MemberId } from "../../../protocols/raft/types.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import { encodeFrame } from "./log-frame.ts";
import type { Contents, LogChange, LogPlace } from "./log-records.ts";
import { headerRecord, keep, lastEntryOf, recordsOf, recover } from "./log-records.ts";

export const logFileName = "raft.log";

/** Records in one frame; with entries of at most 1,024 bytes that is far below `framePayloadBytesMax`. */
const frameRecordsMax = 2048;

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

  /** Makes a new file, its first records and its folder durable. There must be none yet. */
  static async create(directory: string, memberId: MemberId, first: LogChange): Promise<LogFile> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, logFileName);
    const frame = encodeFrame(encodeCbor([headerRecord(memberId), ...recordsOf(first)]));
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

  /** undefined when the folder has no log. Cuts a torn tail. @throws {DamagedLog | NewerLog} */
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
