/**
 * The agreed state in flash: each key's value is the record of the entry that put it, or a copy of that. In RAM there is only
 * where it is.
 *
 * Recovery sets what a record says about a key against what others say by their log index alone, so records may lie in any
 * order, as cleaning leaves them. It compares keys by hash; only once two keys of a state have had the same hash, which is
 * said in flash before it counts, does it look at the keys themselves.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import type { StateValues } from "../../protocols/state/apply.ts";
import { commandFromWire } from "../../protocols/state/codec.ts";
import { type PutCommand, type StateValue, stateLimits } from "../../protocols/state/command.ts";
import { hashOf, KeyIndex } from "./key-index.ts";
import { type Place, sizeOf } from "./place.ts";
import { RecordKind, type StoredRecord } from "./record.ts";
import type { SectorLog } from "./sector-log.ts";
import { isAbout, isSameKey } from "./stored-values.ts";

/** The log's entries, as far as they are held. */
export interface HeldEntries {
  /** Whether the record at `place` is that of the entry at `index`. */
  isAt(index: number, place: Place): boolean;
}

export class AgreedState implements StateValues {
  /** Whether two keys ever had the same hash. */
  hasCollisions = false;
  readonly #log: SectorLog;
  readonly #keys = new KeyIndex();
  /** The key that was looked up last, its hash and its number, which an apply that follows needs again. */
  #askedKey: string | undefined;
  #askedHash = 0;
  #askedNumber = -1;

  constructor(log: SectorLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Asked before a change is applied. Throws `FlashDamaged`. */
  has(key: string): boolean {
    return this.find(key) >= 0;
  }

  /** The committed value of `key`. Writes nothing. Throws `FlashDamaged`. */
  get(key: string): StateValue | undefined {
    const place = this.placeOf(key);
    return place === 0 ? undefined : this.valueAt(place);
  }

  /** Where the value of `key` is; 0 for nowhere. Writes nothing. Throws `FlashDamaged`. */
  placeOf(key: string): Place {
    let number = this.#keys.find(hashOf(key));
    while (number >= 0 && !this.isOf(number, key)) number = this.#keys.findNext(number);
    return number < 0 ? 0 : this.#keys.placeOf(number);
  }

  /** The value whose record is at `place`. Throws `FlashDamaged`. */
  valueAt(place: Place): StateValue | undefined {
    return commandFromWire(decodeCbor(this.#log.read(place).data)).value;
  }

  /** The record of key `number`, from 0 to before `size`. Throws `FlashDamaged`. */
  recordOf(number: number): StoredRecord {
    return this.#log.read(this.#keys.placeOf(number));
  }

  /** Key `number` and its value. Throws `FlashDamaged`. */
  putOf(number: number): PutCommand {
    return commandFromWire(decodeCbor(this.recordOf(number).data));
  }

  /** The log index as of which key `number` has its value. */
  indexOf(number: number): number {
    return this.#keys.indexOf(number);
  }

  /** Whether key `number` is one of Covey's own: `reservedKeyPrefix`. */
  isReserved(number: number): boolean {
    return this.#keys.isReserved(number);
  }

  /** As much of the data of key `number` as says which key it is; not checked. */
  startOf(number: number): Uint8Array {
    return this.#log.readStart(this.#keys.placeOf(number), stateLimits.keyLengthMax + 3);
  }

  /** Puts a key that is not there yet, of a snapshot. That hashes collide is noted, but not in flash: for that is its caller. */
  install(hash: number, place: Place, index: number): void {
    if (this.#keys.find(hash) >= 0) this.hasCollisions = true;
    this.#keys.add(hash, place, index);
  }

  /**
   * Puts `key`: its value is at `place`. Gives the bytes that its value before took and that count no more; a record of an entry
   * that the log still holds goes on counting.
   */
  put(key: string, place: Place, index: number, entries: HeldEntries): number {
    const number = this.find(key);
    this.#askedKey = undefined;
    if (number < 0) {
      this.#keys.add(this.#askedHash, place, index);
      return 0;
    }
    const freed = this.freedBy(number, entries);
    this.#keys.move(number, place, index);
    return freed;
  }

  /** Removes `key`, which is there; gives bytes as `put` does. */
  remove(key: string, entries: HeldEntries): number {
    const number = this.find(key);
    this.#askedKey = undefined;
    const freed = this.freedBy(number, entries);
    this.#keys.remove(number);
    return freed;
  }

  /** Says in flash that as of `index` there is no `key`, whatever the records before say. */
  writeAbsent(key: string, index: number): void {
    this.#log.append(RecordKind.absent, index, hashOf(key), encodeCbor([key, null]));
  }

  /** Whether the record at `place` is the value of a key with this hash. */
  holds(hash: number, place: Place): boolean {
    return this.#keys.findPlace(hash, place) >= 0;
  }

  /** The value at `from` has been copied to `to`. */
  move(hash: number, from: Place, to: Place): void {
    const number = this.#keys.findPlace(hash, from);
    this.#keys.move(number, to, this.#keys.indexOf(number));
  }

  /** Bytes of the records of values that are not records of entries that the log holds. */
  bytesBeside(entries: HeldEntries): number {
    let bytes = 0;
    for (let number = 0; number < this.#keys.size; number++) bytes += this.freedBy(number, entries);
    return bytes;
  }

  /** Forgets all keys; that hashes have collided stays known. */
  clear(): void {
    this.#keys.clear();
    this.#askedKey = undefined;
  }

  // Recovery.

  replayValue(hash: number, index: number, place: Place): void {
    const number = this.findSame(hash, place);
    if (number < 0) this.#keys.add(hash, place, index);
    else if (index >= this.#keys.indexOf(number)) this.#keys.move(number, place, index);
  }

  replayAbsent(hash: number, index: number, place: Place): void {
    const number = this.findSame(hash, place);
    if (number >= 0 && this.#keys.indexOf(number) <= index) this.#keys.remove(number);
  }

  private freedBy(number: number, entries: HeldEntries): number {
    const place = this.#keys.placeOf(number);
    return entries.isAt(this.#keys.indexOf(number), place) ? 0 : sizeOf(place);
  }

  private findSame(hash: number, place: Place): number {
    let number = this.#keys.find(hash);
    if (number < 0 || !this.hasCollisions) return number;
    const { data } = this.#log.read(place);
    while (number >= 0 && !isSameKey(this.#log.read(this.#keys.placeOf(number)).data, data)) {
      number = this.#keys.findNext(number);
    }
    return number;
  }

  private find(key: string): number {
    if (key === this.#askedKey) return this.#askedNumber;
    const hash = hashOf(key);
    let number = this.#keys.find(hash);
    while (number >= 0 && !this.isOf(number, key)) {
      this.noteCollision();
      number = this.#keys.findNext(number);
    }
    this.#askedKey = key;
    this.#askedHash = hash;
    this.#askedNumber = number;
    return number;
  }

  /**
   * The hash is the same, so the key is as good as always: then the record is not checked, which takes far more. Only a whole record may say that two
   * keys have one hash.
   */
  private isOf(number: number, key: string): boolean {
    const place = this.#keys.placeOf(number);
    const { length } = key;
    return isAbout(this.#log.readStart(place, length + 3), key) || isAbout(this.#log.read(place).data, key);
  }

  private noteCollision(): void {
    if (this.hasCollisions) return;
    this.hasCollisions = true;
    this.#log.append(RecordKind.collision, 0, 0);
  }
}
