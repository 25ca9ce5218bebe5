/** What one board keeps, as it has listed it. */
import type { HeldAnswer, HeldRun, RingState } from "../../../protocols/keeping/messages.ts";
import { noRanges, type Range, type Ranges, unite } from "./ranges.ts";

/** Blocks of 200 bytes that fit in a sector, at least. */
const blocksPerSector = 12;

export class Holdings {
  readonly ring: RingState;
  readonly #series: ReadonlyMap<string, Ranges>;

  constructor(ring: RingState, runs: readonly HeldRun[]) {
    this.ring = ring;
    const found = new Map<string, Range[]>();
    for (const { series, sector, first, last } of runs) {
      // Forgotten while the list went on.
      if (sector < ring.oldest) continue;
      const ranges = found.get(series);
      if (ranges === undefined) found.set(series, [[first, last]]);
      else ranges.push([first, last]);
    }
    this.#series = new Map(Array.from(found, ([series, ranges]) => [series, unite(ranges)]));
  }

  get series(): Iterable<string> {
    return this.#series.keys();
  }

  of(series: string): Ranges {
    return this.#series.get(series) ?? noRanges;
  }

  /** It has forgotten something, or is about to. */
  get isFull(): boolean {
    return isFull(this.ring);
  }

  /** Blocks that it surely has room for. */
  get capacity(): number {
    return this.ring.sectors * blocksPerSector;
  }
}

/** It has forgotten something, or is about to. */
export function isFull({ oldest, newest, sectors }: RingState): boolean {
  return newest - oldest + 2 > sectors;
}

/** The board does not keep blocks, for a reason that it says. */
export class KeeperRefuses extends Error {
  override readonly name = "KeeperRefuses";
  readonly reason: string;

  constructor(board: string, reason: string) {
    super(`${board} keeps nothing: ${reason}`);
    this.reason = reason;
  }
}

/** Asks for one page of a list. */
export type AskList = (cursor: number) => Promise<HeldAnswer>;

/** The whole list of a board. Rejects as `ask` does. */
export async function listAll(ask: AskList): Promise<Holdings> {
  let runs: HeldRun[] = [];
  let name: number | undefined;
  for (let cursor: number | undefined = 0; ; ) {
    const page: HeldAnswer = await ask(cursor);
    // Another ring began meanwhile.
    const isAnother = name !== undefined && page.ring.name !== name;
    name = page.ring.name;
    runs = isAnother ? [] : [...runs, ...page.runs];
    cursor = isAnother ? 0 : page.next;
    if (cursor === undefined) return new Holdings(page.ring, runs);
  }
}
