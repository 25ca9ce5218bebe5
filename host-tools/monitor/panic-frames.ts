/**
 * Who called whom when the firmware crashed.
 *
 * An Xtensa chip prints its backtrace. A RISC-V chip prints registers and the top of its stack: what of that lies in the code, right behind a call, is taken for a
 * return address. Calls that had returned may still lie there, so those frames are likely ones.
 */
import type { ElfFile, Place } from "./elf/elf-file.ts";
import type { Panic } from "./panic.ts";

export interface Frame {
  readonly address: number;
  /** False for what was found on the stack. */
  readonly isSure: boolean;
  readonly place: Place | undefined;
}

/** Innermost first. Without the ELF file, only what the dump itself names. */
export function framesOf(panic: Panic, elf: ElfFile | undefined): Frame[] {
  const { registers, backtrace, stack } = panic;
  const found: { address: number; at: number; isSure: boolean }[] = [];
  if (backtrace.length > 0)
    for (const address of backtrace) found.push({ address, at: address, isSure: true });
  else if (registers.MEPC !== undefined) {
    found.push({ address: registers.MEPC, at: registers.MEPC, isSure: true });
    const seen = new Set<number>();
    for (const [i, word] of [registers.RA ?? 0, ...stack].entries()) {
      if (elf === undefined ? i > 0 : !followsCall(elf, word)) continue;
      if (word === 0 || seen.has(word) || found.length === framesMax) continue;
      seen.add(word);
      // The call, and not what follows it, which may be another line.
      found.push({ address: word, at: word - 1, isSure: false });
    }
  } else if (registers.PC !== undefined)
    found.push({ address: registers.PC, at: registers.PC, isSure: true });
  const places = elf?.places(found.map(({ at }) => at));
  return found.map(({ address, at, isSure }, i) => {
    const place = places?.[i];
    return { address, isSure, place: place && { ...place, offsetBytes: place.offsetBytes + address - at } };
  });
}

const framesMax = 24;

/** RISC-V: JAL and JALR that keep the return address in ra, whole or compressed. Unprivileged ISA, chapters 2 and 16. */
function followsCall(elf: ElfFile, address: number): boolean {
  if (!elf.isRiscV || address % 2 !== 0 || !elf.isCode(address - 1)) return false;
  const code = elf.codeBefore(address, 4);
  if (code.length < 2) return false;
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const short = view.getUint16(code.length - 2, true);
  // C.JAL, and C.JALR with any register.
  if ((short & 0xe003) === 0x2001 || ((short & 0xf07f) === 0x9002 && (short & 0x0f80) !== 0)) return true;
  if (code.length < 4) return false;
  const word = view.getUint32(0, true);
  const [opcode, destination] = [word & 0x7f, (word >> 7) & 0x1f];
  return (opcode === 0x6f || (opcode === 0x67 && (word & 0x7000) === 0)) && destination === 1;
}
