/**
 * The leader's folder, `.covey/<swarm>/`: one leader at a time, findable by the other verbs.
 *
 * ```
 * leader.lock     held by the living leader
 * leader.json     where it answers (`LeaderFile`), while it does
 * host-<name>/    Raft log and readings of this host
 * ```
 *
 * The lock is SQLite's on an empty file, because the operating system releases it when its holder dies, however it
 * dies; a pid in a file would outlive a power cut and then name somebody else's process.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { LeaderFile } from "./api-types.ts";

/** Another leader lives on this folder. */
export class StateDirectoryInUse extends Error {
  override readonly name = "StateDirectoryInUse";
  readonly directory: string;
  /** undefined while the other leader is starting. */
  readonly pid: number | undefined;

  constructor(directory: string, other: LeaderFile | undefined) {
    const who = other === undefined ? "" : ` (process ${other.pid}, ${other.url})`;
    super(
      `Another leader${who} is using ${directory}; stop it first, or give this one another folder with --state.`,
    );
    this.directory = directory;
    this.pid = other?.pid;
  }
}

export class StateDirectory {
  readonly path: string;
  readonly #lock: DatabaseSync;

  /** Makes the folder if need be and takes it. @throws {StateDirectoryInUse} */
  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    this.#lock = new DatabaseSync(join(path, "leader.lock"));
    try {
      this.#lock.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    } catch (error) {
      this.#lock.close();
      if (!isBusy(error)) throw error;
      throw new StateDirectoryInUse(path, readLeaderFile(path));
    }
    // We hold the lock: whoever wrote it is dead.
    this.withdraw();
  }

  /** The folder of one host, made if need be. */
  hostDirectory(hostName: string): string {
    const path = join(this.path, `host-${hostName}`);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Tells the other verbs where this leader answers. */
  announce(file: LeaderFile): void {
    const temporary = join(this.path, "leader.json.new");
    writeFileSync(temporary, `${JSON.stringify(file, undefined, 2)}\n`);
    renameSync(temporary, join(this.path, leaderFileName));
  }

  withdraw(): void {
    rmSync(join(this.path, leaderFileName), { force: true });
  }

  /** Gives the folder back. */
  release(): void {
    this.withdraw();
    this.#lock.close();
  }
}

const leaderFileName = "leader.json";

function readLeaderFile(directory: string): LeaderFile | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, leaderFileName), "utf8")) as LeaderFile;
  } catch {
    return undefined;
  }
}

/** SQLITE_BUSY: https://sqlite.org/rescode.html */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" && (code & 0xff) === 5;
}
