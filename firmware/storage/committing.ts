import type { StateValue } from "../../protocols/state/command.ts";
import { entryLimits } from "./entry-log.ts";
import { sizeOf } from "./place.ts";
import { RecordKind } from "./record.ts";
import type { StoreContents } from "./store-contents.ts";

/** Told of each key that a committed entry changes. */
export interface StateListener {
  /** `isMore`: further changes that were made with this one follow at once, so what depends on several keys had better wait. */
  onStateChange(key: string, value: StateValue | undefined, isMore: boolean): void;
  /** Called between the parts of the work on an entry that may take seconds, for whatever watches over the board. */
  onLongWork?(): void;
}

/** Says in flash that all that is applied is committed. */
export function commitApplied(contents: StoreContents): void {
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
