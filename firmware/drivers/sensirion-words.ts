/**
 * How Sensirion's sensors talk over I2C: 16-bit commands and words, high byte first, each word followed by its checksum
 * (SCD4x data sheet, sections 3.3, 3.4 and 3.12).
 */
import type { SensorBus } from "./sensor.ts";

/** The longest answer that a driver here asks for. */
export const wordsMax = 3;

export class SensirionWords {
  readonly #bus: SensorBus;
  /** A command, or a command and a word with its checksum; with a view for the first, because `write` sends all of an array. */
  readonly #outgoing = new Uint8Array(5);
  readonly #command = this.#outgoing.subarray(0, 2);
  readonly #incoming = new Uint8Array(3 * wordsMax);
  readonly #oneWord = this.#incoming.subarray(0, 3);

  constructor(bus: SensorBus) {
    this.#bus = bus;
  }

  /** Throws `SensorIoError`. */
  send(command: number): void {
    this.put(command);
    this.#bus.write(this.#command);
  }

  /** Throws `SensorIoError`. */
  sendWord(command: number, word: number): void {
    const bytes = this.#outgoing;
    this.put(command);
    bytes[2] = word >> 8;
    bytes[3] = word & 0xff;
    bytes[4] = crc8(bytes, 2, 4);
    this.#bus.write(bytes);
  }

  /** Receives one word; false when its checksum is wrong. Throws `SensorIoError`. */
  receiveOne(): boolean {
    this.#bus.read(this.#oneWord);
    return this.isIntact(1);
  }

  /** Receives three words; false when a checksum is wrong. Throws `SensorIoError`. */
  receiveThree(): boolean {
    this.#bus.read(this.#incoming);
    return this.isIntact(wordsMax);
  }

  /** A word of those received last. */
  at(place: number): number {
    return (this.#incoming[place * 3]! << 8) | this.#incoming[place * 3 + 1]!;
  }

  private put(command: number): void {
    this.#outgoing[0] = command >> 8;
    this.#outgoing[1] = command & 0xff;
  }

  private isIntact(words: number): boolean {
    for (let at = 0; at < words * 3; at += 3) {
      if (crc8(this.#incoming, at, at + 2) !== this.#incoming[at + 2]) return false;
    }
    return true;
  }
}

/** CRC-8 with polynomial x⁸ + x⁵ + x⁴ + 1, begun with 0xFF, nothing reflected. No table: it covers two bytes at a time. */
export function crc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xff;
  for (let at = from; at < to; at++) {
    crc ^= bytes[at]!;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80) !== 0 ? ((crc << 1) ^ 0x31) & 0xff : crc << 1;
  }
  return crc;
}
