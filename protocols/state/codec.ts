/** The data of a `put` entry, between struct and CBOR value. Strict: exactly two items or three, within `stateLimits`. */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { utf8Length } from "../text/utf8.ts";
import { commandIdBytes, type PutCommand, type StateValue, stateLimits } from "./command.ts";

export function commandToWire(command: PutCommand): CborValue {
  const { key, value = null, id } = command;
  return id === undefined ? [key, value] : [key, value, id];
}

/** Throws `ShapeError` for anything but a valid command: the same rule where one is proposed and where one is applied. */
export function commandFromWire(wire: CborValue): PutCommand {
  const items = new ItemReader(wire, "put command", "", 2);
  const key = items.text("the key", stateLimits.keyLengthMax);
  if (!isStateKey(key)) {
    throw new ShapeError("put command", "the key", "letters, digits and . _ - / only", key);
  }
  const found = items.any();
  const stated = found === null ? undefined : checkValue(found);
  if ((wire as readonly CborValue[]).length === 2) return { key, value: stated };
  const id = items.bytes("the id", commandIdBytes);
  if (id.length < commandIdBytes) {
    throw new ShapeError("put command", "the id", `${commandIdBytes} bytes`, id);
  }
  items.end();
  return { key, value: stated, id };
}

/** Called on a text rather than asked of one, which would make an object of it for each character: see `utf8.ts`. */
const { charCodeAt } = String.prototype;

/** 1 to 48 ASCII letters, digits and `. _ - /`. */
export function isStateKey(text: string): boolean {
  const { length } = text;
  if (length === 0 || length > stateLimits.keyLengthMax) return false;
  for (let i = 0; i < length; i++) {
    const code = charCodeAt.call(text, i);
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
    if (!isLetter && !(code >= 0x2d && code <= 0x39)) return false; // 0x2d to 0x39: - . / and digits.
  }
  return true;
}

function checkValue(value: CborValue): StateValue {
  switch (typeof value) {
    case "number":
    case "boolean":
      return value;
    case "string":
      if (utf8Length(value) <= stateLimits.textBytesMax) return value;
      break;
    default:
      if (value instanceof Uint8Array && value.length <= stateLimits.valueBytesMax) return value;
  }
  const { textBytesMax, valueBytesMax } = stateLimits;
  const expected = `a number, a boolean, at most ${textBytesMax} bytes of text or ${valueBytesMax} bytes, or null`;
  throw new ShapeError("put command", "the value", expected, value);
}
