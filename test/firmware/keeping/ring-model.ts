/** Blocks to put, and what a ring must hold of them: as plainly as it can be said. */
import { BlockRing, type RingOwner } from "../../../firmware/keeping/block-ring.ts";
import { Keeper } from "../../../firmware/keeping/keeper.ts";
import type { FlashRegion } from "../../../firmware/platform/ports.ts";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import type { HeldAnswer, RingState } from "../../../protocols/keeping/messages.ts";

export function ownerOf(memberId = "north-1.1a2b3c4d", name = 77): RingOwner {
  return { memberId, drawName: () => name };
}

/** Some bytes that differ from block to block, of a length that does too. */
export function blockAt(number: number, series = "south-1/temperature", bytesMax = 220): KeptBlock {
  const bytes = new Uint8Array(number % 7 === 0 ? bytesMax : (number * 37) % bytesMax);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (number * 31 + i * 7) & 0xff;
  // An erased place in the middle of a block is no end of a sector.
  bytes.fill(0xff, 20, 60);
  const firstMs = 1_790_000_000_000 + number * 60_000;
  return { series, number, firstMs, lastMs: firstMs + 59_000, bytes };
}

/** All that is in the ring, by what a host can ask, and how it stands. */
export interface Contents {
  readonly ring: RingState;
  readonly damaged: number;
  /** `series number` to the sector. */
  readonly held: ReadonlyMap<string, number>;
  /** Answers that it took. */
  readonly answers: number;
}

export function contentsOf(keeper: Keeper): Contents {
  const held = new Map<string, number>();
  let damaged = 0;
  let cursor: number | undefined = 0;
  let answers = 0;
  let ring: RingState | undefined;
  while (cursor !== undefined) {
    const answer = keeper.answer({ kind: "list", id: ++answers, cursor }) as HeldAnswer;
    for (const { series, sector, first, last } of answer.runs)
      for (let number = first; number <= last; number++) held.set(`${series} ${number}`, sector);
    damaged += answer.ring.damaged;
    ring = answer.ring;
    cursor = answer.next;
    if (answers > 10_000) throw new Error("The list has no end.");
  }
  return { ring: ring!, damaged, held, answers };
}

export function readAll(
  keeper: Keeper,
  series: string,
  from = 0,
  to = 0xffff_ffff,
): { blocks: KeptBlock[]; answers: number } {
  const blocks: KeptBlock[] = [];
  let cursor: number | undefined = 0;
  let answers = 0;
  while (cursor !== undefined) {
    const answer = keeper.answer({ kind: "read", id: ++answers, cursor, series, from, to });
    if (answer.kind !== "blocks") throw new Error(answer.kind);
    blocks.push(...answer.blocks);
    cursor = answer.next;
    if (answers > 10_000) throw new Error("The read has no end.");
  }
  return { blocks, answers };
}

export function openRing(flash: FlashRegion, owner = ownerOf()): BlockRing {
  return new BlockRing(flash, owner);
}

export function openKeeper(flash: FlashRegion, owner = ownerOf()): Keeper {
  return new Keeper(flash, owner);
}

/** Puts one block; the sector. */
export function put(keeper: Keeper, block: KeptBlock): number {
  const answer = keeper.answer({ kind: "put", id: 1, blocks: [block] });
  if (answer.kind !== "stored") throw new Error(answer.kind);
  return answer.sectors[0]!;
}
