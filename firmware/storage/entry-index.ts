/**
 * Where the entries of the log are: place in flash, term and chain hash by log index, in three rings of numbers, and term and
 * hash of the entry before them. The rings start small and grow by `growthEntries`, up to `entriesMax`: 24 bytes an entry.
 */
import { chainHashBytes, emptyChain } from "../../protocols/raft/chain.ts";

const growthEntries = 16;

export class EntryIndex {
  readonly entriesMax: number;
  #places = new Uint32Array(growthEntries);
  #terms = new Uint32Array(growthEntries);
  #hashes = new Uint8Array(growthEntries * chainHashBytes);
  /** Place of `firstIndex` in the rings. */
  #head = 0;
  #count = 0;
  #baseIndex = 0;
  #baseTerm = 0;
  #baseHash = emptyChain();

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
  }

  /** The entry before the first. */
  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#count;
  }

  /** Forgets everything; the next entry is the one after `baseIndex`. */
  restart(baseIndex: number, baseTerm: number, baseHash: Uint8Array): void {
    this.#head = 0;
    this.#count = 0;
    this.#baseIndex = baseIndex;
    this.#baseTerm = baseTerm;
    this.#baseHash = baseHash.slice();
  }

  push(place: number, term: number, hash: Uint8Array): void {
    if (this.#count === this.#places.length) this.grow();
    this.#count++;
    this.set(this.lastIndex, place, term, hash);
  }

  set(index: number, place: number, term: number, hash: Uint8Array): void {
    const at = this.at(index);
    this.#places[at] = place;
    this.#terms[at] = term;
    this.#hashes.set(hash, at * chainHashBytes);
  }

  /** 0 for an entry of which the place is not known yet. */
  placeOf(index: number): number {
    return this.#places[this.at(index)]!;
  }

  /** Also of the entry before the first. */
  termOf(index: number): number {
    return index === this.#baseIndex ? this.#baseTerm : this.#terms[this.at(index)]!;
  }

  /** A copy; also of the entry before the first. */
  hashOf(index: number): Uint8Array {
    if (index === this.#baseIndex) return this.#baseHash.slice();
    const at = this.at(index) * chainHashBytes;
    return this.#hashes.slice(at, at + chainHashBytes);
  }

  move(index: number, place: number): void {
    this.#places[this.at(index)] = place;
  }

  has(index: number): boolean {
    return index > this.#baseIndex && index <= this.lastIndex;
  }

  /** Drops `index` and all after it. */
  truncateFrom(index: number): void {
    this.#count = Math.max(0, Math.min(this.#count, index - 1 - this.#baseIndex));
  }

  /** Drops the first entry. */
  shift(): void {
    const first = this.#baseIndex + 1;
    this.#baseTerm = this.termOf(first);
    this.#baseHash = this.hashOf(first);
    this.#head = (this.#head + 1) % this.#places.length;
    this.#count--;
    this.#baseIndex = first;
  }

  private at(index: number): number {
    if (!this.has(index)) throw new RangeError(`Entry ${index} is not in the index.`);
    return (this.#head + index - 1 - this.#baseIndex) % this.#places.length;
  }

  private grow(): void {
    const length = this.#places.length + growthEntries;
    if (length > this.entriesMax) throw new RangeError(`More than ${this.entriesMax} entries are held.`);
    const places = new Uint32Array(length);
    const terms = new Uint32Array(length);
    const hashes = new Uint8Array(length * chainHashBytes);
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) % this.#places.length;
      places[i] = this.#places[at]!;
      terms[i] = this.#terms[at]!;
      hashes.set(this.#hashes.subarray(at * chainHashBytes, (at + 1) * chainHashBytes), i * chainHashBytes);
    }
    this.#places = places;
    this.#terms = terms;
    this.#hashes = hashes;
    this.#head = 0;
  }
}
