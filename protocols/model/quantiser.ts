/**
 * Turns the numbers of a row into integers: (x - offset) gain, rounded, at most `max` from 0. Offset and gain are 32-bit floats, two for
 * each feature, one after the other.
 */
export class Quantiser {
  readonly #table: Float32Array;
  readonly #max: number;

  constructor(table: Float32Array, max: number) {
    this.#table = table;
    this.#max = max;
  }

  quantise(row: Float64Array, into: Int16Array | Int8Array): void {
    const table = this.#table;
    const max = this.#max;
    for (let i = 0, at = 0; i < row.length; i++, at += 2) {
      const scaled = Math.floor((row[i]! - table[at]!) * table[at + 1]! + 0.5);
      into[i] = scaled > max ? max : scaled < -max ? -max : scaled;
    }
  }
}

/** How far from 0 quantised features of trees go, and those of networks. */
export const int16Max = 32_767;
export const int8Max = 127;
