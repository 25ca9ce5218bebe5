/**
 * What is found on a host's disk at its start: segments of the log, put together again, and snapshots.
 *
 * Segments are numbered without gaps, and any of them may be the first that is left: its header says where the log ended before it. They are written
 * one after another, each frame only when the one before is durable, so only the last may have a torn tail.
 */
import type { Sha256 } from "../../../protocols/raft/chain.ts";
import { emptyChain } from "../../../protocols/raft/chain.ts";
import type { HardState, MemberId, SnapshotPlace } from "../../../protocols/raft/types.ts";
import type { HostDisk } from "./host-disk.ts";
import { frameHeaderBytes, scanFrames } from "./log-frame.ts";
import { LogMemory } from "./log-memory.ts";
import type { SegmentHeader } from "./log-records.ts";
import { DamagedLog, NewerLog, readRecords } from "./log-records.ts";
import type { Snapshot, StagedFile } from "./snapshot-file.ts";
import { readSnapshot, readStaged, snapshotIndexOf, stagedName, unfinishedName } from "./snapshot-file.ts";

export interface Segment {
  readonly number: number;
  readonly name: string;
  /** Where the log ended before it. */
  readonly end: SnapshotPlace;
  sizeBytes: number;
}

export interface RecoveredLog {
  readonly memberId: MemberId;
  readonly hardState: HardState;
  readonly memory: LogMemory;
  /** Oldest first; at least one. */
  readonly segments: Segment[];
  readonly snapshot: Snapshot | undefined;
  /** The snapshot is there, but the log does not lead to it yet: a power cut came between the two. */
  readonly mustReset: boolean;
  readonly staged: StagedFile | undefined;
  /** Bytes of a torn last write; nobody had been told that they were kept. */
  readonly tornBytes: number;
}

export function segmentName(number: number, firstIndex: number): string {
  return `log-${String(number).padStart(8, "0")}-${String(firstIndex).padStart(12, "0")}`;
}

/** Whether this is the disk of a host that took part, however little. */
export function hasLog(disk: HostDisk): boolean {
  return disk
    .list()
    .some((name) => segmentNumberOf(name) !== undefined || snapshotIndexOf(name) !== undefined);
}

/**
 * undefined where there never was a log. Cuts and removes what a power cut left half done; the disk's next sync makes that durable.
 * @throws {DamagedLog | NewerLog}
 */
export function recoverLog(disk: HostDisk, sha256: Sha256): RecoveredLog | undefined {
  const names = disk.list();
  const snapshot = recoverSnapshot(disk, names);
  const found = namesWithoutGap(disk, names);
  const reader = new SegmentReader(sha256);
  let tornBytes = 0;
  for (const name of found) tornBytes += reader.read(disk, name, name === found.at(-1));
  const { memory, memberId, hardState, segments } = reader;
  if (memory === undefined) {
    if (snapshot === undefined) return undefined;
    throw new DamagedLog(snapshot.name, 0, "the log beside it is missing");
  }
  checkBeginning(segments[0]!, memory, snapshot?.place);
  const isReached = snapshot === undefined || isInLog(memory, snapshot.place);
  if (!isReached) memory.reset(snapshot.place);
  const staged = recoverStaged(disk, names, memory);
  return { memberId, hardState, memory, segments, snapshot, mustReset: !isReached, staged, tornBytes };
}

/** Whether the log holds, or held, the entry that a snapshot stands for. */
export function isInLog(memory: LogMemory, { index, term }: SnapshotPlace): boolean {
  return index < memory.firstIndex - 1 || memory.termAt(index) === term;
}

/** Replays segments into memory, in order. */
class SegmentReader {
  memory: LogMemory | undefined;
  memberId: MemberId = "";
  hardState: HardState = { term: 0, vote: undefined };
  readonly segments: Segment[] = [];
  readonly #sha256: Sha256;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** Returns the bytes that were torn off its end. */
  read(disk: HostDisk, name: string, isLast: boolean): number {
    const bytes = disk.read(name);
    const { payloads, endOffset, damagedAt } = scanFrames(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    );
    if (damagedAt !== undefined) throw new DamagedLog(name, damagedAt, "a checksum does not match");
    if (endOffset < bytes.length || endOffset === 0) {
      if (!isLast) throw new DamagedLog(name, endOffset, "it ends too early, and another segment follows");
      if (endOffset === 0) disk.remove(name);
      else disk.truncate(name, endOffset);
    }
    let offset = 0;
    for (const payload of payloads) {
      this.#readFrame(name, offset, payload);
      offset += frameHeaderBytes + payload.length;
    }
    return bytes.length - endOffset;
  }

