import { type Place, sizeOf } from "./place.ts";
import { dataBytesMax, RecordKind, recordSize } from "./record.ts";
import type { SectorLog } from "./sector-log.ts";

/**
 * The latest checkpoint: parts that count only together. A part says which checkpoint it belongs to and how many parts that
 * has, so one that the power cut short is never complete, and parts of two are never mixed. The last complete one counts until
 * the next is complete.
 */
export class CheckpointParts {
  #number = 0;
  #places: Place[] = [];
  /** Newer ones of which recovery has not met all parts. */
  #incomplete: Incomplete[] = [];

  get count(): number {
    return this.#places.length;
  }

  /** Throws `FlashDamaged`. */
  part(log: SectorLog, part: number): Uint8Array {
    return log.read(this.#places[part]!).data;
  }

  /** Bytes on flash that a checkpoint of these parts takes; Infinity for one of no or too many or too long parts. */
  static sizeOf(parts: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const part of parts) bytes += part.length > dataBytesMax ? Infinity : recordSize(part.length);
    return parts.length === 0 || parts.length > partsMax ? Infinity : bytes;
  }

  /** Makes `parts` durable as the latest checkpoint. */
  write(log: SectorLog, parts: readonly Uint8Array[]): void {
    const number = this.#number + 1;
    const places: Place[] = [];
    for (let part = 0; part < parts.length; part++) {
      const tag = part + parts.length * countUnit;
      places.push(log.append(RecordKind.checkpoint, number, tag, parts[part]!));
    }
    this.#number = number;
    this.#places = places;
  }

  liveBytes(): number {
    let bytes = 0;
    for (const place of this.#places) bytes += sizeOf(place);
    return bytes;
  }

  holds(place: Place): boolean {
    return this.#places.includes(place);
  }

  /** The part at `from` has been copied to `to`. */
  move(from: Place, to: Place): void {
    this.#places[this.#places.indexOf(from)] = to;
  }

  clear(): void {
    this.#number = 0;
    this.#places = [];
    this.#incomplete = [];
  }

  replay(number: number, tag: number, place: Place): void {
    const part = tag % countUnit;
    if (number === this.#number) {
      this.#places[part] = place;
      return;
    }
    if (number < this.#number) return;
    let found = this.#incomplete.find((one) => one.number === number);
    if (found === undefined) {
      found = { number, places: new Array(Math.floor(tag / countUnit)).fill(0), missing: 0 };
      found.missing = found.places.length;
      this.#incomplete.push(found);
    }
    if (found.places[part] === 0) found.missing--;
    found.places[part] = place;
    if (found.missing > 0) return;
    this.#number = number;
    this.#places = found.places;
    this.#incomplete = this.#incomplete.filter((one) => one.number > number);
  }

  /** Recovery is over. The number of one that never became complete is not used again. */
  endReplay(): void {
    for (const { number } of this.#incomplete) this.#number = Math.max(this.#number, number);
    this.#incomplete = [];
  }
}

interface Incomplete {
  readonly number: number;
  readonly places: Place[];
  missing: number;
}

/** A program has at most so many pipelines, and then some. */
const partsMax = 64;
const countUnit = 0x1_0000;
