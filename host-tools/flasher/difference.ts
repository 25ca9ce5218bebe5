/**
 * Which sectors of a piece a chip does not hold yet, found by asking it for MD5s: of the whole, of blocks of 64 KB, and then of halves of a block down to a sector. Asking
 * costs 56 bytes on the wire and one turn; a sector costs about 2,300. So a piece that is wholly there costs one question, and when a whole block turns out to
 * differ, as after any change of a program's size, the blocks after it are written without asking further.
 */
import { createHash } from "node:crypto";
import { blockBytes, sectorBytes } from "../chips/chips.ts";
import type { Piece } from "../images/layout.ts";

export interface Range {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The chip's MD5 of a range, in hexadecimal. */
export type ChipMd5 = (offsetBytes: number, lengthBytes: number) => Promise<string>;

export interface Difference {
  /** Whole sectors, but for the piece's end; by rising offset, never touching. */
  readonly ranges: readonly Range[];
  /** The chip holds nothing there. */
  readonly blank: boolean;
}

export async function difference({ offsetBytes, bytes }: Piece, chipMd5: ChipMd5): Promise<Difference> {
  const whole = { offsetBytes, lengthBytes: bytes.length };
  const wanted = (range: Range) =>
    md5(bytes.subarray(range.offsetBytes - offsetBytes, range.offsetBytes - offsetBytes + range.lengthBytes));
  const held = await chipMd5(offsetBytes, bytes.length);
  if (held === wanted(whole)) return { ranges: [], blank: false };
  if (held === md5(new Uint8Array(bytes.length).fill(0xff))) return { ranges: [whole], blank: true };
  const differs = async (range: Range) =>
    (await chipMd5(range.offsetBytes, range.lengthBytes)) !== wanted(range);

  const parts = split(whole, blockBytes);
  const blocks: Range[] = [];
  for (const block of parts) {
    if (parts.length === 1 || (await differs(block))) blocks.push(block);
  }
  const ranges: Range[] = [];
  let wholeBlockDiffered = false;
  for (const block of blocks) {
    const sectors: Range[] = wholeBlockDiffered ? [block] : await differingSectors(block, differs);
    ranges.push(...sectors);
    const changed = sectors.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    wholeBlockDiffered = changed === block.lengthBytes && changed > blockBytes / 2;
  }
  return { ranges: joined(ranges), blank: false };
}

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Ranges that touch become one. */
export function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last !== undefined && last.offsetBytes + last.lengthBytes === range.offsetBytes) {
      result[result.length - 1] = { ...last, lengthBytes: last.lengthBytes + range.lengthBytes };
    } else result.push(range);
  }
  return result;
}

/** Of a range that is known to differ. When its first half does not, its second half does, without asking. */
async function differingSectors(range: Range, differs: (range: Range) => Promise<boolean>): Promise<Range[]> {
  if (range.lengthBytes <= sectorBytes) return [range];
  const half = Math.ceil(range.lengthBytes / sectorBytes / 2) * sectorBytes;
  const first = { offsetBytes: range.offsetBytes, lengthBytes: half };
  const second = { offsetBytes: range.offsetBytes + half, lengthBytes: range.lengthBytes - half };
  if (!(await differs(first))) return differingSectors(second, differs);
  const found = await differingSectors(first, differs);
  return (await differs(second)) ? [...found, ...(await differingSectors(second, differs))] : found;
}

/** Cut at multiples of `unit`. */
function split({ offsetBytes, lengthBytes }: Range, unit: number): Range[] {
  const parts: Range[] = [];
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end; ) {
    const next = Math.min(end, Math.floor(at / unit) * unit + unit);
    parts.push({ offsetBytes: at, lengthBytes: next - at });
    at = next;
  }
  return parts;
}
