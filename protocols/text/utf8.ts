/**
 * UTF-8 (RFC 3629) by hand: XS on a board has no TextEncoder. Strict in both directions: no half surrogate pairs, no
 * overlong forms, nothing beyond U+10FFFF.
 */

/** To be called as `codePointAt.call(text, i)`: `text.codePointAt(i)` makes an object of the text first, of 32 bytes, and so does `text.length`. */
const { codePointAt } = String.prototype;

/** Bytes of `text` in UTF-8; -1 when it has half a surrogate pair, which UTF-8 cannot hold. */
export function utf8Length(text: string): number {
  const { length } = text;
  let bytes = 0;
  for (let i = 0; i < length; i++) {
    const code = codePointAt.call(text, i)!;
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code < 0x10000) {
      if (code >= 0xd800 && code < 0xe000) return -1;
      bytes += 3;
    } else {
      bytes += 4;
      i++;
    }
  }
  return bytes;
}

/** All of `text` if that has at most `bytesMax` bytes in UTF-8; else as many whole characters of it as do, the last of them an ellipsis. */
export function shortenedUtf8(text: string, bytesMax: number): string {
  if (utf8Length(text) <= bytesMax) return text;
  let bytes = ellipsisBytes;
  let i = 0;
  for (;;) {
    const code = codePointAt.call(text, i)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > bytesMax) return `${text.slice(0, i)}\u2026`;
    i += code < 0x10000 ? 1 : 2;
  }
}

const ellipsisBytes = 3;

/** Writes `text` from `at` on, where there is room for its `utf8Length` bytes; gives the offset after it. */
export function writeUtf8(text: string, into: Uint8Array, at: number): number {
  const { length } = text;
  let to = at;
  for (let i = 0; i < length; i++) {
    const code = codePointAt.call(text, i)!;
    if (code < 0x80) {
      into[to++] = code;
    } else if (code < 0x800) {
      into[to++] = 0xc0 | (code >> 6);
      into[to++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      into[to++] = 0xe0 | (code >> 12);
      into[to++] = 0x80 | ((code >> 6) & 0x3f);
      into[to++] = 0x80 | (code & 0x3f);
    } else {
      into[to++] = 0xf0 | (code >> 18);
      into[to++] = 0x80 | ((code >> 12) & 0x3f);
      into[to++] = 0x80 | ((code >> 6) & 0x3f);
      into[to++] = 0x80 | (code & 0x3f);
      i++;
    }
  }
  return to;
}

/** Characters handed to one `String.fromCharCode` call, each of which takes a slot of the board's small stack. */
const charsAtOnce = 16;

/** The text in `bytes` from `start` to before `end`, or undefined when they are not UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  while (at < end) {
    const stop = Math.min(end, at + charsAtOnce);
    let asciiEnd = at;
    while (asciiEnd < stop && bytes[asciiEnd]! < 0x80) asciiEnd++;
    if (asciiEnd > at) {
      text += String.fromCharCode.apply(undefined, bytes.subarray(at, asciiEnd) as unknown as number[]);
      at = asciiEnd;
    } else {
      const code = codePoint(bytes, at, end);
      if (code < 0) return undefined;
      text += String.fromCodePoint(code);
      at += code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    }
  }
  return text;
}

/** The character beyond ASCII at `at`, or -1. A character in its shortest form is as long as its code says, so overlong ones are refused. */
function codePoint(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4 || at + more >= end) return -1;
  let code = first & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const next = bytes[at + i]!;
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  const least = more === 3 ? 0x10000 : more === 2 ? 0x800 : 0x80;
  return code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? -1 : code;
}
