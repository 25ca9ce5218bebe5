/**
 * Applies an entry that adopts a draft. The draft is read twice, put by put, and never held: once to know whether it is what the entry says and how
 * much flash its values take, once to write these. Between the first of its records and the commit nothing is cleaned, so nothing moves.
 */

import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { adoptedBy, draftOf } from "../../protocols/state/apply.ts";
import { commandToWire } from "../../protocols/state/codec.ts";
import { type Adoption, DraftReader, draftKey } from "../../protocols/state/draft.ts";
import { absenceOf } from "./agreed-state.ts";
import { commitApplied, type StateListener } from "./committing.ts";
import { hashOf } from "./key-index.ts";
import { sizeOf } from "./place.ts";
import { RecordKind, recordSize, type StoredRecord } from "./record.ts";
import type { StoreContents } from "./store-contents.ts";
import type { StoreRoom } from "./store-room.ts";

/** `record` is that of the next entry. False, and nothing is written, where the flash has no room for the draft's values. */
export function applyAdoption(
  record: StoredRecord,
  contents: StoreContents,
  room: StoreRoom,
  listener: StateListener,
): boolean {
  const { log, entries, state } = contents;
  const adoption = adoptedBy(record.data, state);
  if (adoption !== undefined && !room.makeForSectors(sectorsFor(adoption, contents))) return false;
  log.hold();
  if (adoption !== undefined) adopt(adoption, record.index, contents);
  entries.apply(record);
  commitApplied(contents);
  if (adoption !== undefined) tell(adoption, record.index, contents, listener);
  return true;
}

/** Sectors that the records of `adopt` take, if they begin with one; they take no more if they begin before it. */
function sectorsFor(adoption: Adoption, contents: StoreContents): number {
  const { roomBytes } = contents.log;
  let sectors = 0;
  let restBytes = 0;
  const take = (data: Uint8Array) => {
    const bytes = recordSize(data.length);
    if (bytes > restBytes) {
      sectors++;
      restBytes = roomBytes;
    }
    restBytes -= bytes;
  };
  for (let piece = 0; piece < adoption.pieces; piece++) take(absenceOf(draftKey(piece)));
  const draft = draftOf(adoption, contents.state);
  for (let put = draft.next(); put !== undefined; put = draft.next()) take(encodeCbor(commandToWire(put)));
  return sectors;
}

/**
 * The pieces go first, so that there are never more keys than a state may have, in whose RAM there is room for them; where they are is noted, as
 * their records are read until the last value is written.
 */
function adopt(adoption: Adoption, index: number, contents: StoreContents): void {
  const { log, entries, state } = contents;
  const places = new Uint32Array(adoption.pieces);
  for (let piece = 0; piece < adoption.pieces; piece++) {
    const key = draftKey(piece);
    places[piece] = state.placeOf(key);
    state.writeAbsent(key, index);
    contents.liveBytes -= state.remove(key, entries);
  }
  const draft = new DraftReader(adoption, (piece) => state.valueAt(places[piece]!));
  for (let put = draft.next(); put !== undefined; put = draft.next()) {
    const place = log.append(RecordKind.value, index, hashOf(put.key), encodeCbor(commandToWire(put)));
    contents.liveBytes += sizeOf(place) - state.put(put.key, place, index, entries);
  }
}

/** Tells of the keys that the draft changed, in no order, each read where it is now. That its pieces are gone is nothing to anybody. */
function tell(adoption: Adoption, index: number, contents: StoreContents, listener: StateListener): void {
  const { state } = contents;
  let told = 0;
  for (let number = 0; number < state.size; number++) {
    if (state.indexOf(number) !== index) continue;
    const { key, value } = state.putOf(number);
    listener.onStateChange(key, value, ++told < adoption.puts);
  }
}
