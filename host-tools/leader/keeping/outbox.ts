/**
 * Blocks that this host has taken and that are not on all their keepers yet: on its disk, so that they survive its end.
 *
 * A block is given its number and made durable before anybody is sent it (WAL, `synchronous = FULL`), so that no number is ever given to two blocks. Who has stored it is
 * written down as well. There is room for `outboxLimits.blocksMax`; beyond that the oldest goes, first of those that some keeper has, and each is counted, on disk too.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { keepingLimits } from "../../../protocols/keeping/block.ts";
import { type DamagedFile, openDatabase, type Schema } from "../telemetry/telemetry-file.ts";
import { seriesText, writerLength } from "./series-name.ts";

export const outboxLimits = {
  /** Some 6 MB on disk and 5 MB of memory: twenty boards that tell of ten series a minute, for an hour and a half. */
  blocksMax: 20_000,
} as const;

/** Where a block is. */
export interface Stored {
  readonly ring: number;
  readonly sector: number;
}

export interface Waiting {
  readonly id: number;
  /** Whose readings they are. */
  readonly board: string;
  /** By name of the keeper. */
  readonly stored: Map<string, Stored>;
}

export interface TakenBlock {
  readonly board: string;
  readonly metric: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly bytes: Uint8Array;
}

/** Since the file was made; `short` and `lost` since somebody accepted what they were before. */
export interface OutboxCounters {
  readonly taken: number;
  readonly takenBytes: number;
  /** On all their keepers. */
  readonly placed: number;
  /** Gave way while some keeper had them, but not all. */
  readonly short: number;
  /** Gave way and no keeper has them, or could not be written down. */
  readonly lost: number;
}

export class Outbox {
  readonly #database: DatabaseSync;
  readonly #statements: Record<
    "put" | "take" | "remove" | "removeStored" | "store" | "count" | "next",
    StatementSync
  >;
  readonly #writer: string;
  /** By board, oldest first. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** Next number by series. */
  readonly #next = new Map<string, number>();
  readonly #counters: { -readonly [Name in keyof OutboxCounters]: number };
  #unwritten: TakenBlock[] = [];
  #size = 0;
  readonly damaged: DamagedFile | undefined;

