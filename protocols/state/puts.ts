/**
 * Several puts in one entry: what must change together, changes together.
 *
 * The data of a `puts` entry (version 1) is a CBOR sequence: the id of its command, then for each key the array [key, value] that a `put` of
 * it would hold. Keys rise in code units, so none comes twice. An entry that breaks a rule anywhere is skipped as a whole; so is one
 * behind which there would be more than `stateLimits.keysMax` keys.
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { concat, SequenceReader } from "../cbor/sequence.ts";
import { ShapeError } from "../cbor/shape.ts";
import { EntryKind, limits, type SnapshotItem } from "../raft/types.ts";
import { commandFromWire, commandToWire } from "./codec.ts";
import { commandIdBytes, type PutCommand } from "./command.ts";

export const putsLimits = Object.freeze({
  /** Keys in one entry. */
  putsMax: 48,
  /** Bytes of all [key, value] arrays in one entry; the id takes the rest. */
  bytesMax: limits.entryBytesMax - 1 - commandIdBytes,
});

export function isPuts({ kind, version }: SnapshotItem): boolean {
  return kind === EntryKind.puts && version === 1;
}

/** Bytes that a change takes in an entry. */
export function putBytes({ key, value }: PutCommand): number {
  return encodeCbor(commandToWire({ key, value })).length;
}

/** The data of an entry; `puts` in any order. Throws `ShapeError` for what `putsFromData` would refuse. */
export function putsToData(id: Uint8Array, puts: readonly PutCommand[]): Uint8Array {
  const sorted = puts.slice().sort((a, b) => (a.key < b.key ? -1 : 1));
  const items = sorted.map(({ key, value }) => encodeCbor(commandToWire({ key, value })));
  const data = concat(encodeCbor(id), ...items);
  putsFromData(data);
  return data;
}

/** At least one, keys rising. Throws `ShapeError` or `CborError`. */
export function putsFromData(data: Uint8Array): PutCommand[] {
  const items = new SequenceReader(data);
  const id = items.byteStringView();
  if (id.length !== commandIdBytes) throw new ShapeError("puts", "the id", `${commandIdBytes} bytes`, id);
  const puts: PutCommand[] = [];
  let before = "";
  while (!items.isAtEnd) {
    const put = commandFromWire(decodeCbor(items.item()));
    if (put.id !== undefined) throw new ShapeError("puts", "a put", "no id of its own", put.id);
    if (put.key <= before) throw new ShapeError("puts", "the keys", "rising keys", put.key);
    if (puts.length === putsLimits.putsMax) {
      throw new ShapeError("puts", "the puts", `at most ${putsLimits.putsMax}`, puts.length + 1);
    }
    puts.push(put);
    before = put.key;
  }
  if (puts.length === 0) throw new ShapeError("puts", "the puts", "at least one", undefined);
  return puts;
}
