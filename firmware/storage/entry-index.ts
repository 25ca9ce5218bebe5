/**
 * Where the entries are that the log holds and the state does not yet: flash offset and term by log index, in two rings of
 * numbers. Rings start small and double up to `entriesMax`.
 */
export class EntryIndex {
  readonly entriesMax: number;
  #offsets = new Uint32Array(16);
  /** Terms can be any integer up to 2^53. */
  #terms = new Float64Array(16);
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

  get room(): number {
    return this.entriesMax - this.#count;
  }

  /** Forgets everything; the next entry is the one after `baseIndex`. */
  restart(baseIndex: number): void {
    this.#head = 0;
    this.#count = 0;
    this.#firstIndex = baseIndex + 1;
  }

  push(offset: number, term: number): void {
    if (this.#count === this.#offsets.length) this.#grow();
    const place = (this.#head + this.#count++) % this.#offsets.length;
    this.#offsets[place] = offset;
    this.#terms[place] = term;
  }

  offsetOf(index: number): number {
    return this.#offsets[this.#placeOf(index)]!;
  }

  moveTo(index: number, offset: number): void {
    this.#offsets[this.#placeOf(index)] = offset;
  }

  termOf(index: number): number {
    return this.#terms[this.#placeOf(index)]!;
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
    this.#head = (this.#head + 1) % this.#offsets.length;
    this.#count--;
    this.#firstIndex++;
  }

  #placeOf(index: number): number {
    if (!this.has(index)) throw new RangeError(`Entry ${index} is not in the index.`);
    return (this.#head + index - this.#firstIndex) % this.#offsets.length;
  }

  #grow(): void {
    if (this.#count >= this.entriesMax) throw new RangeError(`More than ${this.entriesMax} entries wait.`);
    const length = Math.min(2 * this.#count, this.entriesMax);
    const offsets = new Uint32Array(length);
    const terms = new Float64Array(length);
    for (let i = 0; i < this.#count; i++) {
      const place = (this.#head + i) % this.#offsets.length;
      offsets[i] = this.#offsets[place]!;
      terms[i] = this.#terms[place]!;
    }
    this.#offsets = offsets;
    this.#terms = terms;
    this.#head = 0;
  }
}
