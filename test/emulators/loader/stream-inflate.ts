/**
 * A zlib stream, inflated as its blocks come: RFC 1950 and RFC 1951.
 *
 * Node's own inflates a stream too, but does not say when the stream's end came, on which a stub's writing hangs.
 * Each step takes its bits at once, or gives them back and waits for the next block.
 */

export type Inflated =
  | { readonly pieces: readonly Uint8Array[]; readonly done: boolean }
  | { readonly error: "deflate" | "adler32" };

export class StreamInflate {
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #bits = 0;
  #bitCount = 0;
  /** The step in hand asked for more bits than came. */
  #short = false;
  #state: "header" | "block" | "stored" | "symbols" | "sum" | "done" | "deflate" | "adler32" = "header";
  #last = false;
  #storedBytes = 0;
  #literals = fixedLiterals;
  #distances = fixedDistances;
  /** The last 32 KB and what was added in this push. */
  readonly #out = new Uint8Array(4 * windowBytes);
  #outAt = 0;
  #takenAt = 0;
  #total = 0;
  #sumA = 1;
  #sumB = 0;
  #pieces: Uint8Array[] = [];

  /** What this block adds. After the stream's end, and after an error, that stays the answer. */
  push(block: Uint8Array): Inflated {
    this.#input = Buffer.concat([this.#input.subarray(this.#at), block]);
    this.#at = 0;
    while (this.#step()) if (this.#outAt > this.#out.length - windowBytes) this.#slide();
    this.#take();
    if (this.#state === "deflate" || this.#state === "adler32") return { error: this.#state };
    const pieces = this.#pieces;
    this.#pieces = [];
    return { pieces, done: this.#state === "done" };
  }

  /** One header, symbol or run. Returns false when there is no more to do with what came. */
  #step(): boolean {
    if (this.#state === "done" || this.#state === "deflate" || this.#state === "adler32") return false;
    const before = { at: this.#at, bits: this.#bits, bitCount: this.#bitCount };
    this.#short = false;
    if (this.#state === "symbols") this.#symbols();
    else if (this.#state === "stored") this.#stored();
    else {
      const next =
        this.#state === "header" ? this.#header() : this.#state === "block" ? this.#block() : this.#sum();
      if (!this.#short) this.#state = next;
      else [this.#at, this.#bits, this.#bitCount] = [before.at, before.bits, before.bitCount];
    }
    return !this.#short;
  }

  /** RFC 1950, section 2.2. */
  #header(): "block" | "deflate" {
    const method = this.#takeBits(8);
    const flags = this.#takeBits(8);
    const sound = (method & 15) === 8 && ((method << 8) | flags) % 31 === 0 && (flags & 0x20) === 0;
    return sound ? "block" : "deflate";
  }

  /** RFC 1951, section 3.2.3. */
  #block(): "stored" | "symbols" | "deflate" {
    const last = this.#takeBits(1) === 1;
    const kind = this.#takeBits(2);
    if (kind === 0) {
      this.#takeBits(this.#bitCount % 8);
      this.#storedBytes = this.#takeBits(16);
      if ((this.#takeBits(16) ^ 0xffff) !== this.#storedBytes) return "deflate";
    } else if (kind === 1) [this.#literals, this.#distances] = [fixedLiterals, fixedDistances];
    else if (kind === 3 || !this.#dynamic()) return "deflate";
    if (!this.#short) this.#last = last;
    return kind === 0 ? "stored" : "symbols";
  }

  /** RFC 1951, section 3.2.7. */
  #dynamic(): boolean {
    const literalCodes = this.#takeBits(5) + 257;
    const distanceCodes = this.#takeBits(5) + 1;
    const lengthCodes = this.#takeBits(4) + 4;
    const lengthLengths = new Uint8Array(19);
    for (let i = 0; i < lengthCodes; i++) lengthLengths[lengthOrder[i]!] = this.#takeBits(3);
    if (this.#short) return true;
    const codes = huffman(lengthLengths);
    const lengths = new Uint8Array(literalCodes + distanceCodes);
    for (let at = 0; at < lengths.length && !this.#short; ) {
      const symbol = this.#decode(codes);
      if (symbol < 0) return this.#short;
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) return false;
      const repeated = symbol === 16 ? lengths[at - 1]! : 0;
      const count =
        symbol === 16
          ? 3 + this.#takeBits(2)
          : symbol === 17
            ? 3 + this.#takeBits(3)
            : 11 + this.#takeBits(7);
      if (at + count > lengths.length) return this.#short;
      lengths.fill(repeated, at, at + count);
      at += count;
    }
    this.#literals = huffman(lengths.subarray(0, literalCodes));
    this.#distances = huffman(lengths.subarray(literalCodes));
    return true;
  }

  #stored(): void {
    // Whole bytes may still stand in the bits.
    if (this.#storedBytes === 0) {
      this.#state = this.#last ? "sum" : "block";
      return;
    }
    const byte = this.#takeBits(8);
    if (this.#short) return;
    this.#storedBytes--;
    this.#put(byte);
  }

  /** As many symbols as there are bits and room for. RFC 1951, section 3.2.5. */
  #symbols(): void {
    while (this.#outAt <= this.#out.length - windowBytes) {
      const [at, bits, bitCount] = [this.#at, this.#bits, this.#bitCount];
      const symbol = this.#decode(this.#literals);
      if (symbol >= 0 && symbol < 256) {
        this.#put(symbol);
        continue;
      }
      if (symbol === 256) {
        this.#state = this.#last ? "sum" : "block";
        return;
      }
      if (symbol > 256 && this.#copy(symbol - 257)) continue;
      if (this.#short) [this.#at, this.#bits, this.#bitCount] = [at, bits, bitCount];
      else this.#state = "deflate";
      return;
    }
  }

  /** Returns false when the distance is wrong, or short of bits. */
  #copy(code: number): boolean {
    if (code > 28) return false;
    const length = lengthBase[code]! + this.#takeBits(lengthExtra[code]!);
    const distanceCode = this.#decode(this.#distances);
    if (distanceCode < 0 || distanceCode > 29) return false;
    const distance = distanceBase[distanceCode]! + this.#takeBits(distanceExtra[distanceCode]!);
    if (this.#short || distance > this.#total) return false;
    for (let i = 0; i < length; i++) this.#put(this.#out[this.#outAt - distance]!);
    return true;
  }

  /** The Adler-32, from the next whole byte on. */
  #sum(): "done" | "adler32" {
    this.#takeBits(this.#bitCount % 8);
    let stated = 0;
    for (let i = 0; i < 4; i++) stated = stated * 256 + this.#takeBits(8);
    this.#take();
    return stated === this.#sumB * 65_536 + this.#sumA ? "done" : "adler32";
  }

  #put(byte: number): void {
    this.#out[this.#outAt++] = byte;
    this.#total++;
  }

  /** Hands out what was added since the last time. */
  #take(): void {
    if (this.#outAt === this.#takenAt) return;
    const piece = this.#out.slice(this.#takenAt, this.#outAt);
    for (const byte of piece) {
      this.#sumA = (this.#sumA + byte) % 65_521;
      this.#sumB = (this.#sumB + this.#sumA) % 65_521;
    }
    this.#pieces.push(piece);
    this.#takenAt = this.#outAt;
  }

  #slide(): void {
    this.#take();
    this.#out.copyWithin(0, this.#outAt - windowBytes, this.#outAt);
    this.#outAt = windowBytes;
    this.#takenAt = windowBytes;
  }

  /** Bits, lowest first; 0 when they are short. */
  #takeBits(count: number): number {
    this.#fill(count);
    if (this.#bitCount < count) {
      this.#short = true;
      return 0;
    }
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#bitCount -= count;
    return value;
  }

  #fill(count: number): void {
    while (this.#bitCount < count && this.#at < this.#input.length) {
      this.#bits |= this.#input[this.#at++]! << this.#bitCount;
      this.#bitCount += 8;
    }
  }

  /** The next symbol; -1 when bits are short, or when there is no such code. */
  #decode({ table, maxBits }: Huffman): number {
    this.#fill(maxBits);
    const entry = table[this.#bits & ((1 << maxBits) - 1)]!;
    const length = entry & 15;
    if (length === 0 || length > this.#bitCount) {
      this.#short = length > this.#bitCount || this.#bitCount < maxBits;
      return -1;
    }
    this.#bits >>>= length;
    this.#bitCount -= length;
    return entry >> 4;
  }
}

interface Huffman {
  /** By the next bits: symbol * 16 + length, 0 for no code. */
  readonly table: Uint16Array;
  readonly maxBits: number;
}

/** RFC 1951, section 3.2.2. */
function huffman(lengths: Uint8Array): Huffman {
  const maxBits = Math.max(1, ...lengths);
  const table = new Uint16Array(1 << maxBits);
  let code = 0;
  for (let length = 1; length <= maxBits; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      let reversed = 0;
      for (let bit = 0; bit < length; bit++)
        if ((code & (1 << bit)) !== 0) reversed |= 1 << (length - 1 - bit);
      for (let at = reversed; at < table.length; at += 1 << length) table[at] = symbol * 16 + length;
      code++;
    }
    code <<= 1;
  }
  return { table, maxBits };
}

/** Bases of a code with so many extra bits each, as they follow from each other. */
function bases(first: number, extra: readonly number[]): readonly number[] {
  let base = first;
  return extra.map((bits) => {
    const now = base;
    base += 1 << bits;
    return now;
  });
}

const windowBytes = 32_768;
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/** The last code is 258 and nothing else. */
const lengthBase = [...bases(3, lengthExtra.slice(0, 28)), 258];
const distanceExtra = Array.from({ length: 30 }, (_, code) => (code < 2 ? 0 : (code >> 1) - 1));
const distanceBase = bases(1, distanceExtra);
const fixedLiterals = huffman(
  Uint8Array.from({ length: 288 }, (_, symbol) =>
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
);
const fixedDistances = huffman(new Uint8Array(30).fill(5));
