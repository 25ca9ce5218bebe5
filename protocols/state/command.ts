/**
 * The agreed state: a small map from keys to values, changed only by committed `put` entries.
 *
 * Keys are ASCII, `fan.duty` for a setting and `program/north-1` for what a board is to run. A value is a CBOR scalar
 * or a byte string. The data of a `put` entry (version 1) is the CBOR array [key, value] or [key, value, id]; value null deletes
 * the key. Only hosts look at the id: a leader appends no command twice, so nobody else needs to know it.
 */
export type StateValue = number | string | boolean | Uint8Array;

export interface PutCommand {
  readonly key: string;
  /** undefined deletes the key. */
  readonly value: StateValue | undefined;
  /** By which a retried command is known: `commandIdBytes` that its client drew. */
  readonly id?: Uint8Array;
}

/** Long enough that two of the commands remembered at a time do not share one (2^16 of 2^64). */
export const commandIdBytes = 8;

/** Limits that are part of the protocol (design, point 11). */
export const stateLimits = Object.freeze({
  /** ASCII characters of a key: letters, digits and `. _ - /`. */
  keyLengthMax: 48,
  /** UTF-8 bytes of a text value. */
  textBytesMax: 128,
  /** Bytes of a byte-string value; a program is one. */
  valueBytesMax: 900,
  /** Keys in one swarm's state. */
  keysMax: 512,
});

/** Keys that Covey sets for itself, such as who ought to vote; a user's may not begin so. */
export const reservedKeyPrefix = "covey/";

/** Where a board's program is kept: `program/<board name>`. */
export const programKeyPrefix = "program/";
