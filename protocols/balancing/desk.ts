import type { Holder, Work } from "./types.ts";

/** A holder and what it has been given so far. */
export interface Desk {
  readonly holder: Holder;
  /** Its own and that of its work. */
  load: number;
  size: number;
  readonly work: Work[];
}

/** All holders, in the order of their names, and what each has. */
export class Desks {
  readonly all: readonly Desk[];
  /** Of all holders. */
  readonly weight: number;
  readonly #byName = new Map<string, Desk>();
  #load = 0;

  constructor(holders: readonly Holder[]) {
    const sorted = [...holders].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.all = sorted.map((holder) => ({ holder, load: holder.load, size: 0, work: [] }));
    let weight = 0;
    for (const desk of this.all) {
      weight += desk.holder.weight;
      this.#load += desk.load;
      this.#byName.set(desk.holder.name, desk);
    }
    this.weight = weight;
  }

  /** What all hold together. */
  get load(): number {
    return this.#load;
  }

  of(name: string): Desk | undefined {
    return this.#byName.get(name);
  }

  give(work: Work, desk: Desk): void {
    desk.work.push(work);
    desk.load += work.load;
    desk.size += work.size;
    this.#load += work.load;
  }
}

/** Whether `desk` may have `work` beside what it has. */
export function mayHold(work: Work, { holder, size, work: held }: Desk): boolean {
  if (work.mains && holder.onBattery) return false;
  if (work.zones.length > 0 && (holder.zone === undefined || !work.zones.includes(holder.zone))) return false;
  if (size + work.size > holder.room) return false;
  if (!work.needs.every((what) => holder.has.includes(what))) return false;
  return !held.some((other) => work.apartFrom.includes(other.name) || other.apartFrom.includes(work.name));
}
