import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import type { Place } from "./place.ts";
import { type RecordHead, RecordKind, type StoredRecord } from "./record.ts";
import type { ReplayTarget } from "./sector-recovery.ts";
import type { StoreContents } from "./store-contents.ts";
import { hardStateFrom, headerFromStored, type StoreHeader } from "./stored-values.ts";

/** How the store came up. */
export type Recovery =
  | { readonly kind: "recovered" }
  /** The flash was blank: a new member. */
  | { readonly kind: "formatted" }
  /** The flash belonged to `owner`: a new member. */
  | { readonly kind: "foreign"; readonly owner: string }
  /** The flash could not be believed: a new member, and whoever it was before is gone. */
  | { readonly kind: "damaged"; readonly what: string };

/** Fills `contents` from the flash. Whatever is not "recovered" leaves it half filled: to be cleared. */
export function recover(contents: StoreContents): Recovery {
  try {
    const value = contents.log.find();
    if (value === undefined) return { kind: "formatted" };
    const header = headerFromStored(value);
    const { swarm, board } = header;
    if (swarm !== contents.owner.swarm || board !== contents.owner.board) {
      return { kind: "foreign", owner: `${swarm}/${board}` };
    }
    const replay = new Replay(contents, header);
    contents.log.replay(replay);
    replay.end();
    return { kind: "recovered" };
  } catch (error) {
    if (error instanceof FlashDamaged || error instanceof ShapeError || error instanceof CborError) {
      return { kind: "damaged", what: error.message };
    }
    throw error;
  }
}

/** The newest header and the records after it say how things stand; then the heads of all records say where everything is. */
class Replay implements ReplayTarget {
  readonly #contents: StoreContents;
  #appliedIndex: number;
  #lastIndex: number;
  #base: StoreHeader["base"];

  constructor(contents: StoreContents, header: StoreHeader) {
    this.#contents = contents;
    this.#appliedIndex = header.appliedIndex;
    this.#lastIndex = header.lastIndex;
    this.#base = header.base;
    contents.incarnation = header.incarnation;
    contents.hardState = header.hardState;
    contents.crashes = header.crashes;
    contents.installed = header.installed;
    contents.state.hasCollisions = header.hasCollisions;
    contents.staged.restart(header.staging);
  }

  /** For the log. */
  onHeadRecord(record: StoredRecord): void {
    const { kind, index, tag, data } = record;
    switch (kind) {
      case RecordKind.hardState:
        this.#contents.hardState = hardStateFrom(record);
        break;
      case RecordKind.put:
      case RecordKind.puts:
      case RecordKind.adoption:
      case RecordKind.entry:
      case RecordKind.membership:
        this.#lastIndex = Math.max(this.#lastIndex, index);
        break;
      case RecordKind.commit:
        this.#appliedIndex = index;
        break;
      case RecordKind.base:
        this.#base = { index, term: tag, hash: data };
        break;
      case RecordKind.collision:
        this.#contents.state.hasCollisions = true;
        break;
      case RecordKind.crashes:
        this.#contents.crashes = index;
        break;
      case RecordKind.condemned:
        throw new FlashDamaged(`noted when it was found: ${decodeCbor(data)}`);
      case RecordKind.pastPut:
      case RecordKind.value:
      case RecordKind.absent:
      case RecordKind.tail:
      case RecordKind.checkpoint:
      case RecordKind.kept:
      case RecordKind.promises:
      case RecordKind.registers:
      case RecordKind.item:
      case RecordKind.membershipItem:
      case RecordKind.otherItem:
        break;
      default:
        throw new FlashDamaged(`it has a record of kind ${kind}, which this firmware does not know`);
    }
  }

  /** For the log, between the two: which entries there are is known, but not where. */
  onHeadRead(): void {
    this.#contents.entries.expect(this.#base, this.#appliedIndex, this.#lastIndex);
  }

  /** For the log, after the head's records. */
  onRecord(head: RecordHead, place: Place, sequence: number, truncatedFrom: number): void {
    const { kind, index, tag } = head;
    const { checkpoint, state, installed, memberships, staged } = this.#contents;
    if (kind === RecordKind.checkpoint) {
      checkpoint.replay(index, tag, place);
      return;
    }
    // Of a full flash every record passes here: most are told by one comparison.
    if (kind >= RecordKind.kept && isOwn(kind)) {
      this.#contents.keepUnder(kind).replay(index, head.sizeBytes, place);
      return;
    }
    if (sequence < installed.sequence) {
      // A snapshot became the state after this sector: only its own items count.
      if (sequence < installed.itemsFrom) return;
      if (kind === RecordKind.item) state.replayValue(tag, installed.index, place);
      else if (kind === RecordKind.membershipItem) {
        memberships.replay(installed.index, place, this.#appliedIndex);
      }
      return;
    }
    switch (kind) {
      case RecordKind.put:
      case RecordKind.pastPut:
      case RecordKind.puts:
      case RecordKind.adoption:
      case RecordKind.entry:
      case RecordKind.membership:
        if (index < truncatedFrom) this.onEntry(kind, index, tag, place);
        break;
      case RecordKind.value:
        // Those of several puts, or of a draft, are written before their commit: without it, none of them counts.
        if (index <= this.#appliedIndex) state.replayValue(tag, index, place);
        break;
      case RecordKind.absent:
        if (index <= this.#appliedIndex) state.replayAbsent(tag, index, place);
        break;
      case RecordKind.item:
      case RecordKind.membershipItem:
      case RecordKind.otherItem:
        if (staged.snapshot !== undefined && sequence >= staged.snapshot.from)
          staged.replay(kind, index, tag, place);
    }
  }

  private onEntry(kind: number, index: number, tag: number, place: Place): void {
    const { entries, state, memberships } = this.#contents;
    if (entries.has(index)) entries.move(index, place);
    if (kind === RecordKind.membership) memberships.replay(index, place, this.#appliedIndex);
    if (kind === RecordKind.put && index <= this.#appliedIndex) state.replayValue(tag, index, place);
  }

  /** Throws `FlashDamaged`. */
  end(): void {
    const { entries, checkpoint, staged } = this.#contents;
    checkpoint.endReplay();
    entries.endReplay();
    const isOver = staged.snapshot !== undefined && staged.snapshot.index <= entries.appliedIndex;
    if (isOver) staged.restart(undefined);
    staged.endReplay();
    this.#contents.countLiveBytes();
  }
}

/** What the board keeps for itself counts whatever becomes of the state. */
function isOwn(kind: number): boolean {
  return kind === RecordKind.kept || kind === RecordKind.promises || kind === RecordKind.registers;
}
