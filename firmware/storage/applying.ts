import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { changeOf, changesOfPuts } from "../../protocols/state/apply.ts";
import { commandFromWire, commandToWire } from "../../protocols/state/codec.ts";
import type { PutCommand } from "../../protocols/state/command.ts";
import { applyAdoption } from "./adopting.ts";
import { commitApplied, type StateListener } from "./committing.ts";
import { isOfSeveral } from "./entry-log.ts";
import { hashOf } from "./key-index.ts";
import { type Place, sizeOf } from "./place.ts";
import { RecordKind, recordSize, type StoredRecord } from "./record.ts";
import type { StoreContents } from "./store-contents.ts";
import type { StoreRoom } from "./store-room.ts";
import { entryFrom } from "./stored-values.ts";

/**
 * Applies entries up to `index`, or fewer: makes durable what they change, then that they are committed, then tells. What they
 * change is held until then, and a removal is written down for itself, of which there is room for one. False when the next entry
 * is one of several changes: for `applySeveral`.
 */
export function applyEntries(contents: StoreContents, index: number, listener: StateListener): boolean {
  const { log, entries } = contents;
  const before = entries.appliedIndex;
  const changes: PutCommand[] = [];
  let heldBytes = 0;
  let isAbsentWritten = false;
  log.hold();
  while (entries.appliedIndex < index && heldBytes < heldBytesMax && !isAbsentWritten) {
    const next = entries.appliedIndex + 1;
    const place = entries.placeOf(next);
    const record = log.read(place);
    if (isOfSeveral(record.kind)) break;
    const { change, isAbsent } = applyOne(contents, record, place);
    isAbsentWritten = isAbsent;
    heldBytes += sizeOf(place);
    if (change !== undefined) changes.push(change);
  }
  if (entries.appliedIndex === before) {
    log.release();
    return false;
  }
  commitApplied(contents);
  for (const { key, value } of changes) listener.onStateChange(key, value, false);
  return true;
}

/**
 * Applies the next entry, one of several changes: a record for each, which counts only with the commit that follows. So a board that loses
 * its power in between has all of the entry or nothing. False, and nothing is written, where the flash has no room for it.
 */
export function applySeveral(contents: StoreContents, room: StoreRoom, listener: StateListener): boolean {
  const { log, entries } = contents;
  const record = log.read(entries.placeOf(entries.appliedIndex + 1));
  const apply = record.kind === RecordKind.puts ? applyPuts : applyAdoption;
  return apply(record, contents, room, listener);
}

/**
 * Makes the staged items the state, and the log empty behind them. All of it holds from the moment that the next sector's header is
 * durable.
 */
export function installStaged(contents: StoreContents): void {
  const { log, entries, state, memberships, staged } = contents;
  const { from, ...place } = staged.snapshot!;
  const { index } = place;
  state.clear();
  memberships.clear();
  staged.forEachPut((hash, item) => state.install(hash, item, index));
  if (staged.membershipPlace !== 0) memberships.push(index, staged.membershipPlace);
  entries.restart(place);
  contents.installed = { index, sequence: log.nextSequence, itemsFrom: from };
  staged.restart(undefined);
  log.openSector(0);
  contents.countLiveBytes();
}

function applyPuts(
  record: StoredRecord,
  contents: StoreContents,
  room: StoreRoom,
  listener: StateListener,
): boolean {
  const { log, entries, state } = contents;
  const { index } = record;
  const changes = changesOfPuts(record.data, state);
  const records = changes.map((change) => encodeCbor(commandToWire(change)));
  if (records.length > 0 && !room.makeForValues(records.map(({ length }) => recordSize(length))))
    return false;
  log.hold();
  for (let i = 0; i < changes.length; i++) {
    const { key, value } = changes[i]!;
    const hash = hashOf(key);
    if (value === undefined) {
      log.append(RecordKind.absent, index, hash, records[i]!);
      contents.liveBytes -= state.remove(key, entries);
    } else {
      const place = log.append(RecordKind.value, index, hash, records[i]!);
      contents.liveBytes += sizeOf(place) - state.put(key, place, index, entries);
    }
  }
  entries.apply(record);
  commitApplied(contents);
  const last = changes.length - 1;
  for (let i = 0; i <= last; i++) listener.onStateChange(changes[i]!.key, changes[i]!.value, i < last);
  return true;
}

/** Bytes of records whose changes are held until their commit is durable; one more record may go beyond it. */
const heldBytesMax = 1024;

interface Applied {
  readonly change: PutCommand | undefined;
  /** A record says that the key is not there. */
  readonly isAbsent: boolean;
}

function applyOne(contents: StoreContents, record: StoredRecord, place: Place): Applied {
  const { entries, state, memberships } = contents;
  const { firstIndex } = entries;
  const { index } = record;
  const change = changeOf(entryFrom(record), state);
  let isAbsent = false;
  if (change === undefined) {
    // A valid put that changes nothing: there are as many keys as there may be.
    isAbsent = record.kind === RecordKind.put;
    if (isAbsent) state.writeAbsent(commandFromWire(decodeCbor(record.data)).key, index);
  } else if (change.value === undefined) {
    isAbsent = true;
    state.writeAbsent(change.key, index);
    contents.liveBytes -= state.remove(change.key, entries);
  } else {
    contents.liveBytes -= state.put(change.key, place, index, entries);
  }
  entries.apply(record);
  contents.liveBytes -= memberships.apply(index, firstIndex);
  return { change, isAbsent };
}
