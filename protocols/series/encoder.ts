/** Packs readings into blocks as they come: some 650 bytes of state, none allocated for a reading. The format: `block.ts`. */
import { BitWriter } from "./bits.ts";
import { type Block, BlockMode, blockLimits } from "./block.ts";
import { exceptionBits, Rice, riceBitsMax, riceMagnitudeMax } from "./rice.ts";
import { XorWriter, xorBitsMax } from "./xor.ts";

/** What a reading takes at most: its time, and a value by exclusive or, or one that is an exception. */
const readingBitsMax = riceBitsMax + Math.max(xorBitsMax, exceptionBits + 64);
/** Half of what an integer of Rice's code may be: so large the change of two can be. */
const scaledMax = riceMagnitudeMax / 4;
/** Blocks in a row without another try at decimals, once they have failed. */
const distrustBlocks = 16;

/** Up to `blockLimits.digitsMax`. */
const powersOfTen: readonly number[] = Object.freeze([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]);

export class BlockEncoder {
  /** 0: nothing is lost. */
  readonly #within: number;
  readonly #writer = new BitWriter(blockLimits.bytesMax);
  readonly #times = new Rice();
  readonly #values = new Rice();
  /** Only made for values that are no decimals. */
  #xor: XorWriter | undefined;
  #mode: BlockMode = BlockMode.decimal;
  #scale = 0;
  #count = 0;
  #startMs = 0;
  #firstStepMs: number;
  #first = 0;
  #lastMs = 0;
  #stepMs: number;
  /** The last scaled value. */
  #last = 0;
  /** Of this block, and those among them that no number of digits helps. */
  #exceptions = 0;
  #rough = 0;
  /** Blocks that still begin without a try at decimals. */
  #distrust = 0;
  /** That the next block's decimals begin with. */
  #digits = 0;
  /** Whether this block's decimals would do with one digit less. */
  #isRound = false;

  /**
   * @param stepMs the time from one reading to the next that is expected
   * @param within by how much a reading may differ from what was taken; 0: by nothing
   */
  constructor(stepMs: number, within: number) {
    this.#within = within;
    this.#stepMs = stepMs;
    this.#firstStepMs = stepMs;
  }

  /** Readings that wait. */
  get count(): number {
    return this.#count;
  }

  /** When the first of them was taken. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Whether the next reading might find no room, or would lie better in another block. */
  get isFull(): boolean {
    const isAmiss = this.#exceptions > 2 && this.#exceptions * 4 > this.#count;
    return this.#count > 0 && (isAmiss || this.#writer.room < readingBitsMax);
  }

  /** A finite value, taken at a time that is not before the last one's. There must be room: `isFull`. */
  push(atMs: number, value: number): void {
    if (this.#count++ === 0) this.begin(atMs, value);
    else this.add(atMs, value);
    this.#lastMs = atMs;
  }

  /** What waits, if anything does. */
  take(): Block | undefined {
    if (this.#count === 0) return undefined;
    if (this.#rough > 2 && this.#rough * 4 > this.#count) this.#distrust = distrustBlocks;
    else if (this.#distrust > 0) this.#distrust--;
    if (this.#mode === BlockMode.decimal && this.#isRound && this.#exceptions === 0) {
      this.#digits = Math.max(0, this.#scale - 1);
    }
    const block = {
      startMs: this.#startMs,
      stepMs: this.#firstStepMs,
      mode: this.#mode,
      scale: this.#scale,
      first: this.#first,
      count: this.#count,
      bits: this.#writer.take(),
    };
    this.#count = 0;
    return block;
  }

  private begin(atMs: number, value: number): void {
    this.#startMs = atMs;
    this.#firstStepMs = this.#stepMs;
    this.#exceptions = 0;
    this.#rough = 0;
    this.#times.reset();
    this.#values.reset();
    this.choose(value);
    if (this.#mode === BlockMode.xor) {
      this.#xor ??= new XorWriter();
      this.#xor.begin(value);
      this.#first = value;
    } else {
      this.#last = this.scaled(value);
      this.#first = this.#last;
      this.#isRound = this.#last % 10 === 0;
    }
  }

  private add(atMs: number, value: number): void {
    const stepMs = atMs - this.#lastMs;
    this.#times.write(this.#writer, stepMs - this.#stepMs);
    this.#stepMs = stepMs;
    if (this.#mode === BlockMode.xor) {
      this.#xor!.write(this.#writer, value);
      return;
    }
    const scaled = this.scaled(value);
    if (this.isExact(scaled, value)) {
      this.#values.write(this.#writer, scaled - this.#last);
      this.#last = scaled;
      this.#isRound = this.#isRound && scaled % 10 === 0;
    } else {
      this.#exceptions++;
      if (this.#mode === BlockMode.decimal) this.learnDigits(value);
      this.#values.writeException(this.#writer);
      this.#xor ??= new XorWriter();
      this.#xor.writeWhole(this.#writer, value);
    }
  }

  /** How this block holds its values, as its first one suggests. */
  private choose(value: number): void {
    if (this.#within > 0) {
      this.#mode = BlockMode.steps;
      this.#scale = 2 * this.#within;
      if (this.isExact(this.scaled(value), value)) return;
    } else if (this.#distrust === 0) {
      this.#mode = BlockMode.decimal;
      this.#scale = this.digitsOf(value);
      if (this.#scale <= blockLimits.digitsMax) return;
    }
    this.#mode = BlockMode.xor;
    this.#scale = 0;
  }

  /** The least number of digits, of those that are still tried, with which a decimal is exact; more than there may be for none. */
  private digitsOf(value: number): number {
    let digits = this.#digits;
    while (
      digits <= blockLimits.digitsMax &&
      !isDecimal(Math.round(value * powersOfTen[digits]!), digits, value)
    )
      digits++;
    return digits;
  }

  private learnDigits(value: number): void {
    const digits = this.digitsOf(value);
    if (digits <= blockLimits.digitsMax) this.#digits = digits;
    else this.#rough++;
  }

  private scaled(value: number): number {
    return Math.round(
      this.#mode === BlockMode.steps ? value / this.#scale : value * powersOfTen[this.#scale]!,
    );
  }

  /** Whether what is read of a scaled value is what was taken, or near enough. */
  private isExact(scaled: number, value: number): boolean {
    if (this.#mode === BlockMode.decimal) return isDecimal(scaled, this.#scale, value);
    return Math.abs(scaled) <= scaledMax && Math.abs(scaled * this.#scale - value) <= this.#within;
  }
}

/** Zero has no sign here. */
function isDecimal(scaled: number, digits: number, value: number): boolean {
  return (
    Math.abs(scaled) <= scaledMax &&
    scaled / powersOfTen[digits]! === value &&
    (scaled !== 0 || 1 / value > 0)
  );
}
