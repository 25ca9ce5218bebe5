/**
 * A folder of real files as a `HostDisk`: `fdatasync` of each file that changed, `fsync` of the folder when a name did.
 *
 * Writes go to the kernel at once, which takes microseconds; only the syncs, which wait for the disk, run beside the event loop. One sync under
 * way serves all that were asked for before it began; the rest share the next.
 */
import {
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { HostDisk } from "./host-disk.ts";

export class NodeDisk implements HostDisk {
  readonly directory: string;
  readonly #folder: number;
  readonly #files = new Map<string, number>();
  /** Of files that are gone. */
  readonly #leftOpen: number[] = [];
  #unsynced = new Set<string>();
  #areNamesUnsynced = true;
  #waiting: ((error?: Error) => void)[] = [];
  #isSyncing = false;
  #failure: Error | undefined;
  #isClosed = false;

  /** Makes the folder if there is none. */
  constructor(directory: string) {
    this.directory = directory;
    makeFolder(directory);
    this.#folder = openSync(directory, "r");
    // A process that died may have left what is not durable yet.
    this.#unsynced = new Set(this.list());
  }

  list(): readonly string[] {
    return readdirSync(this.directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  }

  read(name: string): Uint8Array {
    return readFileSync(join(this.directory, name));
  }

  write(name: string, offsetBytes: number, bytes: Uint8Array): void {
    this.#attempt(() => {
      const file = this.#open(name);
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(file, bytes, written, bytes.length - written, offsetBytes + written);
      }
      this.#unsynced.add(name);
    });
  }

  truncate(name: string, sizeBytes: number): void {
    this.#attempt(() => {
      ftruncateSync(this.#open(name), sizeBytes);
      this.#unsynced.add(name);
    });
  }

  rename(from: string, to: string): void {
    this.#attempt(() => {
      this.#close(to);
      const file = this.#files.get(from);
      renameSync(join(this.directory, from), join(this.directory, to));
      if (file !== undefined) this.#files.set(to, file);
      this.#files.delete(from);
      if (this.#unsynced.delete(from)) this.#unsynced.add(to);
      this.#areNamesUnsynced = true;
    });
  }

  remove(name: string): void {
    this.#attempt(() => {
      this.#close(name);
      rmSync(join(this.directory, name));
      this.#unsynced.delete(name);
      this.#areNamesUnsynced = true;
    });
  }

  sync(done: (error?: Error) => void): void {
    this.#waiting.push(done);
    if (!this.#isSyncing) this.#sync();
  }

  /** What was asked for and not synced stays where it is. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isSyncing) this.#closeAll();
  }

  #sync(): void {
    this.#isSyncing = true;
    const waiting = this.#waiting.splice(0);
    const files = [...this.#unsynced].map((name) => this.#open(name));
    this.#unsynced.clear();
    let left = files.length + (this.#areNamesUnsynced ? 1 : 0);
    const answered = (error?: Error | null): void => {
      this.#failure ??= error ?? undefined;
      if (--left > 0) return;
      this.#isSyncing = false;
      for (const open of this.#leftOpen.splice(0)) closeSync(open);
      for (const done of waiting) done(this.#failure);
      if (this.#isClosed) this.#closeAll();
      else if (this.#waiting.length > 0 && !this.#isSyncing) this.#sync();
    };
    for (const file of files) fdatasync(file, answered);
    if (this.#areNamesUnsynced) fsync(this.#folder, answered);
    this.#areNamesUnsynced = false;
    if (left === 0) {
      left = 1;
      setImmediate(answered);
    }
  }

  /** The first refusal is kept for whoever syncs next. */
  #attempt(change: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      change();
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  #open(name: string): number {
    let file = this.#files.get(name);
    if (file === undefined) {
      const path = join(this.directory, name);
      const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
      file = openSync(path, isThere ? "r+" : "w+");
      if (!isThere) this.#areNamesUnsynced = true;
      this.#files.set(name, file);
    }
    return file;
  }

  #close(name: string): void {
    const file = this.#files.get(name);
    this.#files.delete(name);
    if (file === undefined) return;
    // A sync under way may still need it.
    if (this.#isSyncing) this.#leftOpen.push(file);
    else closeSync(file);
  }

  #closeAll(): void {
    for (const file of [...this.#files.values(), ...this.#leftOpen.splice(0)]) closeSync(file);
    this.#files.clear();
    closeSync(this.#folder);
  }
}

/** With those above it, durably: a folder's name lasts once the one above is synced. */
function makeFolder(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const above = openSync(dirname(folder), "r");
    fsyncSync(above);
    closeSync(above);
    if (folder === resolve(first)) return;
  }
}
