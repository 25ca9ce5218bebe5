/**
 * The agreed state: a small map from keys to values, changed only by committed `put` entries.
 *
 * Keys are ASCII, `fan.duty` for a setting and `program/north-1` for what a board is to run. A value is a CBOR scalar
 * or a byte string. The data of a `put` entry (version 1) is the CBOR array [key, value]; value null deletes the key.
 */
export type StateValue = number | string | boolean | Uint8Array;

export interface PutCommand {
  readonly key: string;
  /** undefined deletes the key. */
  readonly value: StateValue | undefined;
}

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

/** Where a board's program is kept: `program/<board name>`. */
export const programKeyPrefix = "program/";
