/**
 * A host's disk as its log and snapshots use it: few files in one folder, written at their ends, made durable together.
 *
 * `node-disk.ts` is the real one. The simulation has another (`test/simulation/raft/simulated-disk.ts`), on which everything that was not synced may be
 * lost, torn or reordered when the power fails; so the code that is tested against power cuts is the code that ships.
 *
 * What was asked for shows at once in `list` and `read`. Until a `sync` that was called later is answered, a power cut may undo any part of it: single
 * sectors of a write, a size, a name; and of several changes the later may survive the earlier. Who needs an order syncs in between.
 */
export interface HostDisk {
  /** Names of the files that are there. Only at the start. */
  list(): readonly string[];
  /** A whole file. Only at the start. Throws when there is none. */
  read(name: string): Uint8Array;
  /** Writes at an offset, making the file if there is none. The bytes must not change before the next `sync` is answered. */
  write(name: string, offsetBytes: number, bytes: Uint8Array): void;
  truncate(name: string, sizeBytes: number): void;
  /** Replaces what had the new name, at once or not at all. */
  rename(from: string, to: string): void;
  remove(name: string): void;
  /**
   * Calls `done` once everything asked for before is durable, names too; never before it returns. The first sync also covers what was there at the start:
   * a process may have died, and not the computer, before that was durable. With an error when the disk refuses: then nothing may
   * be believed of these files until they are read again. Calls may overlap; each is answered in turn.
   */
  sync(done: (error?: Error) => void): void;
}
