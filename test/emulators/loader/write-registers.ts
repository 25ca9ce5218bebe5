/** WRITE_REG's body. */
import type { Machine } from "./machine.ts";
import { word } from "./packet.ts";

/** Address, value, mask, delay, as often as there are. The delays, in us, are not waited for. */
export function writeRegisters({ space }: Machine, body: Uint8Array): void {
  for (let at = 0; at < body.length / 4; at += 4) {
    const [address, value, mask] = [word(body, at), word(body, at + 1), word(body, at + 2)];
    const kept = mask === 0xffffffff ? 0 : space.read(address) & ~mask;
    space.write(address, ((value & mask) | kept) >>> 0);
  }
}
