/**
 * What a board must not forget: who it is, its term and vote, its log, and the agreed state, in one region of flash.
 *
 * The region has two areas, and one of them holds everything: records in the order in which things happened, only ever
 * appended. When the area is full, what still counts is copied into the other, whose header, written last, makes the
 * switch; then the old header is erased before anything new is promised. So at every moment the flash holds one whole state,
 * wherever the power fails. A record cut short by the power was never promised to anyone: it is left behind by the same
 * copying at the next start. Anything else that is not as it was written is damage, and then nothing is believed: the store
 * starts empty under a new incarnation, and says so.
 *
 * In RAM are only numbers: where each key's value is, and where each entry is that is not applied yet. An entry that is
 * applied leaves the log; it stays in flash as the place where its key's value is, until something newer replaces it.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import type {
  AppendRequest,
  Entry,
  HardState,
  MemberId,
  RaftLog,
  RaftOutput,
} from "../../protocols/raft/types.ts";
import { changeOf, type StateKeys } from "../../protocols/state/apply.ts";
import { commandFromWire } from "../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../protocols/state/command.ts";
import { utf8Length } from "../../protocols/text/utf8.ts";
import type { FlashRegion, Random } from "../platform/ports.ts";
import { Area } from "./area.ts";
import { EntryIndex } from "./entry-index.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { hashOf, KeyIndex } from "./key-index.ts";
import { RecordKind, RecordWriter, type StoredRecord } from "./record.ts";
import {
  type AreaHeader,
  baseFrom,
  commandBytes,
  entryFrom,
  formatVersion,
  hardStateFrom,
  headerFrom,
  storedNameBytesMax,
} from "./stored-values.ts";

export const storeLimits = Object.freeze({
  /** Entries that the log may hold beyond the applied ones. */
  entriesMax: 256,
});

/** Whose store it is; flash that belonged to another swarm or board is formatted. */
export interface StoreOwner {
  readonly swarm: string;
  readonly board: string;
}

/** How the store came up. */
export type Recovery =
  | { readonly kind: "recovered" }
  /** The flash was blank: a new member. */
  | { readonly kind: "formatted" }
  /** The flash belonged to `owner`: a new member. */
  | { readonly kind: "foreign"; readonly owner: string }
  /** The flash could not be believed: a new member, and whoever it was before is gone. */
  | { readonly kind: "damaged"; readonly what: string };

/** Told of each key that a committed entry changes. */
export interface StateListener {
  onStateChange(key: string, value: StateValue | undefined): void;
}

export class BoardStore implements RaftLog, StateKeys {
  readonly recovery: Recovery;
  readonly #owner: StoreOwner;
  readonly #writer: RecordWriter;
  readonly #entries = new EntryIndex(storeLimits.entriesMax);
  readonly #keys = new KeyIndex();
  #area: Area;
  #otherArea: Area;
  #generation = 0;
  #incarnation = "";
  #hardState: HardState = noVote;
  /** Term of the last applied entry. */
  #baseTerm = 0;

  /**
   * Recovers what `flash` holds, or formats it. Throws `RangeError` for a region of less than two sectors, or a name of
   * more than `storedNameBytesMax` bytes.
   */
  constructor(flash: FlashRegion, owner: StoreOwner, random: Random) {
    const areaBytes = Math.floor(flash.sizeBytes / flash.sectorBytes / 2) * flash.sectorBytes;
    if (areaBytes === 0) throw new RangeError("The flash region is too small: it needs two sectors.");
    if (Math.max(utf8Length(owner.swarm), utf8Length(owner.board)) > storedNameBytesMax) {
      throw new RangeError(`The names ${owner.swarm} and ${owner.board} are too long for the flash.`);
    }
    this.#owner = owner;
    this.#writer = new RecordWriter(Math.max(alignBytesMin, flash.alignBytes));
    this.#area = new Area(flash, 0, areaBytes);
    this.#otherArea = new Area(flash, areaBytes, areaBytes);
    this.recovery = this.#recover();
    if (this.recovery.kind !== "recovered") this.#format(random);
  }

  get memberId(): MemberId {
    return `${this.#owner.board}.${this.#incarnation}`;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  /** Every entry up to here is committed and applied. */
  get appliedIndex(): number {
    return this.#entries.firstIndex - 1;
  }

  get firstIndex(): number {
    return this.#entries.firstIndex;
  }

  get lastIndex(): number {
    return this.#entries.lastIndex;
  }

  termAt(index: number): number | undefined {
    if (index === 0) return 0;
    if (index === this.appliedIndex) return this.#baseTerm;
    return this.#entries.has(index) ? this.#entries.termOf(index) : undefined;
  }

  /** Bytes of flash that can be written before the next compaction. */
  get freeBytes(): number {
    return this.#area.freeBytes;
  }

  /** Number of keys in the agreed state. */
  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#placeOf(key) >= 0;
  }

