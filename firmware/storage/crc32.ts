/**
 * CRC-32 (ISO-HDLC, as in zlib) of `bytes` from `start` to before `end`, continuing from `crc`: the CRC of what came
 * before, 0 for nothing. Half a byte at a time, so that the table takes 64 bytes.
 */
export function crc32(bytes: Uint8Array, start: number, end: number, crc = 0): number {
  let register = ~crc;
  for (let i = start; i < end; i++) {
    register ^= bytes[i]!;
    register = (register >>> 4) ^ table[register & 15]!;
    register = (register >>> 4) ^ table[register & 15]!;
  }
  return ~register >>> 0;
}

/** The remainders of the sixteen half bytes under the reflected polynomial 0xEDB88320. */
const table = new Uint32Array([
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320,
  0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
]);
