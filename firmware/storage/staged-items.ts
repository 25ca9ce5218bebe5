/**
 * A snapshot while it is being received: each item a record in flash, so that a transfer goes on after a restart where it
 * was. Nothing of it counts before the last item: then a sector begins whose header says that these items are the state.
 */
import { EntryKind, type SnapshotItem, type StagedSnapshot } from "../../protocols/raft/types.ts";
import { stateLimits } from "../../protocols/state/command.ts";
import { hashOfPut } from "./entry-log.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { type Place, sizeOf } from "./place.ts";
import { RecordKind, recordHeadBytes } from "./record.ts";
import { noData } from "./sector-headers.ts";
import type { SectorLog } from "./sector-log.ts";
import { compareBytes, entryToStored, keyBytesOf, type StagingPlace } from "./stored-values.ts";

/** Items that a snapshot may have: twice as many as there may be keys. */
export const stagedItemsMax = 1024;

const noNumbers = new Uint32Array(0);

export class StagedItems {
  readonly #log: SectorLog;
  #snapshot: StagingPlace | undefined;
  /** By number of the item: its place, and the hash of its key if it is a put. 8 bytes an item, in arrays that double. */
  #places = noNumbers;
  #hashes = noNumbers;
  #count = 0;
  #bytes = 0;
  /** Number of the item that says who belongs to the group; -1 for none. */
  #membership = -1;
  #keys = 0;
  /** That of the last put, because keys must rise: then none comes twice. */
  #lastKey: Uint8Array = noData;

  constructor(log: SectorLog) {
    this.#log = log;
  }

  get snapshot(): StagingPlace | undefined {
    return this.#snapshot;
  }

  get staged(): StagedSnapshot | undefined {
    if (this.#snapshot === undefined) return undefined;
    const { index, term, hash } = this.#snapshot;
    return { index, term, hash, items: this.#count };
  }

  /** Of all records. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the item that says who belongs to the group; 0 when there is none. */
  get membershipPlace(): Place {
    return this.#membership < 0 ? 0 : this.#places[this.#membership]!;
  }

  /** Begins with `snapshot`, or with none: whatever was there is dropped. */
  restart(snapshot: StagingPlace | undefined): void {
    this.#snapshot = snapshot;
    this.#places = noNumbers;
    this.#hashes = noNumbers;
    this.#count = 0;
    this.#bytes = 0;
    this.#membership = -1;
    this.#keys = 0;
    this.#lastKey = noData;
  }

  append(item: SnapshotItem): void {
    const number = this.#count;
    const keyHash = this.hashOfNextPut(item);
    if (keyHash !== undefined) {
      this.#keys++;
      this.#lastKey = keyBytesOf(item.data);
      this.set(number, this.#log.append(RecordKind.item, number, keyHash, item.data), keyHash);
    } else if (item.kind === EntryKind.membership && this.#membership < 0) {
      this.#membership = number;
      this.set(number, this.#log.append(RecordKind.membershipItem, number, 0, entryToStored(item)), 0);
    } else {
      this.set(number, this.#log.append(RecordKind.otherItem, number, 0), 0);
    }
    this.#bytes += sizeOf(this.#places[number]!);
  }

  /** Tells `take` of each put: the hash of its key and its place. */
  forEachPut(take: (hash: number, place: Place) => void): void {
    for (let number = 0; number < this.#count; number++) {
      if (this.isPut(number)) take(this.#hashes[number]!, this.#places[number]!);
    }
  }

  holds(number: number, place: Place): boolean {
    return number < this.#count && this.#places[number] === place;
  }

  /** The item has been copied to `place`. */
  move(number: number, place: Place): void {
    this.#places[number] = place;
  }

  // Recovery.

  /** Throws `FlashDamaged`. */
  replay(kind: number, number: number, tag: number, place: Place): void {
    if (number >= stagedItemsMax) throw new FlashDamaged(`a snapshot has an item ${number}`);
    this.set(number, place, tag);
    if (kind === RecordKind.membershipItem) this.#membership = number;
  }

  /** Throws `FlashDamaged`. */
  endReplay(): void {
    let last: Place = 0;
    for (let number = 0; number < this.#count; number++) {
      const place = this.#places[number]!;
      if (place === 0) throw new FlashDamaged(`item ${number} of a snapshot is missing`);
      this.#bytes += sizeOf(place);
      if (!this.isPut(number)) continue;
      this.#keys++;
      last = place;
    }
    if (last !== 0) this.#lastKey = keyBytesOf(this.#log.read(last).data);
  }

  /** Neither the membership nor a record without data. */
  private isPut(number: number): boolean {
    return number !== this.#membership && sizeOf(this.#places[number]!) > recordHeadBytes;
  }

  private set(number: number, place: Place, hash: number): void {
    if (number >= this.#places.length) {
      const length = Math.max(16, 2 * this.#places.length, number + 1);
      const [places, hashes] = [new Uint32Array(length), new Uint32Array(length)];
      places.set(this.#places);
      hashes.set(this.#hashes);
      this.#places = places;
      this.#hashes = hashes;
    }
    this.#places[number] = place;
    this.#hashes[number] = hash;
    this.#count = Math.max(this.#count, number + 1);
  }

  /** The hash of the key of a valid put, behind all others, of no more keys than there may be; undefined for any other item. */
  private hashOfNextPut(item: SnapshotItem): number | undefined {
    const keyHash = hashOfPut(item);
    if (keyHash === undefined || this.#keys === stateLimits.keysMax) return undefined;
    const isNext = this.#keys === 0 || compareBytes(keyBytesOf(item.data), this.#lastKey) > 0;
    return isNext ? keyHash : undefined;
  }
}
