/**
 * The simulator's part of a swarm's state folder, `.covey/<swarm>/`: who may use it, and where the boards' flash is.
 *
 * The lock is SQLite's on an empty file, because the operating system releases it however its holder dies; a pid in a
 * file would outlive a power cut and then name somebody else's process.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SimulationError } from "./simulation-error.ts";

/** The folder can be neither made nor used. */
export class StateFolderUnusable extends SimulationError {
  readonly folder: string;

  constructor(folder: string, cause: Error) {
    super(
      `The state folder ${folder} cannot be used (${cause.message}); put that right, or choose another with --state.`,
    );
    this.folder = folder;
  }
}

/** Another simulator runs on this folder. */
export class StateFolderInUse extends SimulationError {
  readonly folder: string;

  constructor(folder: string, pid: string | undefined) {
    const who = pid === undefined ? "" : ` (process ${pid})`;
    super(
      `This swarm is running already${who}, with its state in ${folder}; stop it first, or give this one another folder with --state.`,
    );
    this.folder = folder;
  }
}

export class StateFolder {
  readonly path: string;
  readonly #lock: DatabaseSync;
  readonly #pidFile: string;

  /** Makes the folder where there is none, and takes it. @throws {StateFolderInUse} {StateFolderUnusable} */
  constructor(path: string) {
    this.path = path;
    this.#pidFile = join(path, "simulator.pid");
    let lock: DatabaseSync | undefined;
    try {
      mkdirSync(join(path, "boards"), { recursive: true });
      lock = new DatabaseSync(join(path, "simulator.lock"));
      lock.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
      writeFileSync(this.#pidFile, `${process.pid}\n`);
      this.#lock = lock;
    } catch (error) {
      lock?.close();
      if (isBusy(error)) throw new StateFolderInUse(path, readPid(this.#pidFile));
      throw new StateFolderUnusable(path, error as Error);
    }
  }

  flashPath(board: string): string {
    return join(this.path, "boards", `${board}.flash`);
  }

  /** Gives the folder back. */
  release(): void {
    rmSync(this.#pidFile, { force: true });
    this.#lock.close();
  }
}

function readPid(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** SQLITE_BUSY: https://sqlite.org/rescode.html */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" && (code & 0xff) === 5;
}
