/**
 * A host's disk as its log and snapshots use it: few files in one folder, written at their ends, made durable together.
 *
 * `node-disk.ts` is the real one. The simulation has another, on which everything that was not synced may be lost or torn when the
 * host crashes; so the code that is tested against power cuts is the code that ships.
 */
export interface HostDisk {
  /** Names of the files that are there. Only at the start. */
  list(): readonly string[];
  /** A whole file. Only at the start, and for snapshots that are sent. Throws when there is none. */
  read(name: string): Uint8Array;
  /** Writes at an offset, making the file if there is none; not durable before the next `sync`. */
  write(name: string, offsetBytes: number, bytes: Uint8Array): void;
  truncate(name: string, sizeBytes: number): void;
  /** Replaces what had the new name, at once or not at all. */
  rename(from: string, to: string): void;
  remove(name: string): void;
  /**
   * Calls `done` once everything asked for before is durable, names too, in the order in which it was asked for; with an error when the disk refuses: then
   * nothing may be believed of these files until they are read again. Calls may overlap; each is answered in turn.
   */
  sync(done: (error?: Error) => void): void;
}
