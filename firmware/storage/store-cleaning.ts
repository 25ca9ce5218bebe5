import { type Place, sizeOf } from "./place.ts";
import { type RecordHead, RecordKind } from "./record.ts";
import { reservedSectors } from "./sector-log.ts";
import type { StoreContents } from "./store-contents.ts";

/** What is about to be written, so that there is room for it. */
export interface Writes {
  /** Bytes of the records that come one by one. */
  readonly records: readonly number[];
  /** Of short records beside them. */
  readonly otherBytes: number;
  /** Whether a sector begins before them, and after them. */
  readonly opensBefore: boolean;
  readonly opensAfter: boolean;
  /** Sectors that begin with what more there is to be written. */
  readonly sectors: number;
}

/** Empties the oldest sector by copying what still counts in it to the end of the log. */
export class StoreCleaning {
  readonly #contents: StoreContents;

  constructor(contents: StoreContents) {
    this.#contents = contents;
  }

  /** Cleans until there is room for `writes` and the reserve is left. False when there cannot be. */
  makeRoom(writes: Writes): boolean {
    const { log } = this.#contents;
    for (let freed = 0; ; freed++) {
      const opens = this.sectorsToOpen(writes);
      if (log.freeSectors >= opens + reservedSectors) return true;
      if (freed === log.sectors || !this.some(Infinity, Infinity)) return opens === 0;
    }
  }

  /**
   * Goes on with the oldest sector, for at most so many records, and gives it back at its end. False when there is no other
   * sector than the one in use.
   */
  some(looksMax: number, copiesMax: number): boolean {
    const { log } = this.#contents;
    const walk = log.startCleaning();
    if (walk === undefined) return false;
    let copies = 0;
    for (let looks = 0; looks < looksMax && copies < copiesMax; looks++) {
      if (!walk.next()) {
        log.freeTail();
        return true;
      }
      if (this.keep(walk.head, walk.place)) copies++;
    }
    return true;
  }

  private sectorsToOpen({ records, otherBytes, opensBefore, opensAfter, sectors }: Writes): number {
    const { log } = this.#contents;
    let opens = (opensBefore ? 1 : 0) + (opensAfter ? 1 : 0) + sectors;
    // What goes before that sector may need one of its own.
    if (opensBefore && otherBytes > log.restBytes) opens++;
    let restBytes = opensBefore ? log.roomBytes : log.restBytes;
    for (let i = 0; i < records.length; i++) {
      const size = records[i]!;
      if (size > restBytes) {
        opens++;
        restBytes = log.roomBytes;
      }
      restBytes -= size;
    }
    return otherBytes <= restBytes ? opens : opens + Math.ceil(otherBytes / (log.roomBytes / 2));
  }

  /** Copies the record at `place` to the end of the log if it still counts. */
  private keep({ kind, index, tag }: RecordHead, place: Place): boolean {
    const { checkpoint, staged } = this.#contents;
    switch (kind) {
      case RecordKind.put:
      case RecordKind.pastPut:
      case RecordKind.puts:
      case RecordKind.adoption:
      case RecordKind.entry:
      case RecordKind.membership:
        return this.keepEntry(kind, index, tag, place) || this.keepValue(kind, tag, place);
      case RecordKind.item:
      case RecordKind.membershipItem:
      case RecordKind.otherItem:
        if (!staged.holds(index, place)) return this.keepValue(kind, tag, place);
        staged.move(index, this.copy(place, kind));
        return true;
      case RecordKind.value:
        return this.keepValue(kind, tag, place);
      case RecordKind.checkpoint:
        if (!checkpoint.holds(place)) return false;
        checkpoint.move(place, this.copy(place, kind));
        return true;
      case RecordKind.kept:
      case RecordKind.promises:
      case RecordKind.registers:
        return this.keepOwn(kind, place);
    }
    return false;
  }

  /**
   * Of an entry that the log holds. A put that has been applied, and whose key has had another value since, is copied as one that
   * sets no value: what says that its key is gone may lie before the copy.
   */
  private keepEntry(kind: number, index: number, tag: number, place: Place): boolean {
    const { entries, state, memberships } = this.#contents;
    if (!entries.has(index) || entries.placeOf(index) !== place) return false;
    const isValue = kind === RecordKind.put && state.holds(tag, place);
    const isPast = kind === RecordKind.put && index <= entries.appliedIndex && !isValue;
    const to = this.copy(place, isPast ? RecordKind.pastPut : kind);
    entries.move(index, to);
    if (isValue) state.move(tag, place, to);
    memberships.move(place, to);
    return true;
  }

  private keepOwn(kind: number, place: Place): boolean {
    const kept = this.#contents.keptUnder(kind);
    if (kept?.holds(place) !== true) return false;
    kept.move(this.copy(place, kind));
    return true;
  }

  /** Of what only the state still needs: the value of a key, the membership that holds. */
  private keepValue(kind: number, tag: number, place: Place): boolean {
    const { state, memberships, installed } = this.#contents;
    const isItem = kind === RecordKind.item || kind === RecordKind.membershipItem;
    // An item's own index is its number.
    const index = isItem ? installed.index : undefined;
    if (kind === RecordKind.membership || kind === RecordKind.membershipItem) {
      if (!memberships.holds(place)) return false;
      memberships.move(place, this.copy(place, RecordKind.membership, index));
      return true;
    }
    const isValue = kind === RecordKind.put || kind === RecordKind.value || kind === RecordKind.item;
    if (!isValue || !state.holds(tag, place)) return false;
    state.move(tag, place, this.copy(place, RecordKind.value, index));
    return true;
  }

  private copy(from: Place, kind: number, asIndex?: number): Place {
    const { log } = this.#contents;
    const { index, tag, data, trailer } = log.read(from);
    const to = log.append(kind, asIndex ?? index, tag, data, trailer);
    this.#contents.liveBytes += sizeOf(to) - sizeOf(from);
    return to;
  }
}
