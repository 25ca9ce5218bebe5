/**
 * A snapshot as a file: frames as in `log-frame.ts`, each a CBOR array.
 *
 * ```
 * [format version, index, term, hash]                                               first
 * [index, term, number of the first item, [[kind, version, data], ...], is last]    items; until the last, the snapshot is being received
 * ```
 *
 * A snapshot being received grows in `snapshot.staged` and is renamed when it is whole, so what has a final name is whole or damaged.
 * Each frame names its snapshot, because after a power cut the beginning of one may stand before what was left of another.
 */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { SnapshotItem, SnapshotPlace } from "../../../protocols/raft/types.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import { encodeFrame, frameHeaderBytes, scanFrames } from "./log-frame.ts";
import { DamagedLog, logFormatVersion, NewerLog } from "./log-records.ts";

export const stagedName = "snapshot.staged";
/** Where this host writes one of its own. */
export const unfinishedName = "snapshot.new";

export function snapshotName(index: number): string {
  return `snapshot-${String(index).padStart(12, "0")}`;
}

/** undefined for another file's name. */
export function snapshotIndexOf(name: string): number | undefined {
  const match = /^snapshot-(\d{12})$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export interface Snapshot {
  readonly place: SnapshotPlace;
  readonly items: readonly SnapshotItem[];
}

export interface StagedFile extends Snapshot {
  /** Of the sound part. */
  readonly sizeBytes: number;
  readonly isWhole: boolean;
}

export function encodeSnapshot({ place, items }: Snapshot): Uint8Array {
  const frames = [encodePlace(place)];
  let next = 0;
  do {
    const some = items.slice(next, next + frameItemsMax);
    frames.push(encodeItems(place, next, some, next + some.length === items.length));
    next += some.length;
  } while (next < items.length);
  return Buffer.concat(frames);
}

export function encodePlace({ index, term, hash }: SnapshotPlace): Uint8Array {
  return encodeFrame(encodeCbor([logFormatVersion, index, term, hash]));
}

/** @param first Number of the first of these items. */
export function encodeItems(
  { index, term }: SnapshotPlace,
  first: number,
  items: readonly SnapshotItem[],
  isLast: boolean,
): Uint8Array {
  const wire = items.map(({ kind, version, data }): CborValue => [kind, version, data]);
  return encodeFrame(encodeCbor([index, term, first, wire, isLast]));
}

/** @throws {DamagedLog | NewerLog} */
export function readSnapshot(name: string, bytes: Uint8Array): Snapshot {
  const read = readStaged(name, bytes);
  if (read?.isWhole !== true) throw new DamagedLog(name, read?.sizeBytes ?? 0, "the snapshot is not whole");
  return read;
}

/** As much as is sound of a snapshot that was being received; undefined when not even its first frame is. @throws {NewerLog} */
export function readStaged(name: string, bytes: Uint8Array): StagedFile | undefined {
  const { payloads } = scanFrames(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  if (payloads.length === 0) return undefined;
  const [version, index, term, hash] = decodeCbor(payloads[0]!) as [number, number, number, Uint8Array];
  if (version !== logFormatVersion) throw new NewerLog(name, `format ${version}`);
  const place = { index, term, hash: new Uint8Array(hash) };
  const items: SnapshotItem[] = [];
  let sizeBytes = frameHeaderBytes + payloads[0]!.length;
  let isWhole = false;
  for (const payload of payloads.slice(1)) {
    const [ofIndex, ofTerm, first, wire, isLast] = decodeCbor(payload) as unknown as ItemsFrame;
    if (isWhole || ofIndex !== index || ofTerm !== term || first !== items.length) break;
    for (const [kind, itemVersion, data] of wire) {
      items.push({ kind, version: itemVersion, data: new Uint8Array(data) });
    }
    isWhole = isLast;
    sizeBytes += frameHeaderBytes + payload.length;
  }
  return { place, items, sizeBytes, isWhole };
}

type ItemsFrame = readonly [number, number, number, readonly [number, number, Uint8Array][], boolean];

/** With items of at most 1,024 bytes, far below `framePayloadBytesMax`. */
const frameItemsMax = 1024;
