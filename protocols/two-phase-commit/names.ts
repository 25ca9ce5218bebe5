/**
 * Names of boards in few bytes, so that an action over a whole swarm fits one entry: sorted, and of each only what differs from the one before.
 *
 * ```
 * for each name: how many characters it shares with the one before, how many follow, those
 * ```
 *
 * `north-001` to `north-100` take 3.1 bytes each. A board looks itself up without making a text of every name.
 */
import { ShapeError } from "../cbor/shape.ts";
import { actionLimits } from "./action.ts";

/** Sorts them; each once. Names are ASCII, at most `nameLengthMax` characters. */
export function packNames(names: Iterable<string>): Uint8Array {
  const bytes: number[] = [];
  let before = "";
  for (const name of [...new Set(names)].sort()) {
    let shared = 0;
    while (shared < before.length && name[shared] === before[shared]) shared++;
    bytes.push(shared, name.length - shared);
    for (let i = shared; i < name.length; i++) bytes.push(name.charCodeAt(i));
    before = name;
  }
  return Uint8Array.from(bytes);
}

export function unpackNames(packed: Uint8Array): string[] {
  const names: string[] = [];
  let name = "";
  for (let at = 0; at < packed.length; ) {
    const shared = packed[at]!;
    const end = at + 2 + packed[at + 1]!;
    name = name.slice(0, shared);
    for (let i = at + 2; i < end; i++) name += String.fromCharCode(packed[i]!);
    names.push(name);
    at = end;
  }
  return names;
}

/** Whether `name` is among them. */
export function packedHas(packed: Uint8Array, name: string): boolean {
  /** How many characters of `name` the one that is read begins with. */
  let agrees = 0;
  for (let at = 0; at < packed.length; ) {
    const shared = packed[at]!;
    const rest = packed[at + 1]!;
    // What follows a shorter common part has already differed from `name` where it did.
    if (shared <= agrees) {
      agrees = shared;
      while (agrees - shared < rest && name.charCodeAt(agrees) === packed[at + 2 + agrees - shared]) agrees++;
      if (agrees === shared + rest && agrees === name.length) return true;
    }
    at += 2 + rest;
  }
  return false;
}

/** Throws `ShapeError` for what `packNames` does not make: sorted, each once, and nothing said twice. */
export function checkNames(packed: Uint8Array, format: string): void {
  const name = new Uint8Array(actionLimits.nameLengthMax);
  let length = 0;
  let count = 0;
  for (let at = 0; at < packed.length; ) {
    const shared = packed[at]!;
    const rest = packed[at + 1] ?? 0;
    const end = at + 2 + rest;
    const isSound = rest > 0 && end <= packed.length && shared <= length && shared + rest <= name.length;
    const isNext = shared === length || packed[at + 2]! > name[shared]!;
    if (!isSound || !isNext || ++count > actionLimits.boardsMax) {
      throw new ShapeError(format, "the boards", "packed names in their order", packed);
    }
    for (let i = 0; i < rest; i++) {
      const code = packed[at + 2 + i]!;
      if (code < 0x2d || code > 0x7a) throw new ShapeError(format, "the boards", "ASCII names", packed);
      name[shared + i] = code;
    }
    length = shared + rest;
    at = end;
  }
}
