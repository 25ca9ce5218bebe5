/**
 * Where the value of each key of the agreed state is in flash, without the keys themselves: a hash and an offset, 8 bytes a
 * key. Keys that share a hash are told apart by whoever can read the flash.
 */
export class KeyIndex {
  #hashes = new Uint32Array(16);
  #offsets = new Uint32Array(16);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  /** The first place from `from` on with this hash, or -1. */
  find(hash: number, from: number): number {
    for (let place = from; place < this.#count; place++) {
      if (this.#hashes[place] === hash) return place;
    }
    return -1;
  }

  offsetAt(place: number): number {
    return this.#offsets[place]!;
  }

  moveTo(place: number, offset: number): void {
    this.#offsets[place] = offset;
  }

  add(hash: number, offset: number): void {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count] = hash;
    this.#offsets[this.#count++] = offset;
  }

  /** The last key takes the place of the one that goes. */
  remove(place: number): void {
    const last = --this.#count;
    this.#hashes[place] = this.#hashes[last]!;
    this.#offsets[place] = this.#offsets[last]!;
  }

  #grow(): void {
    const hashes = new Uint32Array(2 * this.#count);
    const offsets = new Uint32Array(2 * this.#count);
    hashes.set(this.#hashes);
    offsets.set(this.#offsets);
    this.#hashes = hashes;
    this.#offsets = offsets;
  }
}

/** FNV-1a, 32 bits, of an ASCII key. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
