/**
 * The leader's care that each keeper has what it is to have: it lists what the keepers of a board hold, copies what one of them lacks from the others, looks again, and only
 * then counts its copy as whole. New keepers at once, all of them from time to time.
 */
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { keepingLimits } from "../../../protocols/keeping/block.ts";
import type { KeepAnswer, RingState } from "../../../protocols/keeping/messages.ts";
import type { Shelf, ShelfKeeper } from "../../../protocols/keeping/shelf.ts";
import { type AgreedShelf, type AgreedShelves, encodeShelf } from "./agreed-shelves.ts";
import { type Holdings, KeeperRefuses, listAll } from "./holdings.ts";
import { NoAnswer, type Questions } from "./questions.ts";
import { common, countOf, has, highest, noRanges, type Ranges, unite, without } from "./ranges.ts";
import { readSeriesName } from "./series-name.ts";

export const mendingLimits = {
  /** Between two tries to make a copy whole. */
  retryMs: 5_000,
  /** Between two looks at all that is kept. */
  roundMs: 3_600_000,
  /** After one message of a copy: so a keeper is told 4 blocks at most 20 times a second. */
  paceMs: 50,
  /** Boards whose copies are looked at side by side. */
  shelvesAtOnce: 4,
  /** Lists of one keeper in one try. */
  listsMax: 3,
} as const;

export type MendingTimes = { readonly [Name in keyof typeof mendingLimits]: number };

export interface MendingOptions {
  readonly agreed: AgreedShelves;
  readonly questions: Questions;
  readonly isUp: (board: string) => boolean;
  /** The ring that a board has said that it has. */
  readonly onRing: (board: string, ring: RingState) => void;
  put(board: string, value: Uint8Array, expected: Uint8Array): Promise<unknown>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly limits?: Partial<MendingTimes>;
  readonly log: (event: string, facts: Record<string, string | number>) => void;
}

/** What was found of one keeper. */
export interface Found {
  readonly holdings: Holdings;
  /** Blocks that others have and it lacks, by board. */
  readonly missing: ReadonlyMap<string, number>;
  readonly atMs: number;
}

/** This host leads no more. */
class Deposed extends Error {}

export class Mending {
  readonly #options: MendingOptions;
  readonly #limits: MendingTimes;
  readonly #listed = new Map<string, Holdings>();
  /** By board and keeper. */
  readonly #missing = new Map<string, number>();
  #dueMs = 0;
  #roundMs = 0;
  #isBusy = false;
  /** Copied since this process began. */
  copied = 0;
  copiedBytes = 0;
  /** By board whose they are: how many blocks were listed and not to be read from anybody, when its copies were looked at last. */
  readonly #unreadable = new Map<string, number>();

  constructor(options: MendingOptions) {
    this.#options = options;
    this.#limits = { ...mendingLimits, ...options.limits };
  }

  /** As last listed; undefined for a board that this host never listed. */
  holdingsOf(board: string): Holdings | undefined {
    return this.#listed.get(board);
  }

  /** Blocks of `board` that `keeper` lacked when it was last looked at. */
  missingOf(board: string, keeper: string): number | undefined {
    return this.#missing.get(`${board}/${keeper}`);
  }

