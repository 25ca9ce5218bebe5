/**
 * What the segments of a host's log are made of, before it is framed: each record a CBOR array, each frame a CBOR array of records.
 *
 * ```
 * [1, format version, member id, end index, end term, end hash, is reset]    once, first in a segment: where the log ended before it
 * [2, term, vote or null]                         hard state; the last one holds; a segment's second record
 * [3, index, term, kind, version, data]           entry; follows on the last
 * [4, index]                                      truncation: this entry and all after it are dropped
 * ```
 *
 * A reset begins the log anew behind a snapshot that was received: what earlier segments say of entries holds no more.
 */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Entry, HardState, MemberId, SnapshotPlace } from "../../../protocols/raft/types.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";

/** Version of the files' format. */
export const logFormatVersion = 2;

export interface SegmentHeader {
  readonly memberId: MemberId;
  /** The end of the log when the segment was begun. */
  readonly end: SnapshotPlace;
  readonly isReset: boolean;
}

/** Where what a segment says goes. */
export interface RecordSink {
  header(header: SegmentHeader): void;
  hardState(hardState: HardState): void;
  entry(entry: Entry): void;
  truncate(from: number): void;
}

/** A file of this host holds bytes that were sound once and are not any more. */
export class DamagedLog extends Error {
  override readonly name = "DamagedLog";
  readonly file: string;
  readonly offsetBytes: number;

  constructor(file: string, offsetBytes: number, what: string) {
    super(
      `The Raft file ${file} is damaged at byte ${offsetBytes}: ${what}. Run "covey recover" on this host, which rebuilds its log from the other members, ` +
        "or put a sound copy of the whole folder back.",
    );
    this.file = file;
    this.offsetBytes = offsetBytes;
  }
}

/** A newer program wrote the file: it is sound, but this one cannot read it. */
export class NewerLog extends Error {
  override readonly name = "NewerLog";

  constructor(file: string, what: string) {
    super(`The Raft file ${file} was written by a newer Covey (${what}): update this one.`);
  }
}

export function headerRecord({ memberId, end, isReset }: SegmentHeader): CborValue {
  return [recordKind.header, logFormatVersion, memberId, end.index, end.term, end.hash, isReset];
}

export function hardStateRecord({ term, vote }: HardState): CborValue {
  return [recordKind.hardState, term, vote ?? null];
}

export function entryRecord({ index, term, kind, version, data }: Entry): CborValue {
  return [recordKind.entry, index, term, kind, version, data];
}

export function truncationRecord(from: number): CborValue {
  return [recordKind.truncation, from];
}

export function encodeRecords(records: readonly CborValue[]): Uint8Array {
  return encodeCbor(records as CborValue[]);
}

/** Reads the records of one frame into `sink`. Throws `NewerLog`; any other error means that the frame is not what a host writes. */
export function readRecords(file: string, payload: Uint8Array, sink: RecordSink): void {
  for (const record of decodeCbor(payload) as readonly CborValue[]) {
    const [kind, ...rest] = record as readonly CborValue[];
    switch (kind) {
      case recordKind.header: {
        const [version, memberId, index, term, hash, isReset] = rest as [
          number,
          MemberId,
          number,
          number,
          Uint8Array,
          boolean,
        ];
        if (version !== logFormatVersion) throw new NewerLog(file, `format ${version}`);
        sink.header({ memberId, end: { index, term, hash: new Uint8Array(hash) }, isReset });
        break;
      }
      case recordKind.hardState: {
        const [term, vote] = rest as [number, MemberId | null];
        sink.hardState({ term, vote: vote ?? undefined });
        break;
      }
      case recordKind.entry: {
        const [index, term, entryKind, version, data] = rest as [number, number, number, number, Uint8Array];
        sink.entry({ index, term, kind: entryKind, version, data: new Uint8Array(data) });
        break;
      }
      case recordKind.truncation:
        sink.truncate(rest[0] as number);
        break;
      default:
        throw new NewerLog(file, `record kind ${String(kind)}`);
    }
  }
}

const recordKind = Object.freeze({ header: 1, hardState: 2, entry: 3, truncation: 4 });
