/** Blocks back into readings: `block.ts`. */
import { ShapeError } from "../cbor/shape.ts";
import { BitReader } from "./bits.ts";
import { type Block, BlockMode } from "./block.ts";
import { Rice } from "./rice.ts";
import { XorReader } from "./xor.ts";

/** Calls back with each reading, in their order. @throws {ShapeError} for a block that no encoder makes; what came before was told. */
export function decodeBlock(block: Block, onReading: (atMs: number, value: number) => void): void {
  const reader = new BitReader(block.bits);
  const times = new Rice();
  const values = new BlockValues(block, reader);
  let atMs = block.startMs;
  let stepMs = block.stepMs;
  const first = values.first();
  if (!Number.isFinite(first)) throw new ShapeError("report", "the first of a block", "finite", first);
  onReading(atMs, first);
  for (let i = 1; i < block.count; i++) {
    const change = times.read(reader);
    stepMs += change ?? NaN;
    atMs += stepMs;
    const value = values.next();
    if (!(stepMs >= 0) || !Number.isSafeInteger(atMs) || !Number.isFinite(value) || reader.isOver) {
      throw new ShapeError("report", `reading ${i} of a block`, "readable", undefined);
    }
    onReading(atMs, value);
  }
  if (!reader.isAtEnd) throw new ShapeError("report", "the end of a block", "zeros", undefined);
}

class BlockValues {
  readonly #block: Block;
  readonly #reader: BitReader;
  readonly #rice = new Rice();
  readonly #xor = new XorReader();
  #last: number;

  constructor(block: Block, reader: BitReader) {
    this.#block = block;
    this.#reader = reader;
    this.#last = block.first;
    if (block.mode === BlockMode.xor) this.#xor.begin(block.first);
  }

  first(): number {
    return this.#block.mode === BlockMode.xor ? this.#block.first : this.unscaled();
  }

  /** NaN for what cannot be. */
  next(): number {
    if (this.#block.mode === BlockMode.xor) return this.#xor.read(this.#reader) ?? NaN;
    const change = this.#rice.read(this.#reader);
    if (change === undefined) return this.#xor.readWhole(this.#reader);
    this.#last += change;
    return this.unscaled();
  }

  private unscaled(): number {
    const { mode, scale } = this.#block;
    return mode === BlockMode.steps ? this.#last * scale : this.#last / 10 ** scale;
  }
}
