/**
 * A lock between processes. It is SQLite's on an empty file, because the operating system releases it when its holder dies,
 * however it dies; a pid in a file would outlive a power cut and then name somebody else's process.
 */
import { DatabaseSync } from "node:sqlite";

export class ExclusiveLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Makes the file where there is none. undefined when another process has the lock, and does not give it back within `waitMs`,
   * for which this process stands still. Throws what the file system does.
   */
  static take(file: string, waitMs = 0): ExclusiveLock | undefined {
    const database = new DatabaseSync(file);
    try {
      database.exec(`PRAGMA busy_timeout = ${waitMs}; BEGIN EXCLUSIVE`);
      return new ExclusiveLock(database);
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  release(): void {
    this.#database.close();
  }
}

/** SQLITE_BUSY: https://sqlite.org/rescode.html */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" && (code & 0xff) === 5;
}
