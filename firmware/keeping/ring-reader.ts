import type { RecordHead, StoredRecord } from "../storage/record.ts";
import type { BlockRing } from "./block-ring.ts";
import type { SectorWalk } from "./sector-walk.ts";

/** Goes through a ring from block to block, from a cursor on, through a few sectors and no more. */
export class RingReader {
  readonly #ring: BlockRing;
  readonly #walk: SectorWalk;
  #sector: number;
  /** Of the last sector that it may look at. */
  readonly #last: number;
  #isDone = false;

  /** `cursor` as in `protocols/keeping/messages.ts`: what is not there any more is passed over. */
  constructor(ring: BlockRing, cursor: number, sectorsMax: number) {
    const sector = Math.floor(cursor / ring.unitsOfSector);
    const isThere = sector >= ring.oldest;
    this.#ring = ring;
    this.#sector = isThere ? sector : ring.oldest;
    this.#last = Math.min(ring.newest, this.#sector + sectorsMax - 1);
    this.#walk = ring.newWalk();
    this.#isDone = this.#sector > this.#last;
    if (!this.#isDone) ring.startWalk(this.#walk, this.#sector, isThere ? cursor % ring.unitsOfSector : 0);
  }

  /** Goes to the next record; false at the end of what it may look at. */
  next(): boolean {
    if (this.#isDone) return false;
    while (!this.#walk.next()) {
      this.#sector++;
      this.#isDone = this.#sector > this.#last;
      if (this.#isDone) return false;
      this.#ring.startWalk(this.#walk, this.#sector, 0);
    }
    return true;
  }

  get head(): RecordHead {
    return this.#walk.head;
  }

  get sector(): number {
    return this.#sector;
  }

  /** The block that it stands at; undefined for what is none, or is damaged. */
  read(): StoredRecord | undefined {
    return this.#ring.blockIn(this.#sector, this.#walk);
  }

  /** Met on the way. */
  get damaged(): number {
    return this.#walk.damaged;
  }

  /** The cursor to go on with; undefined when the ring is through. */
  get cursor(): number | undefined {
    if (this.#sector > this.#ring.newest) return undefined;
    const unit = this.#isDone ? 0 : this.#ring.unitOf(this.#walk, this.#sector);
    return this.#sector * this.#ring.unitsOfSector + unit;
  }
}
