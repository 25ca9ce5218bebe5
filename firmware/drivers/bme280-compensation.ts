/**
 * From the raw values of a BME280 to physical ones: the formulas in double precision of the data sheet's appendix
 * (BST-BME280-DS002, section 8.1).
 *
 * The data sheet offers integers too (4.2.3 and 8.2) and prefers them where floating point is dear. In JavaScript every
 * number is a double: the 64-bit formula for pressure would need some thirty BigInts a reading, and the 32-bit one takes
 * as many operations as this and is off by up to 6 Pa. Both are the models in the tests.
 */
export class Bme280Compensation {
  readonly #t1: number;
  readonly #t2: number;
  readonly #t3: number;
  readonly #p1: number;
  readonly #p2: number;
  readonly #p3: number;
  readonly #p4: number;
  readonly #p5: number;
  readonly #p6: number;
  readonly #p7: number;
  readonly #p8: number;
  readonly #p9: number;
  readonly #h1: number;
  readonly #h2: number;
  readonly #h3: number;
  readonly #h4: number;
  readonly #h5: number;
  readonly #h6: number;
  /** Temperature in units of 1/5,120 °C, of which pressure and humidity depend. */
  #fine = 0;

  /**
   * `low` are the registers 0x88 to 0xA1, `high` 0xE1 to 0xE7 (section 4.2.2, table 16: little-endian words, but for H4
   * and H5, signed 12-bit values that share the byte at 0xE5).
   */
  constructor(low: Uint8Array, high: Uint8Array) {
    const words = new DataView(low.buffer, low.byteOffset, low.byteLength);
    this.#t1 = words.getUint16(0, true);
    this.#t2 = words.getInt16(2, true);
    this.#t3 = words.getInt16(4, true);
    this.#p1 = words.getUint16(6, true);
    this.#p2 = words.getInt16(8, true);
    this.#p3 = words.getInt16(10, true);
    this.#p4 = words.getInt16(12, true);
    this.#p5 = words.getInt16(14, true);
    this.#p6 = words.getInt16(16, true);
    this.#p7 = words.getInt16(18, true);
    this.#p8 = words.getInt16(20, true);
    this.#p9 = words.getInt16(22, true);
    this.#h1 = words.getUint8(25);
    const more = new DataView(high.buffer, high.byteOffset, high.byteLength);
    this.#h2 = more.getInt16(0, true);
    this.#h3 = more.getUint8(2);
    this.#h4 = more.getInt8(3) * 16 + (more.getUint8(4) & 0x0f);
    this.#h5 = more.getInt8(5) * 16 + (more.getUint8(4) >> 4);
    this.#h6 = more.getInt8(6);
  }

  /** Whether a factory can have stored this: a chip that is absent or still loading reads as all zeros or all ones. */
  get isPlausible(): boolean {
    return this.#t1 !== 0 && this.#t1 !== 0xffff && this.#t2 !== 0 && this.#p1 !== 0 && this.#p1 !== 0xffff;
  }

  /** °C from the 20-bit raw value. The other two use what this found, so it comes first. */
  temperature(raw: number): number {
    const offset = raw / 131072 - this.#t1 / 8192;
    const fine = (raw / 16384 - this.#t1 / 1024) * this.#t2 + offset * offset * this.#t3;
    this.#fine = Math.trunc(fine);
    return fine / 5120;
  }

  /** Pascal from the 20-bit raw value; NaN where the calibration gives no answer. */
  pressure(raw: number): number {
    const t = this.#fine / 2 - 64000;
    const offset = ((t * t * this.#p6) / 32768 + t * this.#p5 * 2) / 4 + this.#p4 * 65536;
    const slope = ((this.#p3 * t * t) / 524288 + this.#p2 * t) / 524288;
    const sensitivity = (1 + slope / 32768) * this.#p1;
    if (sensitivity === 0) return Number.NaN;
    const p = ((1048576 - raw - offset / 4096) * 6250) / sensitivity;
    return p + ((this.#p9 * p * p) / 2147483648 + (p * this.#p8) / 32768 + this.#p7) / 16;
  }

  /** Relative humidity, 0 to 1, from the 16-bit raw value. */
  humidity(raw: number): number {
    const t = this.#fine - 76800;
    const gain = 1 + (this.#h6 / 67108864) * t * (1 + (this.#h3 / 67108864) * t);
    const linear = (raw - (this.#h4 * 64 + (this.#h5 / 16384) * t)) * (this.#h2 / 65536) * gain;
    const percent = linear * (1 - (this.#h1 * linear) / 524288);
    return Math.min(Math.max(percent, 0), 100) / 100;
  }
}
