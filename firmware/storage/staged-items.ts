/**
 * A snapshot while it is being received: each item a record in flash, so that a transfer goes on after a restart where it
 * was. Nothing of it counts before the last item: then a sector begins whose header says that these items are the state.
 */
import { EntryKind, type SnapshotItem, type StagedSnapshot } from "../../protocols/raft/types.ts";
import { stateLimits } from "../../protocols/state/command.ts";
import { hashOfPut } from "./entry-log.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { type Place, sizeOf } from "./place.ts";
import { RecordKind } from "./record.ts";
import { noData } from "./sector-headers.ts";
import type { SectorLog } from "./sector-log.ts";
import { compareBytes, entryToStored, keyBytesOf, type StagingPlace } from "./stored-values.ts";

export class StagedItems {
  readonly #log: SectorLog;
  #snapshot: StagingPlace | undefined;
  /** By number of the item. */
  #places: Place[] = [];
  #bytes = 0;
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
    return { index, term, hash, items: this.#places.length };
  }

  /** Of all records. */
  get bytes(): number {
    return this.#bytes;
  }

  get places(): readonly Place[] {
    return this.#places;
  }

  /** Begins with `snapshot`, or with none: whatever was there is dropped. */
  restart(snapshot: StagingPlace | undefined): void {
    this.#snapshot = snapshot;
    this.#places = [];
    this.#bytes = 0;
    this.#keys = 0;
    this.#lastKey = noData;
  }

  append(item: SnapshotItem): void {
    const number = this.#places.length;
    const keyHash = this.#hashOfNextPut(item);
    let place: Place;
    if (keyHash !== undefined) {
      place = this.#log.append(RecordKind.item, number, keyHash, item.data);
      this.#keys++;
      this.#lastKey = keyBytesOf(item.data);
    } else if (item.kind === EntryKind.membership) {
      place = this.#log.append(RecordKind.membershipItem, number, 0, entryToStored(item));
    } else {
      place = this.#log.append(RecordKind.otherItem, number, 0);
    }
    this.#places.push(place);
    this.#bytes += sizeOf(place);
  }

  holds(number: number, place: Place): boolean {
    return this.#places[number] === place;
  }

  /** The item has been copied to `place`. */
  move(number: number, place: Place): void {
    this.#places[number] = place;
  }

  // Recovery.

  replay(number: number, place: Place): void {
    while (this.#places.length <= number) this.#places.push(0);
    this.#places[number] = place;
  }

  /** Throws `FlashDamaged`. */
  endReplay(): void {
    for (const place of this.#places) {
      if (place === 0) throw new FlashDamaged("an item of a snapshot is missing");
      this.#bytes += sizeOf(place);
      const { kind, data } = this.#log.read(place);
      if (kind !== RecordKind.item) continue;
      this.#keys++;
      this.#lastKey = keyBytesOf(data);
    }
  }

  /** The hash of the key of a valid put, behind all others, of no more keys than there may be; undefined for any other item. */
  #hashOfNextPut(item: SnapshotItem): number | undefined {
    const keyHash = hashOfPut(item);
    if (keyHash === undefined || this.#keys === stateLimits.keysMax) return undefined;
    const isNext = this.#keys === 0 || compareBytes(keyBytesOf(item.data), this.#lastKey) > 0;
    return isNext ? keyHash : undefined;
  }
}
