/**
 * A checkpoint as a file: the agreed state at one log index. Every host makes the same bytes of the same index, so one digest, itself agreed on, says
 * of each copy whether it is whole.
 *
 * ```
 * SHA-256 of what follows
 * CBOR sequence: ["covey checkpoint", version, swarm, name, index, term, made at, by whom, number of keys], then [key, value] for each key, rising
 * ```
 */
import { createHash } from "node:crypto";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { concat, SequenceReader } from "../../../protocols/cbor/sequence.ts";
import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import { commandFromWire, commandToWire } from "../../../protocols/state/codec.ts";
import { type StateValue, stateLimits } from "../../../protocols/state/command.ts";

export interface Checkpoint {
  readonly swarm: string;
  readonly name: string;
  /** The state behind this entry, and its term. */
  readonly index: number;
  readonly term: number;
  /** Unix milliseconds, by the clock of the host that led. */
  readonly madeMs: number;
  readonly by: string;
  /** Keys rising. */
  readonly values: ReadonlyMap<string, StateValue>;
}

export const digestBytes = 32;
/** UTF-8 bytes of a swarm's name, and of whoever made a checkpoint. */
export const byBytesMax = 192;

export const checkpointLimits = {
  /** Of a file: as many keys as there may be, each with the longest value. */
  bytesMax: 512 * 1024,
  nameLengthMax: 24,
  /** That people made. */
  namedMax: 12,
  /** That were made on each occasion, without being asked for: the oldest give way. */
  automaticMax: 4,
} as const;

/** The bytes are no checkpoint, or not the one that they were. The message says which and ends without a full stop. */
export class CheckpointDamaged extends Error {
  override readonly name = "CheckpointDamaged";
}

/** 1 to 24 small letters, digits and dashes, a letter first; `now` is the present state. */
export function isCheckpointName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,23}$/.test(text) && text !== "now";
}

export function checkpointToBytes(checkpoint: Checkpoint): Uint8Array {
  const { swarm, name, index, term, madeMs, by, values } = checkpoint;
  const keys = [...values.keys()].sort();
  const head = encodeCbor([label, fileVersion, swarm, name, index, term, madeMs, by, keys.length]);
  const items = keys.map((key) => encodeCbor(commandToWire({ key, value: values.get(key) })));
  const content = concat(head, ...items);
  return concat(digestOf(content), content);
}

/** The digest that a file begins with; not compared with anything. */
export function statedDigest(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, digestBytes);
}

/** @throws {CheckpointDamaged} */
export function checkpointFromBytes(bytes: Uint8Array): Checkpoint {
  const content = bytes.subarray(digestBytes);
  if (bytes.length > checkpointLimits.bytesMax)
    throw new CheckpointDamaged("it is longer than any checkpoint");
  if (bytes.length <= digestBytes || !isSameBytes(statedDigest(bytes), digestOf(content))) {
    throw new CheckpointDamaged("its content is not what its digest says");
  }
  try {
    return readContent(content);
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) throw new CheckpointDamaged(error.message);
    throw error;
  }
}

function readContent(content: Uint8Array): Checkpoint {
  const sequence = new SequenceReader(content);
  const head = new ItemReader(decodeCbor(sequence.item()), "checkpoint", "", 9);
  if (head.text("the label", label.length) !== label) {
    throw new ShapeError("checkpoint", "the label", label, undefined);
  }
  head.integer("the version", fileVersion, fileVersion);
  const swarm = head.text("the swarm", byBytesMax);
  const name = head.text("the name", checkpointLimits.nameLengthMax);
  const index = head.integer("the index", 1, Number.MAX_SAFE_INTEGER);
  const term = head.integer("the term", 1, Number.MAX_SAFE_INTEGER);
  const madeMs = head.integer("the time", 0, Number.MAX_SAFE_INTEGER);
  const by = head.text("by whom", byBytesMax);
  const count = head.integer("the number of keys", 0, stateLimits.keysMax);
  const values = new Map<string, StateValue>();
  let before = "";
  for (let i = 0; i < count; i++) {
    const { key, value } = commandFromWire(decodeCbor(sequence.item()));
    if (key <= before || value === undefined) throw new ShapeError("checkpoint", "a key", "rising keys", key);
    values.set(key, value);
    before = key;
  }
  sequence.end();
  return { swarm, name, index, term, madeMs, by, values };
}

function digestOf(content: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(content).digest());
}

const label = "covey checkpoint";
const fileVersion = 1;
