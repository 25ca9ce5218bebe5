/** The simulator's part of a swarm's state folder, `.covey/<swarm>/`: who may use it, and where the boards' flash is. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExclusiveLock } from "../storage/exclusive-lock.ts";
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
  readonly #lock: ExclusiveLock;
  readonly #pidFile: string;

  /** Makes the folder where there is none, and takes it. @throws {StateFolderInUse} {StateFolderUnusable} */
  constructor(path: string) {
    this.path = path;
    this.#pidFile = join(path, "simulator.pid");
    const lock = take(path);
    if (lock === undefined) throw new StateFolderInUse(path, readPid(this.#pidFile));
    this.#lock = lock;
    try {
      writeFileSync(this.#pidFile, `${process.pid}\n`);
    } catch (error) {
      lock.release();
      throw new StateFolderUnusable(path, error as Error);
    }
  }

  /** Of its chip's flash. */
  boardFolder(board: string): string {
    return join(this.path, "boards", board);
  }

  /** Gives the folder back. */
  release(): void {
    rmSync(this.#pidFile, { force: true });
    this.#lock.release();
  }
}

/** undefined when another process has it. @throws {StateFolderUnusable} */
function take(path: string): ExclusiveLock | undefined {
  try {
    mkdirSync(path, { recursive: true });
    // Flash has secrets in it.
    mkdirSync(join(path, "boards"), { recursive: true, mode: 0o700 });
    return ExclusiveLock.take(join(path, "simulator.lock"));
  } catch (error) {
    throw new StateFolderUnusable(path, error as Error);
  }
}

function readPid(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
