/**
 * What is agreed on about a checkpoint, under `covey/checkpoint/<name>`: first that there is to be one, and once the leader has made its own, the digest
 * that every host's copy must have.
 *
 * ```
 * [version, made at, by whom, is automatic]                         the checkpoint is the state behind the entry that put this
 * [version, made at, by whom, is automatic, index, term, digest]
 * ```
 */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import { reservedKeyPrefix, type StateValue } from "../../../protocols/state/command.ts";
import { byBytesMax, digestBytes, isCheckpointName } from "./checkpoint-file.ts";

export const checkpointKeyPrefix = `${reservedKeyPrefix}checkpoint/`;

export interface Marker {
  readonly madeMs: number;
  readonly by: string;
  readonly isAutomatic: boolean;
  /** undefined until the leader has made it. */
  readonly made: { readonly index: number; readonly term: number; readonly digest: Uint8Array } | undefined;
}

/** The name of the checkpoint that a key is about; undefined for any other key. */
export function checkpointOf(key: string): string | undefined {
  if (!key.startsWith(checkpointKeyPrefix)) return undefined;
  const name = key.slice(checkpointKeyPrefix.length);
  return isCheckpointName(name) ? name : undefined;
}

export function markerToValue({ madeMs, by, isAutomatic, made }: Marker): Uint8Array {
  const begun = [markerVersion, madeMs, by, isAutomatic];
  return encodeCbor(made === undefined ? begun : [...begun, made.index, made.term, made.digest]);
}

/** undefined for what is no marker that this version knows. */
export function markerFromValue(value: StateValue | undefined): Marker | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    const items = new ItemReader(decodeCbor(value), "checkpoint marker", "", 4);
    items.integer("the version", markerVersion, markerVersion);
    const madeMs = items.integer("the time", 0, Number.MAX_SAFE_INTEGER);
    const by = items.text("by whom", byBytesMax);
    const isAutomatic = items.boolean("is automatic");
    if (items.length === 4) return { madeMs, by, isAutomatic, made: undefined };
    const index = items.integer("the index", 1, Number.MAX_SAFE_INTEGER);
    const term = items.integer("the term", 1, Number.MAX_SAFE_INTEGER);
    const digest = items.bytesOf("the digest", digestBytes);
    return { madeMs, by, isAutomatic, made: { index, term, digest } };
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) return undefined;
    throw error;
  }
}

const markerVersion = 1;
