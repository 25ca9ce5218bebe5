/**
 * One host's folder, `.covey/<swarm>/host-<name>/`: used by one process at a time, findable by the other verbs.
 *
 * ```
 * host.lock       held by the living host
 * host.json       where it answers (`HostFile`), while it does
 * member.json     its identity, unless that is said to be elsewhere
 * roster          the root's latest statement about who belongs
 * ...             its part of the Raft log, and the readings
 * ```
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExclusiveLock } from "../storage/exclusive-lock.ts";

/** `.covey/<swarm>/host-<name>/host.json`: how the other verbs find the running hosts. */
export interface HostFile {
  readonly swarm: string;
  /** The host's name in `swarm.ts`. */
  readonly host: string;
  readonly pid: number;
  /** For example `http://127.0.0.1:7800`. */
  readonly url: string;
}

/** Another process is this host. */
export class HostDirectoryInUse extends Error {
  override readonly name = "HostDirectoryInUse";
  readonly directory: string;
  /** undefined while the other one is starting. */
  readonly pid: number | undefined;

  constructor(hostName: string, directory: string, other: HostFile | undefined) {
    const who = other === undefined ? "" : ` (process ${other.pid}, ${other.url})`;
    super(
      `Host ${hostName} runs already${who} and is using ${directory}; stop it first, ` +
        "or run another host of the swarm with --name.",
    );
    this.directory = directory;
    this.pid = other?.pid;
  }
}

export class HostDirectory {
  readonly path: string;
  readonly #lock: ExclusiveLock;

  /** Makes the folder in `stateDir` if need be and takes it. @throws {HostDirectoryInUse} */
  constructor(stateDir: string, hostName: string) {
    this.path = hostDirectoryPath(stateDir, hostName);
    makeHostDirectory(stateDir, hostName);
    const lock = ExclusiveLock.take(join(this.path, "host.lock"));
    if (lock === undefined) throw new HostDirectoryInUse(hostName, this.path, readHostFile(this.path));
    this.#lock = lock;
    // We hold the lock: whoever wrote it is dead.
    this.withdraw();
  }

  /** Tells the other verbs where this host answers. */
  announce(file: HostFile): void {
    const temporary = join(this.path, `${hostFileName}.new`);
    writeFileSync(temporary, `${JSON.stringify(file, undefined, 2)}\n`);
    renameSync(temporary, join(this.path, hostFileName));
  }

  withdraw(): void {
    rmSync(join(this.path, hostFileName), { force: true });
  }

  /** Gives the folder back. */
  release(): void {
    this.withdraw();
    this.#lock.release();
  }
}

/** For its user alone: what the boards measured and what was agreed is in it, which a host may ask a login for. */
export function makeHostDirectory(stateDir: string, hostName: string): void {
  mkdirSync(stateDir, { recursive: true });
  mkdirSync(hostDirectoryPath(stateDir, hostName), { recursive: true, mode: 0o700 });
}

/** Where a host of the swarm whose state is in `stateDir` keeps its own. */
export function hostDirectoryPath(stateDir: string, hostName: string): string {
  return join(stateDir, `${hostFolderPrefix}${hostName}`);
}

/** Where a host's identity is when nobody says otherwise. */
export function memberPath(stateDir: string, hostName: string): string {
  return join(hostDirectoryPath(stateDir, hostName), "member.json");
}

/** Folders of hosts begin with it. */
export const hostFolderPrefix = "host-";

const hostFileName = "host.json";

/** What the host of this folder says of itself; undefined when it does not run, or died without a word, or is starting. */
export function readHostFile(directory: string): HostFile | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, hostFileName), "utf8")) as HostFile;
  } catch {
    return undefined;
  }
}
