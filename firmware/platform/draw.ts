import type { Random } from "./ports.ts";

/** 32 random bits, as a number from 0 to 2^32 - 1. */
export function draw32(random: Random): number {
  const seed = new Uint8Array(4);
  random.fill(seed);
  return new DataView(seed.buffer).getUint32(0);
}
