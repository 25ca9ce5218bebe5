/** A database file of a host, such as that behind `telemetry.ts`: its tables, and what is done about a damaged one. */
import { existsSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

export interface DamagedFile {
  readonly keptAs: string;
  readonly reason: string;
}

export interface Schema {
  readonly version: number;
  /** SQL that makes what is not there yet. */
  readonly tables: string;
  /** Whether what was committed survives a power cut, and not only the end of the process. */
  readonly synchronous: "FULL" | "NORMAL";
}

const readingsSchema: Schema = {
  version: 1,
  synchronous: "NORMAL",
  tables: `
      CREATE TABLE IF NOT EXISTS series (
        id INTEGER PRIMARY KEY, board TEXT NOT NULL, metric TEXT NOT NULL, UNIQUE (board, metric)
      ) STRICT;
      CREATE TABLE IF NOT EXISTS readings (
        series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, quality INTEGER NOT NULL, PRIMARY KEY (series, at)
      ) STRICT, WITHOUT ROWID;`,
};

/**
 * Opens the file, or makes it. One that is no database, or a damaged one, is renamed `<file>.damaged-<time>` and replaced.
 * @throws {NewerDatabase}
 */
export function openDatabase(
  file: string,
  nowMs: number,
  schema: Schema = readingsSchema,
): { database: DatabaseSync; damaged: DamagedFile | undefined } {
  try {
    return { database: openSound(file, schema), damaged: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const keptAs = setAside(file, nowMs);
    return { database: openSound(file, schema), damaged: { keptAs, reason: (error as Error).message } };
  }
}

function openSound(file: string, schema: Schema): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${schema.synchronous}; PRAGMA busy_timeout = 2000`,
    );
    const check = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw new DamagedDatabase(check.quick_check);
    const { user_version: version } = database.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (version > schema.version) throw new NewerDatabase(file, version, schema.version);
    database.exec(`${schema.tables} PRAGMA user_version = ${schema.version};`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class DamagedDatabase extends Error {
  override readonly name = "DamagedDatabase";
}

/** Written by a newer Covey; an older one must not touch it. */
export class NewerDatabase extends Error {
  override readonly name = "NewerDatabase";

  constructor(file: string, version: number, known: number) {
    super(
      `${file} is of format ${version}, newer than this Covey's ${known}; update Covey or move the file away.`,
    );
  }
}

/** SQLite's result codes: https://sqlite.org/rescode.html */
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedDatabase) return true;
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" && [sqliteCorrupt, sqliteNotADatabase].includes(code & 0xff);
}

/** The journal goes with its database: replayed into a new one it would damage that too. */
function setAside(file: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(":", "-");
  const keptAs = `${file}.damaged-${stamp}`;
  renameSync(file, keptAs);
  for (const suffix of ["-wal", "-shm"]) {
    if (existsSync(file + suffix)) renameSync(file + suffix, keptAs + suffix);
  }
  return keptAs;
}