  /** Blocks that are listed, and not to be read from anybody. */
  get unreadable(): number {
    return [...this.#unreadable.values()].reduce((sum, count) => sum + count, 0);
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Begins what is due, if `isLeader` says so; stops when it does not any more. */
  look(isLeader: () => boolean): void {
    const nowMs = this.#options.nowMs();
    if (this.#isBusy || nowMs < this.#dueMs || !isLeader()) return;
    const isRound = nowMs >= this.#roundMs;
    const boards = [...this.#options.agreed.shelves].flatMap(([board, { shelf }]) =>
      isRound || this.#needs(shelf) ? [board] : [],
    );
    this.#dueMs = nowMs + this.#limits.retryMs;
    if (boards.length === 0) return;
    if (isRound) this.#roundMs = nowMs + this.#limits.roundMs;
    this.#isBusy = true;
    this.#mend(boards, isLeader)
      .catch((error: Error) => {
        if (!(error instanceof Deposed)) this.#options.log("keep-mending-failed", { reason: error.message });
      })
      .finally(() => {
        this.#isBusy = false;
        this.#dueMs = this.#options.nowMs() + this.#limits.retryMs;
      });
  }

  /** The next look is at all. */
  lookAtAll(): void {
    this.#roundMs = 0;
    this.#dueMs = 0;
  }

  #needs({ keepers }: Shelf): boolean {
    return keepers.some(({ board, isWhole }) => !isWhole && this.#options.isUp(board));
  }

  async #mend(boards: readonly string[], isLeader: () => boolean): Promise<void> {
    const waiting = [...boards];
    const work = async () => {
      for (let board = waiting.shift(); board !== undefined; board = waiting.shift()) {
        await this.#mendShelf(board, isLeader);
      }
    };
    const done = await Promise.allSettled(Array.from({ length: mendingLimits.shelvesAtOnce }, work));
    for (const one of done) if (one.status === "rejected") throw one.reason;
  }

  async #mendShelf(board: string, isLeader: () => boolean): Promise<void> {
    const agreed = this.#options.agreed.shelves.get(board);
    if (agreed === undefined) return;
    const { keepers, former } = agreed.shelf;
    const listed = new Map<string, Holdings>();
    // Only now: what a host let go of before the keepers were these is in what it lists.
    for (const { board: keeper } of [...keepers, ...former]) {
      if (listed.has(keeper) || !this.#options.isUp(keeper)) continue;
      const holdings = await this.list(keeper, isLeader).catch(missed);
      if (holdings !== undefined) listed.set(keeper, holdings);
    }
    const mending = new ShelfMending(this, board, agreed, listed, isLeader);
    await mending.run();
    this.#unreadable.set(board, mending.unreadable);
  }

  // What mending one shelf takes.

  async list(board: string, isLeader: () => boolean): Promise<Holdings> {
    const { questions, onRing } = this.#options;
    const holdings = await listAll(async (cursor) => {
      demand(isLeader);
      const answer = await questions.ask(board, { kind: "list", cursor });
      if (answer.kind === "held") return answer;
      throw new KeeperRefuses(board, answer.kind === "refused" ? answer.reason : "it answers something else");
    });
    this.#listed.set(board, holdings);
    onRing(board, holdings.ring);
    return holdings;
  }

  note(board: string, keeper: string, missing: number): void {
    this.#missing.set(`${board}/${keeper}`, missing);
  }

  /** Copies the blocks of `wanted` that `from` gives; what it gave. Rejects with `NoAnswer`. */
  async copy(
    series: string,
    wanted: Ranges,
    from: string,
    to: string,
    isLeader: () => boolean,
  ): Promise<Ranges> {
    let given: Ranges = noRanges;
    let waiting: KeptBlock[] = [];
    const flush = async () => {
      if (waiting.length === 0) return;
      const blocks = waiting;
      waiting = [];
      await this.#put(to, blocks, isLeader);
      given = unite(
        given,
        blocks.map(({ number }) => [number, number] as const),
      );
    };
    const [first, last] = [wanted[0]![0], wanted.at(-1)![1]];
    const ask = (cursor: number) => {
      demand(isLeader);
      const page = this.#options.questions.ask(from, { kind: "read", cursor, series, from: first, to: last });
      // Waited for only when what came before is stored.
      page.catch(() => {});
      return page;
    };
    for (let next: Promise<KeepAnswer> | undefined = ask(0); next !== undefined; ) {
      const page: KeepAnswer = await next;
      if (page.kind !== "blocks") throw new NoAnswer(from);
      next = page.next === undefined ? undefined : ask(page.next);
      for (const block of page.blocks) {
        const isWanted = block.series === series && has(wanted, block.number) && !has(given, block.number);
        if (!isWanted || waiting.some(({ number }) => number === block.number)) continue;
        waiting.push(block);
        if (waiting.length === keepingLimits.blocksMax) await flush();
      }
    }
    await flush();
    return given;
  }

  async #put(keeper: string, blocks: readonly KeptBlock[], isLeader: () => boolean): Promise<void> {
    demand(isLeader);
    const answer = await this.#options.questions.ask(keeper, { kind: "put", blocks });
    if (answer.kind !== "stored" || answer.sectors.some((sector) => sector === 0)) {
      throw new KeeperRefuses(keeper, "its flash does not hold what is written to it");
    }
    this.copied += blocks.length;
    for (const { bytes } of blocks) this.copiedBytes += bytes.length;
    await this.#options.sleep(this.#limits.paceMs);
  }

  async makeWhole(
    board: string,
    { shelf, value }: AgreedShelf,
    whole: readonly ShelfKeeper[],
  ): Promise<void> {
    const keepers = shelf.keepers.map((one) => (whole.includes(one) ? { ...one, isWhole: true } : one));
    const next = { version: shelf.version + 1, keepers, former: shelf.former };
    try {
      await this.#options.put(board, encodeShelf(next), value);
      for (const keeper of whole) this.#options.log("keep-whole", { board, keeper: keeper.board });
    } catch (error) {
      // Somebody has changed it meanwhile: the next try is about that.
      this.#options.log("keep-not-agreed", { board, reason: (error as Error).message });
    }
  }

  get listsMax(): number {
    return this.#limits.listsMax;
  }
}

/** One try to make the copies of one board's readings whole. */
class ShelfMending {
  readonly #mending: Mending;
  readonly #board: string;
  readonly #agreed: AgreedShelf;
  readonly #listed: ReadonlyMap<string, Holdings>;
  readonly #isLeader: () => boolean;
  /** By series: what no source gave though it listed it. */
  readonly #unreadable = new Map<string, Ranges>();

