import { type Place, sizeOf } from "./place.ts";

/**
 * Where the membership entries are that may still hold: the last one that is applied, which may come from a snapshot, and
 * those after it. Few: a leader appends the next when the one before it is committed.
 */
export class Memberships {
  #all: Membership[] = [];
  #changes = 0;

  /** Rises with every change of which one holds; that it is copied is none. */
  get changes(): number {
    return this.#changes;
  }

  /** The one that holds, from when it was appended on; 0 when none is known. */
  get latest(): Place {
    return this.#all.at(-1)?.place ?? 0;
  }

  /** The one that held at `index`, the last applied entry; 0 when none is known. */
  asOf(index: number): Place {
    const first = this.#all[0];
    return first !== undefined && first.index <= index ? first.place : 0;
  }

  push(index: number, place: Place): void {
    this.#changes++;
    this.#all.push({ index, place });
  }

  /** The log lost `index` and all after it. */
  truncateFrom(index: number): void {
    this.#changes++;
    this.#all = this.#all.filter((one) => one.index < index);
  }

  /**
   * Everything up to `appliedIndex` is applied, so all before the last one up to there are over. Gives the bytes of their
   * records that count no more; the log, from `firstIndex` on, keeps its own.
   */
  apply(appliedIndex: number, firstIndex: number): number {
    let freed = 0;
    while (this.#all.length > 1 && this.#all[1]!.index <= appliedIndex) {
      const over = this.#all.shift()!;
      if (over.index < firstIndex) freed += sizeOf(over.place);
    }
    return freed;
  }

  holds(place: Place): boolean {
    return this.#all.some((one) => one.place === place);
  }

  /** The record at `from` has been copied to `to`. */
  move(from: Place, to: Place): void {
    for (const one of this.#all) if (one.place === from) one.place = to;
  }

  bytesBefore(firstIndex: number): number {
    let bytes = 0;
    for (const { index, place } of this.#all) if (index < firstIndex) bytes += sizeOf(place);
    return bytes;
  }

  clear(): void {
    this.#changes++;
    this.#all = [];
  }

  /** Recovery meets them in any order, some twice, and some that are over. */
  replay(index: number, place: Place, appliedIndex: number): void {
    const isApplied = index <= appliedIndex;
    if (isApplied && this.#all.some((one) => one.index > index && one.index <= appliedIndex)) return;
    const stays = (one: Membership) => one.index !== index && !(isApplied && one.index <= appliedIndex);
    this.#all = [...this.#all.filter(stays), { index, place }].sort((a, b) => a.index - b.index);
  }
}

interface Membership {
  readonly index: number;
  place: Place;
}