  /** `draw`: a name for a new disk, of `writerLength` letters and digits. @throws {NewerDatabase} */
  constructor(file: string, nowMs: number, draw: () => string) {
    const { database, damaged } = openDatabase(file, nowMs, schema);
    this.#database = database;
    this.damaged = damaged;
    const prepare = (sql: string) => database.prepare(sql);
    this.#statements = {
      put: prepare(
        "INSERT INTO blocks (board, series, number, first, last, bytes) VALUES (?, ?, ?, ?, ?, ?)",
      ),
      take: prepare("SELECT series, number, first, last, bytes FROM blocks WHERE id = ?"),
      remove: prepare("DELETE FROM blocks WHERE id = ?"),
      removeStored: prepare("DELETE FROM stored WHERE id = ?"),
      store: prepare("INSERT OR REPLACE INTO stored (id, keeper, ring, sector) VALUES (?, ?, ?, ?)"),
      count: prepare("INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)"),
      next: prepare("INSERT OR REPLACE INTO numbers (series, next) VALUES (?, ?)"),
    };
    this.#writer = this.#readWriter(draw);
    this.#counters = this.#readCounters();
    this.#readWaiting();
  }

  get counters(): OutboxCounters {
    return this.#counters;
  }

  /** Blocks that wait, those included that are not on disk yet. */
  get size(): number {
    return this.#size + this.#unwritten.length;
  }

  /** Boards of which blocks wait. */
  get boards(): Iterable<string> {
    return this.#waiting.keys();
  }

  /** Oldest first; the list changes as blocks come and go. */
  waiting(board: string): readonly Waiting[] {
    return this.#waiting.get(board) ?? [];
  }

  /** On disk with the next `write`. */
  take(block: TakenBlock): void {
    const isSound =
      block.bytes.length <= keepingLimits.blockBytesMax &&
      block.lastMs - block.firstMs <= keepingLimits.spanMsMax &&
      block.firstMs >= 0;
    if (isSound) this.#unwritten.push(block);
    else this.#counters.lost++;
  }

  /** Makes durable what was taken, and makes room. True when there was something. Throws what SQLite throws; what was to be written is lost then, and counted. */
  write(): boolean {
    if (this.#unwritten.length === 0) return false;
    const taken = this.#unwritten;
    this.#unwritten = [];
    try {
      this.#transaction(() => {
        for (const block of taken) this.#put(block);
        this.#makeRoom();
        this.#writeCounters();
      });
    } catch (error) {
      // What is in memory is again what is on disk.
      const { lost } = this.#counters;
      Object.assign(this.#counters, this.#readCounters(), { lost: lost + taken.length });
      this.#readWaiting();
      throw error;
    }
    return true;
  }

  /** As it goes to its keepers. */
  block(id: number): KeptBlock {
    const row = this.#statements.take.get(id) as unknown as BlockRow;
    const { series, number, first, last, bytes } = row;
    return { series, number, firstMs: first, lastMs: last, bytes: new Uint8Array(bytes) };
  }

  /** These are in the keeper's flash, in its ring. Throws what SQLite throws. */
  stored(keeper: string, ring: number, blocks: readonly { block: Waiting; sector: number }[]): void {
    this.#transaction(() => {
      for (const { block, sector } of blocks) this.#statements.store.run(block.id, keeper, ring, sector);
    });
    for (const { block, sector } of blocks) block.stored.set(keeper, { ring, sector });
  }

  /** These are on all their keepers. Throws what SQLite throws. */
  placed(board: string, blocks: ReadonlySet<Waiting>): void {
    this.#transaction(() => {
      for (const { id } of blocks) this.#remove(id);
      this.#counters.placed += blocks.size;
      this.#writeCounters();
    });
    this.#forget(board, (block) => blocks.has(block));
  }

  /** Somebody knows of so many and accepts it: they are counted no more. Throws what SQLite throws. */
  accept({ short, lost }: Pick<OutboxCounters, "short" | "lost">): void {
    const counters = this.#counters;
    counters.short = Math.max(0, counters.short - short);
    counters.lost = Math.max(0, counters.lost - lost);
    this.#transaction(() => this.#writeCounters());
  }

  close(): void {
    if (!this.#database.isOpen) return;
    try {
      this.write();
    } finally {
      this.#database.close();
    }
  }

  #put({ board, metric, firstMs, lastMs, bytes }: TakenBlock): void {
    const series = seriesText({ board, metric, writer: this.#writer });
    const number = this.#next.get(series) ?? 1;
    if (number > keepingLimits.numberMax) {
      this.#counters.lost++;
      return;
    }
    const id = Number(
      this.#statements.put.run(board, series, number, firstMs, lastMs, bytes).lastInsertRowid,
    );
    this.#statements.next.run(series, number + 1);
    this.#next.set(series, number + 1);
    this.#counters.taken++;
    this.#counters.takenBytes += bytes.length;
    this.#enter({ id, board, stored: new Map() });
  }

  /** Those that some keeper has go before those that none has, and of both the oldest. */
  #makeRoom(): void {
    let excess = this.#size - outboxLimits.blocksMax;
    if (excess <= 0) return;
    const all = [...this.#waiting.values()].flat().sort((a, b) => a.id - b.id);
    const given = new Set<Waiting>();
    for (const isStored of [true, false]) {
      for (const block of all) {
        if (excess === 0) break;
        if (block.stored.size > 0 !== isStored) continue;
        given.add(block);
        this.#remove(block.id);
        if (isStored) this.#counters.short++;
        else this.#counters.lost++;
        excess--;
      }
    }
    for (const board of [...this.#waiting.keys()]) this.#forget(board, (block) => given.has(block));
  }

  #remove(id: number): void {
    this.#statements.remove.run(id);
    this.#statements.removeStored.run(id);
  }

  #enter(block: Waiting): void {
    const list = this.#waiting.get(block.board);
    if (list === undefined) this.#waiting.set(block.board, [block]);
    else list.push(block);
    this.#size++;
  }

  #forget(board: string, isGone: (block: Waiting) => boolean): void {
    const list = this.#waiting.get(board);
    if (list === undefined) return;
    const left = list.filter((block) => !isGone(block));
    this.#size -= list.length - left.length;
    if (left.length === 0) this.#waiting.delete(board);
    else this.#waiting.set(board, left);
  }

  #writeCounters(): void {
    for (const [name, value] of Object.entries(this.#counters)) this.#statements.count.run(name, value);
  }

  #readWriter(draw: () => string): string {
    const row = this.#database.prepare("SELECT name FROM writer").get() as { name: string } | undefined;
    if (row !== undefined) return row.name;
    const name = draw();
    if (name.length !== writerLength)
      throw new RangeError(`${name} is no name of ${writerLength} characters.`);
    this.#database.prepare("INSERT INTO writer (name) VALUES (?)").run(name);
    return name;
  }

  #readCounters(): Outbox["counters"] {
    const counters = { taken: 0, takenBytes: 0, placed: 0, short: 0, lost: 0 };
    const rows = this.#database.prepare("SELECT name, value FROM counters").all() as unknown as {
      name: keyof OutboxCounters;
      value: number;
    }[];
    for (const { name, value } of rows) counters[name] = value;
    return counters;
  }

  #readWaiting(): void {
    this.#waiting.clear();
    this.#next.clear();
    this.#size = 0;
    const byId = new Map<number, Waiting>();
    for (const row of this.#database.prepare("SELECT id, board FROM blocks ORDER BY id").all()) {
      const { id, board } = row as unknown as { id: number; board: string };
      const block = { id, board, stored: new Map<string, Stored>() };
      byId.set(id, block);
      this.#enter(block);
    }
    for (const row of this.#database.prepare("SELECT id, keeper, ring, sector FROM stored").all()) {
      const { id, keeper, ring, sector } = row as unknown as { id: number; keeper: string } & Stored;
      byId.get(id)?.stored.set(keeper, { ring, sector });
    }
    for (const row of this.#database.prepare("SELECT series, next FROM numbers").all()) {
      const { series, next } = row as unknown as { series: string; next: number };
      this.#next.set(series, next);
    }
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

interface BlockRow {
  readonly series: string;
  readonly number: number;
  readonly first: number;
  readonly last: number;
  readonly bytes: Uint8Array;
}

const schema: Schema = {
  version: 1,
  synchronous: "FULL",
  tables: `
    CREATE TABLE IF NOT EXISTS writer (name TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS numbers (series TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS blocks (
      id INTEGER PRIMARY KEY AUTOINCREMENT, board TEXT NOT NULL, series TEXT NOT NULL, number INTEGER NOT NULL,
      first INTEGER NOT NULL, last INTEGER NOT NULL, bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS stored (
      id INTEGER NOT NULL, keeper TEXT NOT NULL, ring INTEGER NOT NULL, sector INTEGER NOT NULL, PRIMARY KEY (id, keeper)
    ) STRICT, WITHOUT ROWID;`,
};
