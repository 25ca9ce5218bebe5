/**
 * Where readings are kept: one SQLite file, written in short batched transactions.
 *
 * A series is one metric of one board; a reading's key is (series, time), so a range of one metric is one walk along the
 * table. Readings are no agreed state: a power cut may cost the last moment's (WAL, `synchronous = NORMAL`), and a damaged file
 * is set aside, loudly, for a new one. Old readings leave by age and by count.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredReading } from "../api/types/readings.ts";
import { type DamagedFile, openDatabase } from "./telemetry-file.ts";

export interface TelemetryOptions {
  readonly file: string;
  /** A reading's unit, by board and metric, for showing and exporting. */
  readonly unitOf: (board: string, metric: string) => string;
  readonly retention?: Partial<Retention>;
  /** Told of a failed background write, once each. */
  readonly onError: (error: Error) => void;
  readonly now?: () => number;
}

export interface Retention {
  readonly ageMaxMs: number;
  readonly readingsPerSeriesMax: number;
}

export const retentionDefault: Retention = {
  ageMaxMs: 30 * 24 * 3_600_000,
  readingsPerSeriesMax: 1_000_000,
};

export const telemetryLimits = {
  /** The longest that a reading waits for its transaction. */
  batchMs: 200,
  /** Readings in one transaction. */
  batchReadings: 1_000,
  /** How often old readings are removed. */
  sweepMs: 60_000,
  /** Readings removed from one series in one sweep, so that a sweep never holds the leader up. */
  sweepReadings: 20_000,
  /** Series in one file; a board's program has at most 16 metrics. */
  seriesMax: 10_000,
  /** Readings in one answer of `newest`. */
  newestReadingsMax: 100_000,
  /** What is put back may stand there already, moved by no more than this. */
  pastWithinMs: 1_000,
  /** Readings of one series in one page of `pages`. */
  pageReadings: 5_000,
} as const;

export interface NewReading {
  readonly board: string;
  readonly metric: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** NaN when the sensor gave nothing. */
  readonly value: number;
  readonly quality: number;
}

/** All bounds are optional; times are Unix milliseconds, both inclusive. */
export interface ReadingQuery {
  readonly board?: string | undefined;
  readonly metric?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Leaves boards out. */
  readonly isWanted?: ((board: string) => boolean) | undefined;
}

