/**
 * Bytes of a line as text: UTF-8 stays, sequences that colour a terminal or move its cursor are taken out, and what is no text stands as `\xNN`, so that nothing a
 * board sends can act on the terminal that shows it.
 */
export function readable(bytes: Uint8Array): { readonly text: string; readonly garbageBytes: number } {
  let text = "";
  let garbageBytes = 0;
  for (let at = 0; at < bytes.length; ) {
    // Most of it: whole runs at once.
    const run = at;
    while (isAscii(bytes[at])) at++;
    if (at > run) text += utf8.decode(bytes.subarray(run, at));
    if (at === bytes.length) break;
    const sequence = escapeLength(bytes, at);
    if (sequence > 0) {
      at += sequence;
      continue;
    }
    const length = characterLength(bytes, at);
    if (length > 0) text += utf8.decode(bytes.subarray(at, at + length));
    else {
      text += `\\x${bytes[at]!.toString(16).padStart(2, "0")}`;
      garbageBytes++;
    }
    at += Math.max(1, length);
  }
  return { text, garbageBytes };
}

/** Printable, or a tabulator. */
function isAscii(byte: number | undefined): boolean {
  return byte === 0x09 || (byte !== undefined && byte >= 0x20 && byte < 0x7f);
}

const utf8 = new TextDecoder();
const escapeByte = 0x1b;

/** Of a control sequence (ECMA-48: ESC [, parameters, a final byte) that begins there; 0 when none does. */
function escapeLength(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== escapeByte || bytes[at + 1] !== 0x5b) return 0;
  for (let end = at + 2; end < bytes.length && end < at + 32; end++) {
    const byte = bytes[end]!;
    if (byte >= 0x40 && byte <= 0x7e) return end + 1 - at;
    if (byte < 0x20 || byte > 0x3f) return 0;
  }
  return 0;
}

/** Of the printable character that begins there; 0 when none does. RFC 3629, section 4; U+0080 to U+009F act on terminals. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (isAscii(first)) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  const low = first === 0xe0 || first === 0xc2 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