  /** The committed value of `key`. Throws `FlashDamaged`. */
  get(key: string): StateValue | undefined {
    const place = this.#placeOf(key);
    return place < 0 ? undefined : this.#commandAt(this.#keys.offsetAt(place)).value;
  }

  /**
   * Makes room for whatever a step of `request` may ask to be written; undefined for a request that carries no entries.
   * False when there is none even after compaction: then the request must be dropped before the core sees it.
   */
  makeRoom(request: AppendRequest | undefined): boolean {
    let bytes = recordsBytesMax;
    // Entries that do not follow on this log are refused by the core, which is how the leader finds where to begin.
    if (request !== undefined && request.prevLogIndex <= this.lastIndex) {
      const { entries, prevLogIndex } = request;
      if (prevLogIndex + entries.length - this.appliedIndex > storeLimits.entriesMax) return false;
      for (const entry of entries) bytes += entry.data.length + entryFrameBytesMax;
    }
    if (bytes <= this.#area.freeBytes) return true;
    if (bytes > this.#area.sizeBytes - headerRoomBytes - this.#liveBytes()) return false;
    this.#compact();
    return true;
  }

  /** Makes hard state, truncation and entries durable, in this order; `makeRoom` said yes to the request before. */
  write(output: RaftOutput): void {
    const { hardState, truncateFrom, entries } = output;
    if (hardState !== undefined) {
      this.#appendHardState(hardState);
      this.#hardState = hardState;
    }
    if (truncateFrom > 0) {
      this.#area.append(this.#writer, RecordKind.truncate, truncateFrom);
      this.#entries.truncateFrom(truncateFrom);
    }
    for (const entry of entries) this.#entries.push(this.#appendEntry(entry), entry.term);
  }

  /** Makes the commit index durable, then applies what it newly covers. */
  commit(index: number, listener: StateListener): void {
    if (index <= this.appliedIndex) return;
    this.#area.append(this.#writer, RecordKind.commit, index);
    this.#applyTo(index, listener);
  }

  #applyTo(index: number, listener: StateListener | undefined): void {
    if (index > this.lastIndex) throw new FlashDamaged(`entry ${index} is committed but not there`);
    while (this.appliedIndex < index) {
      const next = this.#entries.firstIndex;
      const offset = this.#entries.offsetOf(next);
      const change = changeOf(entryFrom(this.#area.record(offset).value), this);
      if (change !== undefined) this.#change(change, offset);
      this.#baseTerm = this.#entries.termOf(next);
      this.#entries.shift();
      if (change !== undefined) listener?.onStateChange(change.key, change.value);
    }
  }

  #change(change: PutCommand, offset: number): void {
    const place = this.#placeOf(change.key);
    if (place < 0) this.#keys.add(hashOf(change.key), offset);
    else if (change.value === undefined) this.#keys.remove(place);
    else this.#keys.moveTo(place, offset);
  }

  #placeOf(key: string): number {
    const hash = hashOf(key);
    let place = this.#keys.find(hash, 0);
    while (place >= 0 && this.#commandAt(this.#keys.offsetAt(place)).key !== key) {
      place = this.#keys.find(hash, place + 1);
    }
    return place;
  }

  #commandAt(offset: number): PutCommand {
    return commandFromWire(decodeCbor(commandBytes(this.#area.record(offset))));
  }

  #appendHardState(hardState: HardState): void {
    this.#area.append(this.#writer, RecordKind.hardState, [hardState.term, hardState.vote ?? null]);
  }

  #appendEntry({ index, term, kind, version, data }: Entry): number {
    return this.#area.append(this.#writer, RecordKind.entry, [index, term, kind, version, data]);
  }

  #recover(): Recovery {
    try {
      const found = this.#chooseArea();
      if (found !== undefined) return found;
      this.#readRecords();
      return recovered;
    } catch (error) {
      if (error instanceof FlashDamaged || error instanceof ShapeError) {
        return { kind: "damaged", what: error.message };
      }
      throw error;
    }
  }

