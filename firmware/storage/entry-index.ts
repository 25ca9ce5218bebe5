/**
 * Where the entries are that the log holds and the state does not yet: place in flash and term by log index, in two rings
 * of numbers. Rings start small and double up to `entriesMax`.
 */
export class EntryIndex {
  readonly entriesMax: number;
  #places = new Uint32Array(16);
  #terms = new Uint32Array(16);
  /** Place of `firstIndex` in the rings. */
  #head = 0;
  #count = 0;
  #firstIndex = 1;

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  get lastIndex(): number {
    return this.#firstIndex + this.#count - 1;
  }

  /** Forgets everything; the next entry is the one after `baseIndex`. */
  restart(baseIndex: number): void {
    this.#head = 0;
    this.#count = 0;
    this.#firstIndex = baseIndex + 1;
  }

  push(place: number, term: number): void {
    if (this.#count === this.#places.length) this.#grow();
    const at = (this.#head + this.#count++) % this.#places.length;
    this.#places[at] = place;
    this.#terms[at] = term;
  }

  /** 0 for an entry of which the place is not known yet. */
  placeOf(index: number): number {
    return this.#places[this.#at(index)]!;
  }

  termOf(index: number): number {
    return this.#terms[this.#at(index)]!;
  }

  move(index: number, place: number): void {
    this.#places[this.#at(index)] = place;
  }

  setTerm(index: number, term: number): void {
    this.#terms[this.#at(index)] = term;
  }

  has(index: number): boolean {
    return index >= this.#firstIndex && index <= this.lastIndex;
  }

  /** Drops `index` and all after it. */
  truncateFrom(index: number): void {
    this.#count = Math.max(0, Math.min(this.#count, index - this.#firstIndex));
  }

  /** Drops the first entry. */
  shift(): void {
    this.#head = (this.#head + 1) % this.#places.length;
    this.#count--;
    this.#firstIndex++;
  }

  #at(index: number): number {
    if (!this.has(index)) throw new RangeError(`Entry ${index} is not in the index.`);
    return (this.#head + index - this.#firstIndex) % this.#places.length;
  }

  #grow(): void {
    if (this.#count >= this.entriesMax) throw new RangeError(`More than ${this.entriesMax} entries wait.`);
    const length = Math.min(2 * this.#count, this.entriesMax);
    const places = new Uint32Array(length);
    const terms = new Uint32Array(length);
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) % this.#places.length;
      places[i] = this.#places[at]!;
      terms[i] = this.#terms[at]!;
    }
    this.#places = places;
    this.#terms = terms;
    this.#head = 0;
  }
}
