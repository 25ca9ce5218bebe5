/**
 * Where the value of each key of the agreed state is in flash, without the keys themselves: the key's hash, the place of
 * its record and the log index of its entry, 12 bytes a key. Keys that share a hash are told apart by whoever can read
 * the flash.
 */
export class KeyIndex {
  #hashes = new Uint32Array(16);
  #places = new Uint32Array(16);
  #indexes = new Uint32Array(16);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  /** The first key from number `from` on with this hash, or -1. */
  find(hash: number, from: number): number {
    const hashes = this.#hashes;
    for (let key = from; key < this.#count; key++) {
      if (hashes[key] === hash) return key;
    }
    return -1;
  }

  /** The key whose record is at `place`, or -1. */
  findPlace(place: number): number {
    const places = this.#places;
    for (let key = 0; key < this.#count; key++) {
      if (places[key] === place) return key;
    }
    return -1;
  }

  placeOf(key: number): number {
    return this.#places[key]!;
  }

  indexOf(key: number): number {
    return this.#indexes[key]!;
  }

  move(key: number, place: number, index: number): void {
    this.#places[key] = place;
    this.#indexes[key] = index;
  }

  add(hash: number, place: number, index: number): void {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count] = hash;
    this.move(this.#count++, place, index);
  }

  /** The last key takes the number of the one that goes. */
  remove(key: number): void {
    const last = --this.#count;
    this.#hashes[key] = this.#hashes[last]!;
    this.move(key, this.#places[last]!, this.#indexes[last]!);
  }

  #grow(): void {
    this.#hashes = twiceAsLong(this.#hashes);
    this.#places = twiceAsLong(this.#places);
    this.#indexes = twiceAsLong(this.#indexes);
  }
}

/** FNV-1a, 32 bits, of an ASCII key. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function twiceAsLong(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}