  /** Makes the newer of the areas with a header the present one; otherwise says why there is none. */
  #chooseArea(): Recovery | undefined {
    const first = readHeader(this.#area);
    const second = readHeader(this.#otherArea);
    const header = second === undefined || (first && first.generation > second.generation) ? first : second;
    if (header === undefined) {
      const ends = [this.#area.judgeEnd(0), this.#otherArea.judgeEnd(0)];
      // A first formatting that the power cut short promised nothing.
      if (!ends.includes("damaged") && ends.includes("clean")) return { kind: "formatted" };
      return { kind: "damaged", what: "neither of its areas has a header" };
    }
    if (header === second) this.#swapAreas();
    this.#generation = header.generation;
    if (header.swarm !== this.#owner.swarm || header.board !== this.#owner.board) {
      return { kind: "foreign", owner: `${header.swarm}/${header.board}` };
    }
    this.#incarnation = header.incarnation;
    return undefined;
  }

  #readRecords(): void {
    let offset = headerRoomBytes;
    for (;;) {
      const record = this.#area.recordAt(offset);
      if (record === undefined) break;
      this.#replay(record, offset);
      offset += record.sizeBytes;
    }
    this.#area.endBytes = offset;
    // From here on something may be promised, so the area that is left behind must not be found again.
    this.#otherArea.eraseHeader();
    const end = this.#area.judgeEnd(offset);
    if (end === "damaged") throw new FlashDamaged(`what is at ${offset} of its area is no record`);
    if (end === "torn") this.#compact();
  }

  #replay({ kind, value }: StoredRecord, offset: number): void {
    switch (kind) {
      case RecordKind.hardState:
        this.#hardState = hardStateFrom(value);
        break;
      case RecordKind.entry: {
        const { index, term } = entryFrom(value);
        if (index !== this.lastIndex + 1 || this.#entries.room === 0) {
          throw new FlashDamaged(`entry ${index} follows entry ${this.lastIndex}`);
        }
        this.#entries.push(offset, term);
        break;
      }
      case RecordKind.truncate:
        this.#entries.truncateFrom(value as number);
        break;
      case RecordKind.commit:
        this.#applyTo(value as number, undefined);
        break;
      case RecordKind.base: {
        const { index, term } = baseFrom(value);
        this.#entries.restart(index);
        this.#baseTerm = term;
        break;
      }
      case RecordKind.state:
        this.#keys.add(hashOf(commandFromWire(decodeCbor(value as Uint8Array)).key), offset);
        break;
      default:
        throw new FlashDamaged(`it has a record of kind ${kind}, which this firmware does not know`);
    }
  }

  /**
   * Starts anew: a new incarnation, an empty log, an empty state. Switches areas as a compaction does, so that no half-erased
   * remains can speak for the old incarnation.
   */
  #format(random: Random): void {
    const seed = new Uint8Array(4);
    random.fill(seed);
    this.#incarnation = "";
    for (const byte of seed) this.#incarnation += (byte + 0x100).toString(16).slice(1);
    this.#hardState = noVote;
    this.#baseTerm = 0;
    this.#entries.restart(0);
    this.#keys.clear();
    this.#otherArea.erase();
    this.#otherArea.endBytes = headerRoomBytes;
    this.#writeHeader(this.#otherArea);
    this.#area.eraseHeader();
    this.#swapAreas();
  }

  /** Copies what still counts into the other area and switches to it. */
  #compact(): void {
    const from = this.#area;
    const to = this.#otherArea;
    to.erase();
    to.endBytes = headerRoomBytes;
    to.append(this.#writer, RecordKind.base, [this.appliedIndex, this.#baseTerm]);
    for (let place = 0; place < this.#keys.size; place++) {
      const data = commandBytes(from.record(this.#keys.offsetAt(place)));
      this.#keys.moveTo(place, to.append(this.#writer, RecordKind.state, data));
    }
    const lastIndex = this.lastIndex;
    for (let index = this.firstIndex; index <= lastIndex; index++) {
      const { value } = from.record(this.#entries.offsetOf(index));
      this.#entries.moveTo(index, to.append(this.#writer, RecordKind.entry, value));
    }
    this.#swapAreas();
    this.#appendHardState(this.#hardState);
    this.#writeHeader(to);
    from.eraseHeader();
  }

  /** Bytes that a compacted area would hold after its header. */
  #liveBytes(): number {
    let bytes = recordsBytesMax;
    for (let place = 0; place < this.#keys.size; place++) {
      bytes += this.#area.record(this.#keys.offsetAt(place)).sizeBytes;
    }
    for (let index = this.firstIndex; index <= this.lastIndex; index++) {
      bytes += this.#area.record(this.#entries.offsetOf(index)).sizeBytes;
    }
    return bytes;
  }

  #writeHeader(area: Area): void {
    this.#generation++;
    const { swarm, board } = this.#owner;
    const header = [formatVersion, this.#generation, swarm, board, this.#incarnation];
    area.writeAt(0, this.#writer.frame(RecordKind.header, header));
  }

  #swapAreas(): void {
    const area = this.#area;
    this.#area = this.#otherArea;
    this.#otherArea = area;
  }
}

/** At the start of an area, for its header. */
const headerRoomBytes = 256;

/** Sixteen keeps flash encryption possible. */
const alignBytesMin = 16;

/** What one step writes beside entries: hard state, truncation, commit; also base and hard state of a compaction. */
const recordsBytesMax = 256;

/** What a record adds to the data of an entry. */
const entryFrameBytesMax = 80;

const noVote: HardState = Object.freeze({ term: 0, vote: undefined });
const recovered: Recovery = Object.freeze({ kind: "recovered" });

function readHeader(area: Area): AreaHeader | undefined {
  const record = area.recordAt(0);
  return record?.kind === RecordKind.header ? headerFrom(record.value) : undefined;
}
