import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { changeOf } from "../../protocols/state/apply.ts";
import { commandFromWire } from "../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../protocols/state/command.ts";
import { entryLimits } from "./entry-log.ts";
import { type Place, sizeOf } from "./place.ts";
import { RecordKind } from "./record.ts";
import type { StoreContents } from "./store-contents.ts";
import { entryFrom } from "./stored-values.ts";

/** Told of each key that a committed entry changes. */
export interface StateListener {
  onStateChange(key: string, value: StateValue | undefined): void;
}

/**
 * Applies entries up to `index`, or fewer: makes durable what they change, then that they are committed, then tells. What they
 * change is held until then, and a removal is written down for itself, of which there is room for one.
 */
export function applyEntries(contents: StoreContents, index: number, listener: StateListener): void {
  const { log, entries } = contents;
  const changes: PutCommand[] = [];
  let heldBytes = 0;
  let isAbsentWritten = false;
  log.hold();
  while (entries.appliedIndex < index && heldBytes < heldBytesMax && !isAbsentWritten) {
    const next = entries.appliedIndex + 1;
    const place = entries.placeOf(next);
    const { change, isAbsent } = applyOne(contents, next, place);
    isAbsentWritten = isAbsent;
    heldBytes += sizeOf(place);
    if (change !== undefined) changes.push(change);
  }
  const { appliedIndex } = entries;
  log.append(RecordKind.commit, appliedIndex, 0);
  letOldestGo(contents);
  log.release();
  for (const { key, value } of changes) listener.onStateChange(key, value);
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

function applyOne(contents: StoreContents, index: number, place: Place): Applied {
  const { log, entries, state, memberships } = contents;
  const { firstIndex } = entries;
  const record = log.read(place);
  const change = changeOf(entryFrom(record), state);
  let isAbsent = false;
  if (change === undefined) {
    // A valid put that changes nothing: there are as many keys as there may be.
    isAbsent = record.kind === RecordKind.put;
    if (isAbsent) state.writeAbsent(commandFromWire(decodeCbor(record.data)).key, index);
  } else if (change.value === undefined) {
    isAbsent = true;
    state.writeAbsent(change.key, index);
    contents.liveBytes -= state.remove(change.key, firstIndex);
  } else {
    contents.liveBytes -= state.put(change.key, place, index, firstIndex);
  }
  entries.apply();
  contents.liveBytes -= memberships.apply(index, firstIndex);
  return { change, isAbsent };
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
