/** The part of a log that is held in memory: all entries behind a base, with their chain hashes. */
import type { Sha256 } from "../../../protocols/raft/chain.ts";
import { chainHash } from "../../../protocols/raft/chain.ts";
import type { Entry, SnapshotPlace } from "../../../protocols/raft/types.ts";

export class LogMemory {
  readonly #sha256: Sha256;
  /** The last entry that is not held any more. */
  #base: SnapshotPlace;
  #entries: Entry[] = [];
  #hashes: Uint8Array[] = [];

  constructor(base: SnapshotPlace, sha256: Sha256) {
    this.#base = base;
    this.#sha256 = sha256;
  }

  get firstIndex(): number {
    return this.#base.index + 1;
  }

  get lastIndex(): number {
    return this.#base.index + this.#entries.length;
  }

  get end(): SnapshotPlace {
    const index = this.lastIndex;
    return { index, term: this.termAt(index)!, hash: this.hashAt(index)! };
  }

  termAt(index: number): number | undefined {
    return index === this.#base.index ? this.#base.term : this.#entries[index - this.firstIndex]?.term;
  }

  hashAt(index: number): Uint8Array | undefined {
    return index === this.#base.index ? this.#base.hash : this.#hashes[index - this.firstIndex];
  }

  entry(index: number): Entry {
    const entry = this.#entries[index - this.firstIndex];
    if (entry === undefined) {
      throw new RangeError(`Entry ${index} is outside the log (${this.firstIndex} to ${this.lastIndex}).`);
    }
    return entry;
  }

  /** At most `limit` entries from `from` on, as far as they are held. */
  entries(from: number, limit: number): readonly Entry[] {
    const start = Math.max(0, from - this.firstIndex);
    return this.#entries.slice(start, start + limit);
  }

  /** The entry must follow on the last. Keeps its own copy of data that are part of a larger buffer, which would be held as long. */
  append(entry: Entry): void {
    if (entry.index !== this.lastIndex + 1) {
      throw new RangeError(`Entry ${entry.index} does not follow on ${this.lastIndex}, the last of the log.`);
    }
    const { data } = entry;
    const isShared = data.buffer.byteLength !== data.length || data.constructor !== Uint8Array;
    const kept = isShared ? { ...entry, data: new Uint8Array(data) } : entry;
    this.#hashes.push(chainHash(this.hashAt(this.lastIndex)!, kept, this.#sha256));
    this.#entries.push(kept);
  }

  /** Drops this entry and all after it. */
  truncate(from: number): void {
    if (from < this.firstIndex || from > this.lastIndex + 1) {
      throw new RangeError(
        `The log holds ${this.firstIndex} to ${this.lastIndex}: it cannot be truncated from ${from}.`,
      );
    }
    this.#entries.length = from - this.firstIndex;
    this.#hashes.length = this.#entries.length;
  }

  /** Forgets all up to this entry, which stays known by term and hash. */
  compact(upTo: number): void {
    if (upTo <= this.#base.index) return;
    const base = { index: upTo, term: this.termAt(upTo)!, hash: this.hashAt(upTo)! };
    this.#entries = this.#entries.slice(upTo - this.#base.index);
    this.#hashes = this.#hashes.slice(upTo - this.#base.index);
    this.#base = base;
  }

  /** Empty, and beginning behind `base`. */
  reset(base: SnapshotPlace): void {
    this.#base = base;
    this.#entries = [];
    this.#hashes = [];
  }
}