  #readFrame(name: string, offset: number, payload: Uint8Array): void {
    try {
      readRecords(name, payload, {
        header: (header) => this.#begin(name, offset, header),
        hardState: (hardState) => {
          this.hardState = hardState;
        },
        entry: (entry) => this.memory!.append(entry),
        truncate: (from) => this.memory!.truncate(from),
      });
    } catch (error) {
      if (error instanceof NewerLog || error instanceof DamagedLog) throw error;
      throw new DamagedLog(name, offset, (error as Error).message);
    }
    if (this.segments.at(-1)?.name !== name)
      throw new DamagedLog(name, offset, "it does not begin with a header");
    this.segments.at(-1)!.sizeBytes = offset + frameHeaderBytes + payload.length;
  }

  #begin(name: string, offset: number, { memberId, end, isReset }: SegmentHeader): void {
    const { memory } = this;
    if (memory === undefined) {
      this.memory = new LogMemory(end, this.#sha256);
    } else if (isReset || end.index < memory.firstIndex - 1) {
      memory.reset(end);
    } else {
      if (end.index < memory.lastIndex) memory.truncate(end.index + 1);
      if (!isSame(memory.end, end)) {
        throw new DamagedLog(
          name,
          offset,
          `it follows on entry ${end.index}, which the segment before does not have`,
        );
      }
    }
    if (this.memberId !== "" && memberId !== this.memberId) {
      throw new DamagedLog(name, offset, `it is of ${memberId}, the segment before of ${this.memberId}`);
    }
    this.memberId = memberId;
    this.segments.push({ number: segmentNumberOf(name)!, name, end, sizeBytes: 0 });
  }
}

function isSame(a: SnapshotPlace, b: SnapshotPlace): boolean {
  return a.index === b.index && a.term === b.term && a.hash.every((byte, i) => byte === b.hash[i]);
}

/** The segments in order. A gap is left when several were being removed: then those before it were too. */
function namesWithoutGap(disk: HostDisk, names: readonly string[]): readonly string[] {
  const segments = names.filter((name) => segmentNumberOf(name) !== undefined).sort();
  for (let i = segments.length - 1; i > 0; i--) {
    if (segmentNumberOf(segments[i]!) === segmentNumberOf(segments[i - 1]!)! + 1) continue;
    for (const name of segments.splice(0, i)) disk.remove(name);
    break;
  }
  return segments;
}

function segmentNumberOf(name: string): number | undefined {
  const match = /^log-(\d{8})-\d{12}$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** What the first segment does not hold must be in a snapshot. */
function checkBeginning(first: Segment, memory: LogMemory, snapshot: SnapshotPlace | undefined): void {
  const before = memory.firstIndex - 1;
  if (before <= (snapshot?.index ?? 0)) return;
  throw new DamagedLog(
    first.name,
    0,
    `what came before entry ${before + 1} is in no other segment and in no snapshot`,
  );
}

/** The newest; what is older, or was not finished, goes. */
function recoverSnapshot(
  disk: HostDisk,
  names: readonly string[],
): (Snapshot & { name: string }) | undefined {
  if (names.includes(unfinishedName)) disk.remove(unfinishedName);
  const found = names.filter((name) => snapshotIndexOf(name) !== undefined).sort();
  const name = found.pop();
  for (const older of found) disk.remove(older);
  return name === undefined ? undefined : { name, ...readSnapshot(name, disk.read(name)) };
}

/** What is of no use any more goes. */
function recoverStaged(disk: HostDisk, names: readonly string[], memory: LogMemory): StagedFile | undefined {
  if (!names.includes(stagedName)) return undefined;
  const staged = readStaged(stagedName, disk.read(stagedName));
  if (staged !== undefined && staged.items.length > 0 && !isInLog(memory, staged.place)) {
    disk.truncate(stagedName, staged.sizeBytes);
    return staged;
  }
  disk.remove(stagedName);
  return undefined;
}

/** The place before the first entry. */
export function beginning(): SnapshotPlace {
  return { index: 0, term: 0, hash: emptyChain() };
}

/** What a new member begins with. */
export function newLog(memberId: MemberId, sha256: Sha256): RecoveredLog {
  const memory = new LogMemory(beginning(), sha256);
  const hardState = { term: 0, vote: undefined };
  return {
    memberId,
    hardState,
    memory,
    segments: [],
    snapshot: undefined,
    mustReset: false,
    staged: undefined,
    tornBytes: 0,
  };
}
