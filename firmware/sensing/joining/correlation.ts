import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "../stages/doubles.ts";
import type { RowWork } from "./row-work.ts";

/**
 * Pearson's correlation of two metrics over the last rows, once there are as many: 1 when they rise and fall together, -1 when one rises as the
 * other falls. It keeps the rows and adds them up anew, about their means, so nothing is ever taken off a sum. Where one of the
 * two does not change at all there is none.
 */
export class Correlation implements RowWork {
  readonly #rows: number;
  readonly #every: number;
  /** Two numbers a row, a ring. */
  readonly #numbers: Float64Array;
  #count = 0;
  #next = 0;
  /** Rows since it last said something. */
  #fresh = 0;

  constructor(rows: number, every: number) {
    this.#rows = rows;
    this.#every = every;
    this.#numbers = new Float64Array(2 * rows);
  }

  take(row: Float64Array): number {
    this.add(row[0]!, row[1]!);
    this.#fresh = (this.#fresh + 1) % this.#every;
    return this.#count === this.#rows && this.#fresh === 0 ? this.result() : NaN;
  }

  /** [rows since, the bytes of the rows in the order of arrival]. */
  save(): CborValue {
    const saved = new Float64Array(2 * this.#count);
    for (let i = 0; i < this.#count; i++) {
      const from = (this.#next - this.#count + i + this.#rows) % this.#rows;
      saved[2 * i] = this.#numbers[2 * from]!;
      saved[2 * i + 1] = this.#numbers[2 * from + 1]!;
    }
    return [this.#fresh, savedDoubles(saved)];
  }

  restore(state: CborValue): void {
    const items = new ItemReader(state, "checkpoint", "correlation", 2);
    const fresh = items.integer("the rows since", 0, this.#every - 1);
    const saved = readDoubles(items.any(), "correlation", 0, 2 * this.#rows);
    if (saved.length % 2 !== 0)
      throw new ShapeError("checkpoint", "a correlation", "whole rows", saved.length);
    this.#count = 0;
    this.#next = 0;
    for (let i = 0; i < saved.length; i += 2) this.add(saved[i]!, saved[i + 1]!);
    this.#fresh = fresh;
  }

  private add(x: number, y: number): void {
    this.#numbers[2 * this.#next] = x;
    this.#numbers[2 * this.#next + 1] = y;
    this.#next = (this.#next + 1) % this.#rows;
    if (this.#count < this.#rows) this.#count++;
  }

  private result(): number {
    const numbers = this.#numbers;
    const count = this.#rows;
    // From the first row's on: what is constant is then exactly nothing.
    const firstX = numbers[0]!;
    const firstY = numbers[1]!;
    let meanX = 0;
    let meanY = 0;
    for (let i = 0; i < 2 * count; i += 2) {
      meanX += (numbers[i]! - firstX) / count;
      meanY += (numbers[i + 1]! - firstY) / count;
    }
    let xx = 0;
    let yy = 0;
    let xy = 0;
    for (let i = 0; i < 2 * count; i += 2) {
      const x = numbers[i]! - firstX - meanX;
      const y = numbers[i + 1]! - firstY - meanY;
      xx += x * x;
      yy += y * y;
      xy += x * y;
    }
    const r = xy / (Math.sqrt(xx) * Math.sqrt(yy));
    return r > 1 ? 1 : r < -1 ? -1 : r;
  }
}
