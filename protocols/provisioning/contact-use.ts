/**
 * Which of a board's two contacts is in use: one small value, so that a board changes from one to the other by a single write, and a power cut leaves
 * it with both, and one of them in use.
 */
import { type Contact, contactFromBytes } from "./contact.ts";
import { storedKeys } from "./stored.ts";

/** Two bytes. */
export interface ContactUse {
  /** 0: the value under `storedKeys.contact`; 1: the one under `storedKeys.otherContact`. */
  readonly slot: 0 | 1;
  /** Whether the one that is not in use was given a try already, or was in use before. */
  readonly isOtherTried: boolean;
}

export type StoredValues = { read(key: string): Uint8Array | undefined };

/** What is no such value counts as none. */
export function contactUseOf(values: StoredValues): ContactUse {
  const bytes = values.read(storedKeys.contactUse);
  const isSound = bytes?.length === 2 && bytes[0]! <= 1 && bytes[1]! <= 1;
  if (!isSound) return untouched;
  return { slot: bytes[0] === 1 ? 1 : 0, isOtherTried: bytes[1] === 1 };
}

export function contactUseToBytes({ slot, isOtherTried }: ContactUse): Uint8Array {
  return Uint8Array.of(slot, isOtherTried ? 1 : 0);
}

/** Under which key the contact of a slot is. */
export function contactKeyAt(slot: 0 | 1): string {
  return slot === 0 ? storedKeys.contact : storedKeys.otherContact;
}

/** The contact with which a board starts; undefined where it has none that can be read. */
export function contactInUse(values: StoredValues): Contact | undefined {
  const { slot } = contactUseOf(values);
  return contactAt(values, slot) ?? contactAt(values, slot === 0 ? 1 : 0);
}

/** undefined where there is none, or none that can be read. */
export function contactAt(values: StoredValues, slot: 0 | 1): Contact | undefined {
  const bytes = values.read(contactKeyAt(slot));
  return bytes && contactFromBytes(bytes);
}

const untouched: ContactUse = Object.freeze({ slot: 0, isOtherTried: true });
