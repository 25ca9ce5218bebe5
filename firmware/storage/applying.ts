import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { changeOf, changesOfPuts } from "../../protocols/state/apply.ts";
import { commandFromWire, commandToWire } from "../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../protocols/state/command.ts";
import { entryLimits } from "./entry-log.ts";
import { hashOf } from "./key-index.ts";
import { type Place, sizeOf } from "./place.ts";
import { RecordKind, recordSize, type StoredRecord } from "./record.ts";
import type { StoreContents } from "./store-contents.ts";
import type { StoreRoom } from "./store-room.ts";
import { entryFrom } from "./stored-values.ts";

/** Told of each key that a committed entry changes. */
export interface StateListener {
  /** `isMore`: further changes that were made with this one follow at once, so what depends on several keys had better wait. */
  onStateChange(key: string, value: StateValue | undefined, isMore: boolean): void;
}

/**
 * Applies entries up to `index`, or fewer: makes durable what they change, then that they are committed, then tells. What they
 * change is held until then, and a removal is written down for itself, of which there is room for one. False when the next entry
 * is one of several puts: for `applyPuts`.
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
    if (record.kind === RecordKind.puts) break;
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
 * Applies the next entry, one of several puts: a record for each value, which counts only with the commit that follows. So a board that loses
 * its power in between has all of the entry or nothing. False, and nothing is written, where the flash has no room for it.
 */
export function applyPuts(contents: StoreContents, room: StoreRoom, listener: StateListener): boolean {
  const { log, entries, state } = contents;
  const index = entries.appliedIndex + 1;
  const changes = changesOfPuts(log.read(entries.placeOf(index)).data, state);
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
  entries.apply(RecordKind.puts);
  commitApplied(contents);
  const last = changes.length - 1;
  for (let i = 0; i <= last; i++) listener.onStateChange(changes[i]!.key, changes[i]!.value, i < last);
  return true;
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
  entries.apply(record.kind);
  contents.liveBytes -= memberships.apply(index, firstIndex);
  return { change, isAbsent };
}

/** Says in flash that all that is applied is committed. */
function commitApplied(contents: StoreContents): void {
  const { log, entries } = contents;
  log.append(RecordKind.commit, entries.appliedIndex, 0);
  letOldestGo(contents);
  log.release();
}

/** Drops the oldest of the applied entries when there are many, or much. */
function letOldestGo(contents: StoreContents): void {
  const { entries, capacityBytes, staged } = contents;
  const bytesMax = capacityBytes / retainedShare;
  const retained = entries.appliedIndex - entries.firstIndex + 1;
  if (retained > entryLimits.retainedMax || entries.retainedBytes > bytesMax) {
    let bytes = entries.retainedBytes;
    let base = entries.firstIndex - 1;
    const highest = entries.appliedIndex;
    while (base < highest && (highest - base > entryLimits.retainedMin || bytes > bytesMax / 2)) {
      bytes -= sizeOf(entries.placeOf(++base));
    }
    contents.moveBase(base);
  }
  const { snapshot } = staged;
  if (snapshot !== undefined && snapshot.index <= entries.appliedIndex) contents.dropStaged();
}

/** Applied entries that the state does not need may take one part in so many of the flash. */
const retainedShare = 8;
