/** FNV-1a over both texts, then the finisher of MurmurHash3, without which names that differ in their end differ little: 32 bits. */
export function hash(a: string, b: string): number {
  return finish(fold(fold(0x811c9dc5, a) ^ 0xff, b));
}

/** From above 0 to below 1. */
export function fraction(a: string, b: string): number {
  return (hash(a, b) + 0.5) / 2 ** 32;
}

function fold(start: number, text: string): number {
  let value = start;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}

function finish(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