  constructor(
    mending: Mending,
    board: string,
    agreed: AgreedShelf,
    listed: ReadonlyMap<string, Holdings>,
    isLeader: () => boolean,
  ) {
    this.#mending = mending;
    this.#board = board;
    this.#agreed = agreed;
    this.#listed = listed;
    this.#isLeader = isLeader;
  }

  /** Blocks that no source gave though it listed them. */
  get unreadable(): number {
    return [...this.#unreadable.values()].reduce((sum, ranges) => sum + countOf(ranges), 0);
  }

  async run(): Promise<void> {
    const { shelf } = this.#agreed;
    const whole: ShelfKeeper[] = [];
    for (const keeper of shelf.keepers) {
      try {
        const isComplete = await this.#complete(keeper);
        if (isComplete && !keeper.isWhole && this.#isEverythingKnown(keeper)) whole.push(keeper);
      } catch (error) {
        missed(error);
      }
    }
    if (whole.length > 0) await this.#mending.makeWhole(this.#board, this.#agreed, whole);
  }

  /** Gives the keeper what it lacks. Whether it lacks nothing in the end. */
  async #complete(keeper: ShelfKeeper): Promise<boolean> {
    let own = this.#listed.get(keeper.board);
    for (let lists = 1; own?.ring.name === keeper.ring; lists++) {
      const missing = this.#missingOf(keeper, own);
      const count = [...missing.values()].reduce((sum, ranges) => sum + countOf(ranges), 0);
      this.#mending.note(this.#board, keeper.board, count);
      if (count === 0) return true;
      if (lists > this.#mending.listsMax) return false;
      for (const [series, ranges] of missing) await this.#copy(series, ranges, keeper);
      own = await this.#mending.list(keeper.board, this.#isLeader);
    }
    return false;
  }

  async #copy(series: string, missing: Ranges, keeper: ShelfKeeper): Promise<void> {
    let left = missing;
    let isSilent = false;
    for (const [source, holdings] of this.#sources(keeper)) {
      const wanted = common(left, holdings.of(series));
      if (wanted.length === 0) continue;
      try {
        left = without(left, await this.#mending.copy(series, wanted, source, keeper.board, this.#isLeader));
      } catch (error) {
        if (!(error instanceof NoAnswer) || error.board !== source) throw error;
        isSilent = true;
      }
    }
    if (left.length === 0 || isSilent) return;
    this.#unreadable.set(series, unite(this.#unreadable.get(series) ?? noRanges, left));
  }

  #missingOf(keeper: ShelfKeeper, own: Holdings): Map<string, Ranges> {
    const sources = this.#sources(keeper);
    const names = new Set(sources.flatMap(([, holdings]) => [...holdings.series]));
    const missing = new Map<string, Ranges>();
    for (const series of names) {
      if (readSeriesName(series)?.board !== this.#board) continue;
      const there = unite(...sources.map(([, holdings]) => holdings.of(series)));
      const lacks = without(without(there, own.of(series)), this.#unreadable.get(series) ?? noRanges);
      const wanted = keeper.isWhole ? notForgotten(series, lacks, own) : highest(lacks, own.capacity);
      if (wanted.length > 0) missing.set(series, wanted);
    }
    return missing;
  }

  /** Those of whom it is known what they have: in the ring that they are known by. */
  #sources(keeper: ShelfKeeper): [string, Holdings][] {
    const { keepers, former } = this.#agreed.shelf;
    return [...keepers, ...former].flatMap(({ board, ring }) => {
      const holdings = this.#listed.get(board);
      if (board === keeper.board || holdings?.ring.name !== ring) return [];
      return [[board, holdings] as [string, Holdings]];
    });
  }

  /** Nobody who may have more is silent: one with a whole copy was listed; or, where there is none, all who had some. */
  #isEverythingKnown(keeper: ShelfKeeper): boolean {
    const { keepers, former } = this.#agreed.shelf;
    const known = new Set(this.#sources(keeper).map(([board]) => board));
    const others = keepers.filter(({ board }) => board !== keeper.board);
    const whole = others.filter(({ isWhole }) => isWhole);
    if (whole.length > 0) return whole.some(({ board }) => known.has(board));
    return [...others, ...former].every(({ board }) => known.has(board));
  }
}

/** A full ring forgets what is oldest: that is not to be given to it again. */
function notForgotten(series: string, lacks: Ranges, own: Holdings): Ranges {
  if (!own.isFull) return lacks;
  const oldest = own.of(series)[0]?.[0];
  if (oldest === undefined) return noRanges;
  return without(lacks, [[0, oldest]]);
}

function demand(isLeader: () => boolean): void {
  if (!isLeader()) throw new Deposed();
}

/** A board that does not answer, or keeps nothing, is looked at again the next time. */
function missed(error: unknown): undefined {
  if (error instanceof NoAnswer || error instanceof KeeperRefuses) return undefined;
  throw error;
}
