import { reservedKeyPrefix } from "../../protocols/state/command.ts";

/**
 * Where the value of each key of the agreed state is in flash, without the keys themselves: the key's hash, the place of
 * its record and the log index of its entry, 14 bytes a key. Keys that share a hash are told apart by whoever can read
 * the flash. Keys have numbers from 0 on; those of one bucket are chained.
 */
export class KeyIndex {
  #hashes = new Uint32Array(16);
  #places = new Uint32Array(16);
  #indexes = new Uint32Array(16);
  /** The number of the next key in the same bucket, plus 1; 0 for none. */
  #nexts = new Uint16Array(16);
  /** The number of the first key of each bucket, plus 1; 0 for none. */
  readonly #firsts = new Uint16Array(bucketMask + 1);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
    this.#firsts.fill(0);
  }

  /** The first key with this hash, or -1. */
  find(hash: number): number {
    return this.findFrom(hash, this.#firsts[hash & bucketMask]! - 1);
  }

  /** The next key with the hash of key `number`, or -1. */
  findNext(number: number): number {
    return this.findFrom(this.#hashes[number]!, this.#nexts[number]! - 1);
  }

  /** The key with this hash whose record is at `place`, or -1. */
  findPlace(hash: number, place: number): number {
    let number = this.find(hash);
    while (number >= 0 && this.#places[number] !== place) number = this.findNext(number);
    return number;
  }

  /** Whether it is one of Covey's own: `reservedKeyPrefix`. */
  isReserved(number: number): boolean {
    return this.#hashes[number]! >= reservedBit;
  }

  placeOf(number: number): number {
    return this.#places[number]!;
  }

  indexOf(number: number): number {
    return this.#indexes[number]!;
  }

  move(number: number, place: number, index: number): void {
    this.#places[number] = place;
    this.#indexes[number] = index;
  }

  add(hash: number, place: number, index: number): void {
    if (this.#count === this.#hashes.length) this.grow();
    const number = this.#count++;
    this.#hashes[number] = hash;
    this.move(number, place, index);
    this.link(number);
  }

  /** The last key takes the number of the one that goes. */
  remove(number: number): void {
    this.unlink(number);
    const last = --this.#count;
    if (last === number) return;
    this.unlink(last);
    this.#hashes[number] = this.#hashes[last]!;
    this.move(number, this.#places[last]!, this.#indexes[last]!);
    this.link(number);
  }

  private findFrom(hash: number, from: number): number {
    const hashes = this.#hashes;
    const nexts = this.#nexts;
    let number = from;
    while (number >= 0 && hashes[number] !== hash) number = nexts[number]! - 1;
    return number;
  }

  private link(number: number): void {
    const bucket = this.#hashes[number]! & bucketMask;
    this.#nexts[number] = this.#firsts[bucket]!;
    this.#firsts[bucket] = number + 1;
  }

  private unlink(number: number): void {
    const bucket = this.#hashes[number]! & bucketMask;
    let before = this.#firsts[bucket]! - 1;
    if (before === number) {
      this.#firsts[bucket] = this.#nexts[number]!;
      return;
    }
    while (this.#nexts[before] !== number + 1) before = this.#nexts[before]! - 1;
    this.#nexts[before] = this.#nexts[number]!;
  }

  private grow(): void {
    const nexts = new Uint16Array(2 * this.#nexts.length);
    nexts.set(this.#nexts);
    this.#nexts = nexts;
    this.#hashes = twiceAsLong(this.#hashes);
    this.#places = twiceAsLong(this.#places);
    this.#indexes = twiceAsLong(this.#indexes);
  }
}

/** Of 64 buckets: with as many keys as a state may have, a chain has eight of them. */
const bucketMask = 63;

/** Called on a key rather than asked of one, which would make an object of it for each character: see `utf8.ts`. */
const { charCodeAt } = String.prototype;

/** FNV-1a of an ASCII key, its lower 31 bits; the highest says that the key is one of Covey's own, so that these are found without reading the others. */
export function hashOf(key: string): number {
  const { length } = key;
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ charCodeAt.call(key, i), 0x01000193);
  return key.startsWith(reservedKeyPrefix) ? (hash | reservedBit) >>> 0 : hash & ~reservedBit;
}

const reservedBit = 0x8000_0000;

function twiceAsLong(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}
