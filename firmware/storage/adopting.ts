/**
 * Applies an entry that adopts a draft. The draft is read twice, put by put, and never held: once to know whether it is what the entry says and how
 * much flash its values take, once to write these. Between the first of its records and the commit nothing is cleaned, so nothing moves.
 */
import { adoptedBy } from "../../protocols/state/apply.ts";
import { type Adoption, DraftReader, draftKey } from "../../protocols/state/draft.ts";
import { commitApplied, type StateListener } from "./committing.ts";
import { absentPieceBytes } from "./entry-log.ts";
import { hashOf } from "./key-index.ts";
import { sizeOf } from "./place.ts";
import { RecordKind, recordSize, type StoredRecord } from "./record.ts";
import type { StoreContents } from "./store-contents.ts";
import { otherRecordsBytesMax, type StoreRoom } from "./store-room.ts";

/** `record` is that of the next entry. False, and nothing is written, where the flash has no room for the draft's values. */
export function applyAdoption(
  record: StoredRecord,
  contents: StoreContents,
  room: StoreRoom,
  listener: StateListener,
): boolean {
  const { log, entries, state } = contents;
  const needed = new SectorsNeeded(log.roomBytes);
  const adoption = adoptedBy(record.data, state, (bytes) => needed.add(recordSize(bytes)));
  if (adoption !== undefined && !hasRoom(adoption, needed, room, listener)) return false;
  log.hold();
  if (adoption !== undefined) adopt(adoption, record.index, contents);
  entries.apply(record);
  commitApplied(contents);
  if (adoption !== undefined) tell(adoption, record.index, contents, listener);
  return true;
}

/** For the records of a draft whose values need so many sectors. */
function hasRoom(
  adoption: Adoption,
  needed: SectorsNeeded,
  room: StoreRoom,
  listener: StateListener,
): boolean {
  for (let piece = 0; piece < adoption.pieces; piece++) needed.add(absentPieceBytes);
  needed.add(otherRecordsBytesMax);
  listener.onLongWork?.();
  const hasRoom = room.makeForSectors(needed.sectors);
  listener.onLongWork?.();
  return hasRoom;
}

/** How many sectors records take that begin with a sector, one after the other: no fewer than where they begin before it. */
class SectorsNeeded {
  sectors = 0;
  readonly #roomBytes: number;
  #restBytes = 0;

  constructor(roomBytes: number) {
    this.#roomBytes = roomBytes;
  }

  add(recordBytes: number): void {
    if (recordBytes > this.#restBytes) {
      this.sectors++;
      this.#restBytes = this.#roomBytes;
    }
    this.#restBytes -= recordBytes;
  }
}

/**
 * In RAM the pieces go first, so that there are never more keys than a state may have; where they are is noted, as they are read until the last
 * value is written. In flash they go last.
 */
function adopt(adoption: Adoption, index: number, contents: StoreContents): void {
  const { log, entries, state } = contents;
  const places = new Uint32Array(adoption.pieces);
  for (let piece = 0; piece < adoption.pieces; piece++) {
    const key = draftKey(piece);
    places[piece] = state.placeOf(key);
    contents.liveBytes -= state.remove(key, entries);
  }
  const draft = new DraftReader(adoption, (piece) => state.valueAt(places[piece]!));
  for (let put = draft.next(); put !== undefined; put = draft.next()) {
    const place = log.append(RecordKind.value, index, hashOf(put.key), draft.data);
    contents.liveBytes += sizeOf(place) - state.put(put.key, place, index, entries);
  }
  for (let piece = 0; piece < adoption.pieces; piece++) state.writeAbsent(draftKey(piece), index);
}

/** Tells of the keys that the draft changed, in no order, each read where it is now. That its pieces are gone is nothing to anybody. */
function tell(adoption: Adoption, index: number, contents: StoreContents, listener: StateListener): void {
  listener.onLongWork?.();
  const { state } = contents;
  let told = 0;
  for (let number = 0; number < state.size; number++) {
    if (state.indexOf(number) !== index) continue;
    const { key, value } = state.putOf(number);
    listener.onStateChange(key, value, ++told < adoption.puts);
  }
}