export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #retention: Retention;
  readonly #now: () => number;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #insertSeries: StatementSync;
  readonly #newest: StatementSync;
  readonly #oldest: StatementSync;
  readonly #removeOldest: StatementSync;
  readonly #insertPast: StatementSync;
  readonly #series = new Map<string, Series>();
  readonly #waiting: { series: Series; atMs: number; value: number | null; quality: number }[] = [];
  #batchTimer: NodeJS.Timeout | undefined;
  readonly #sweepTimer: NodeJS.Timeout;
  #stored = 0;
  #failing = false;
  /** What was set aside when opening; undefined in a healthy case. */
  readonly damaged: DamagedFile | undefined;

  /** @throws {NewerDatabase} */
  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#retention = { ...retentionDefault, ...options.retention };
    this.#now = options.now ?? Date.now;
    const { database, damaged } = openDatabase(options.file, this.#now());
    this.#database = database;
    this.damaged = damaged;
    this.#insertSeries = this.#database.prepare("INSERT INTO series (board, metric) VALUES (?, ?)");
    this.#insert = this.#database.prepare(
      "INSERT INTO readings (series, at, value, quality) VALUES (?, ?, ?, ?)",
    );
    this.#insertPast = this.#database.prepare(
      "INSERT OR IGNORE INTO readings (series, at, value, quality) VALUES (?, ?, ?, ?)",
    );
    const select = "SELECT at, value, quality FROM readings WHERE series = ? AND at BETWEEN ? AND ?";
    this.#newest = this.#database.prepare(`${select} ORDER BY at DESC LIMIT ?`);
    this.#oldest = this.#database.prepare(`${select} ORDER BY at LIMIT ?`);
    this.#removeOldest = this.#database.prepare(
      `DELETE FROM readings WHERE series = ?1 AND at IN
         (SELECT at FROM readings WHERE series = ?1 AND at < ?2 ORDER BY at LIMIT ?3)`,
    );
    this.#loadSeries();
    this.#sweepTimer = setInterval(() => this.#guarded(() => this.sweep()), telemetryLimits.sweepMs);
    this.#sweepTimer.unref();
  }

  /** Readings stored by this process. */
  get stored(): number {
    return this.#stored;
  }

  /**
   * Keeps a reading; it is on its way to disk within `telemetryLimits.batchMs`. Two readings of a series never share a time: the later
   * one moves to the next free millisecond. What the disk refuses is dropped, and `onError` told.
   */
  add(reading: NewReading): void {
    this.#guarded(() => this.#add(reading));
  }

  #add(reading: NewReading): void {
    const series = this.#seriesOf(reading.board, reading.metric);
    if (series === undefined) return;
    const atMs = Math.max(Math.round(reading.atMs), series.lastAtMs + 1);
    series.lastAtMs = atMs;
    const value = Number.isFinite(reading.value) ? reading.value : null;
    this.#waiting.push({ series, atMs, value, quality: reading.quality });
    if (this.#waiting.length >= telemetryLimits.batchReadings) this.flush();
    else this.#batchTimer ??= setTimeout(() => this.#guarded(() => this.flush()), telemetryLimits.batchMs);
  }

  /** Writes what waits, in one transaction. */
  flush(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0);
    this.#transaction(() => {
      for (const { series, atMs, value, quality } of batch) this.#insert.run(series.id, atMs, value, quality);
    });
    for (const { series } of batch) series.count++;
    this.#stored += batch.length;
    this.#failing = false;
  }

  /**
   * Puts back readings of one series, in the order of their time, each exactly where it was, in one transaction. Those that are there already, perhaps a little beside, because
   * each host places a report on its own clock, are left out, all of them. Returns how many were put back. Throws what SQLite throws.
   */
  addPast(readings: readonly NewReading[]): number {
    this.flush();
    const [first] = readings;
    const series = first === undefined ? undefined : this.#seriesOf(first.board, first.metric);
    if (series === undefined || this.#hasSuch(series, readings)) return 0;
    let added = 0;
    this.#transaction(() => {
      for (const { atMs, value, quality } of readings) {
        const known = Number.isFinite(value) ? value : null;
        if (this.#insertPast.run(series.id, atMs, known, quality).changes > 0) added++;
      }
    });
    series.count += added;
    series.lastAtMs = Math.max(series.lastAtMs, readings.at(-1)!.atMs);
    this.#stored += added;
    return added;
  }

  /**
   * Whether all of these are there, moved by the same time: no further than half of what they span, or others like them, beside a gap where they were, would be taken
   * for them.
   */
  #hasSuch(series: Series, readings: readonly NewReading[]): boolean {
    const [firstMs, lastMs] = [readings[0]!.atMs, readings.at(-1)!.atMs];
    const withinMs = Math.min(telemetryLimits.pastWithinMs, Math.floor((lastMs - firstMs) / 2));
    const [fromMs, toMs] = [firstMs - withinMs, lastMs + withinMs];
    const rows = this.#readings(this.#oldest, series, fromMs, toMs, telemetryLimits.pageReadings);
    const there = new Map(rows.map(({ atMs, value }) => [atMs, value]));
    return rows.some(({ atMs: startMs }) => {
      const movedMs = startMs - firstMs;
      if (movedMs > withinMs) return false;
      return readings.every(({ atMs, value }) => there.get(atMs + movedMs) === value);
    });
  }

  /** The newest readings that fit, oldest first; includes every reading added before. */
  newest(query: ReadingQuery, limit: number): StoredReading[] {
    this.flush();
    const bounded = Math.min(limit, telemetryLimits.newestReadingsMax);
    const rows = this.#matching(query).flatMap((series) =>
      this.#readings(this.#newest, series, query.fromMs ?? 0, query.toMs ?? endOfTimeMs, bounded),
    );
    return rows.sort(byTime).slice(-bounded);
  }

  /**
   * All readings that fit, oldest first, a page at a time, so that an export of millions holds few in memory. A page holds at most
   * `telemetryLimits.pageReadings` of each series.
   */
  *pages(query: ReadingQuery): Generator<StoredReading[]> {
    this.flush();
    const matching = this.#matching(query);
    const toMs = query.toMs ?? endOfTimeMs;
    let fromMs = query.fromMs ?? 0;
    while (fromMs <= toMs) {
      // A series with more than fits sets the horizon up to which every series is known in full.
      let horizonMs = toMs;
      const rows = matching.flatMap((series) => {
        const found = this.#readings(this.#oldest, series, fromMs, toMs, telemetryLimits.pageReadings);
        if (found.length === telemetryLimits.pageReadings)
          horizonMs = Math.min(horizonMs, found.at(-1)!.atMs);
        return found;
      });
      if (rows.length > 0) yield rows.filter((row) => row.atMs <= horizonMs).sort(byTime);
      fromMs = horizonMs + 1;
    }
  }

  /** Removes what is too old or too many, at most `telemetryLimits.sweepReadings` of a series. Returns how many left. */
  sweep(): number {
    this.flush();
    const oldestMs = this.#now() - this.#retention.ageMaxMs;
    let removed = 0;
    for (const series of this.#series.values()) {
      const old = Number(this.#removeOldest.run(series.id, oldestMs, telemetryLimits.sweepReadings).changes);
      const excess = Math.min(
        series.count - old - this.#retention.readingsPerSeriesMax,
        telemetryLimits.sweepReadings,
      );
      const surplus = excess > 0 ? Number(this.#removeOldest.run(series.id, endOfTimeMs, excess).changes) : 0;
      series.count -= old + surplus;
      removed += old + surplus;
    }
    return removed;
  }

  /** Writes what waits and closes the file; called again, does nothing. */
  close(): void {
    if (!this.#database.isOpen) return;
    clearInterval(this.#sweepTimer);
    this.#guarded(() => this.flush());
    this.#database.close();
  }

  #matching({ board, metric, isWanted = () => true }: ReadingQuery): Series[] {
    return [...this.#series.values()].filter(
      (series) =>
        (board === undefined || series.board === board) &&
        (metric === undefined || series.metric === metric) &&
        isWanted(series.board),
    );
  }

  #readings(
    statement: StatementSync,
    series: Series,
    fromMs: number,
    toMs: number,
    limit: number,
  ): StoredReading[] {
    const { board, metric } = series;
    const unit = this.#options.unitOf(board, metric);
    const rows = statement.all(series.id, fromMs, toMs, limit) as unknown as Row[];
    return rows.map(({ at, value, quality }) => ({ atMs: at, board, metric, value, unit, quality }));
  }

  #seriesOf(board: string, metric: string): Series | undefined {
    const key = `${board}/${metric}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size === telemetryLimits.seriesMax) return undefined;
    const id = Number(this.#insertSeries.run(board, metric).lastInsertRowid);
    const series = { id, board, metric, count: 0, lastAtMs: 0 };
    this.#series.set(key, series);
    return series;
  }

  #loadSeries(): void {
    const rows = this.#database
      .prepare(
        `SELECT id, board, metric, (SELECT count(*) FROM readings WHERE series = id) AS count,
           (SELECT max(at) FROM readings WHERE series = id) AS lastAt FROM series`,
      )
      .all() as unknown as {
      id: number;
      board: string;
      metric: string;
      count: number;
      lastAt: number | null;
    }[];
    for (const { id, board, metric, count, lastAt } of rows) {
      this.#series.set(`${board}/${metric}`, { id, board, metric, count, lastAtMs: lastAt ?? 0 });
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

  /** A full disk must not end the leader, whose first duty is agreement: say so once, go on. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!this.#failing) this.#options.onError(error as Error);
      this.#failing = true;
    }
  }
}

interface Series {
  readonly id: number;
  readonly board: string;
  readonly metric: string;
  count: number;
  lastAtMs: number;
}

interface Row {
  readonly at: number;
  readonly value: number | null;
  readonly quality: number;
}

const endOfTimeMs = Number.MAX_SAFE_INTEGER;

function byTime(a: StoredReading, b: StoredReading): number {
  return a.atMs - b.atMs;
}
