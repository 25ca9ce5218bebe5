/**
 * A host's disk that loses power. What was not synced may then be lost, torn or reordered as a real disk may: of each sector any
 * earlier content may be what is left, a file may have grown without its data, names may have changed or not, each for itself. All that chance
 * decides comes from the `random` of the cut, so one seed is one outcome.
 *
 * Beneath the names are files proper, as on a real disk: renaming moves a name, not bytes.
 */
import type { HostDisk } from "../../../host-tools/leader/raft/host-disk.ts";

export interface SimulatedDiskOptions {
  /** Calls `complete` later, when the sync asked for now is done: how slow the disk is. Never before it returns. */
  schedule(complete: () => void): void;
  /** A fault of the driver's, for showing that it is found: syncs are answered, but make nothing durable. */
  readonly liesAboutSync?: boolean;
}

/** The smallest unit that a disk writes whole. */
export const sectorBytes = 512;

export class SimulatedDisk implements HostDisk {
  readonly #options: SimulatedDiskOptions;
  /** As a program sees it. */
  readonly #names: Map<string, File>;
  /** As they are on the platter. */
  #durableNames: Map<string, File>;
  #nameChanges: NameChange[] = [];
  /** Operations so far; each sync asked for is one, too. */
  #operations = 0;
  #syncs = 0;
  #cutAfter = Number.POSITIVE_INFINITY;
  #isDead = false;
  #failure: Error | undefined;
  /** What the syncs under way do when they are done; they are answered in turn, whichever is done first. */
  readonly #syncing: (() => void)[] = [];

  constructor(options: SimulatedDiskOptions, names: Map<string, File> = new Map(), durable = new Map(names)) {
    this.#options = options;
    this.#names = names;
    this.#durableNames = durable;
  }

  /** Writes, changes of size and name, and syncs asked for so far. */
  get operations(): number {
    return this.#operations;
  }

  /** Syncs asked for so far. */
  get syncs(): number {
    return this.#syncs;
  }

  /** Whether the power is gone: then nothing that is asked for happens any more, and no sync is answered. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** The power goes when so many operations have been asked for; the next one finds it gone. */
  cutAfter(operations: number): void {
    this.#cutAfter = operations;
  }

  /** All syncs that are not answered yet, and all later ones, are answered with this. */
  fail(error: Error): void {
    this.#failure = error;
  }

  /** Flips a bit of what is durable: no power cut does that. */
  damage(name: string, offsetBytes: number): void {
    for (const file of new Set([this.#names.get(name), this.#durableNames.get(name)]))
      file?.damage(offsetBytes);
  }

  /** Bytes of a file as a program sees them. */
  sizeOf(name: string): number {
    return this.#file(name).bytes.length;
  }

  list(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  read(name: string): Uint8Array {
    return this.#file(name).bytes.slice();
  }

  write(name: string, offsetBytes: number, bytes: Uint8Array): void {
    if (!this.#goesOn()) return;
    let file = this.#names.get(name);
    if (file === undefined) {
      file = new File();
      this.#names.set(name, file);
      this.#nameChanges.push({ from: undefined, to: name, file });
    }
    file.write(offsetBytes, bytes.slice());
  }

  truncate(name: string, sizeBytes: number): void {
    if (this.#goesOn()) this.#file(name).truncate(sizeBytes);
  }

  rename(from: string, to: string): void {
    if (!this.#goesOn()) return;
    const file = this.#file(from);
    this.#names.delete(from);
    this.#names.set(to, file);
    this.#nameChanges.push({ from, to, file });
  }

  remove(name: string): void {
    if (!this.#goesOn()) return;
    const file = this.#file(name);
    this.#names.delete(name);
    this.#nameChanges.push({ from: name, to: undefined, file });
  }

  sync(done: (error?: Error) => void): void {
    this.#syncs++;
    if (!this.#goesOn()) return;
    const files = [...this.#files()].map((file) => ({ file, changes: file.changes }));
    const nameChanges = [...this.#nameChanges];
    this.#syncing.push(() => {
      if (this.#failure === undefined && this.#options.liesAboutSync !== true) {
        for (const { file, changes } of files) file.settle(changes);
        for (const change of nameChanges) this.#settleName(change);
      }
      done(this.#failure);
    });
    this.#options.schedule(() => {
      if (!this.#isDead) this.#syncing.shift()!();
    });
  }

  /** The power fails: the disk as the next start finds it. `random` gives shares from 0 up to, but not including, 1. */
  powerCut(random: () => number, options = this.#options): SimulatedDisk {
    this.#isDead = true;
    // All lost, all there, or each change for itself: the ends are where mistakes are simplest.
    const kind = random();
    const survives = kind < 0.25 ? () => false : kind < 0.5 ? () => true : () => random() < 0.5;
    const names = new Map(this.#durableNames);
    for (const change of this.#nameChanges) if (survives()) applyName(names, change);
    const left = new Map<string, File>();
    for (const [name, file] of names) left.set(name, new File(file.afterCut(survives, random)));
    return new SimulatedDisk(options, left);
  }

  /** The process dies, the computer does not: all is there, what was not synced still is not. */
  processCrash(options = this.#options): SimulatedDisk {
    this.#isDead = true;
    const next = new SimulatedDisk(options, this.#names, this.#durableNames);
    next.#nameChanges = this.#nameChanges;
    return next;
  }

  #goesOn(): boolean {
    if (this.#operations >= this.#cutAfter) this.#isDead = true;
    this.#operations++;
    return !this.#isDead;
  }

  #file(name: string): File {
    const file = this.#names.get(name);
    if (file === undefined) throw new Error(`There is no file ${name}.`);
    return file;
  }

  #files(): Set<File> {
    return new Set([...this.#names.values(), ...this.#nameChanges.map(({ file }) => file)]);
  }

  #settleName(change: NameChange): void {
    const at = this.#nameChanges.indexOf(change);
    if (at < 0) return;
    this.#nameChanges.splice(at, 1);
    applyName(this.#durableNames, change);
  }
}

interface NameChange {
  /** undefined for a new file. */
  readonly from: string | undefined;
  /** undefined for a removed one. */
  readonly to: string | undefined;
  readonly file: File;
}

function applyName(names: Map<string, File>, { from, to, file }: NameChange): void {
  if (from !== undefined && names.get(from) === file) names.delete(from);
  if (to !== undefined) names.set(to, file);
}

/** The bytes of one file, and those on the platter. */
class File {
  readonly #seen: Content;
  readonly #durable: Content;
  #pending: Change[] = [];
  #settled = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#seen = new Content(bytes);
    this.#durable = new Content(bytes);
  }

  get bytes(): Uint8Array {
    return this.#seen.bytes;
  }

  /** Changes made so far. */
  get changes(): number {
    return this.#settled + this.#pending.length;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#change({ offset, bytes, isTruncation: false });
  }

  truncate(size: number): void {
    this.#change({ offset: size, bytes: new Uint8Array(0), isTruncation: true });
  }

  damage(offset: number): void {
    this.#seen.bytes[offset]! ^= 1;
    this.#durable.bytes[offset]! ^= 1;
  }

  /** The first `changes` ever made are durable. */
  settle(changes: number): void {
    const count = changes - this.#settled;
    if (count <= 0) return;
    for (const change of this.#pending.splice(0, count)) this.#durable.apply(change);
    this.#settled = changes;
  }

  /** What is left of it: the sectors of each change that reached the platter. */
  afterCut(survives: () => boolean, random: () => number): Uint8Array {
    const left = new Content(this.#durable.bytes);
    for (const change of this.#pending) {
      if (change.isTruncation) {
        if (survives()) left.apply(change);
        continue;
      }
      const { offset, bytes } = change;
      for (let start = 0; start < bytes.length; ) {
        const end = Math.min(bytes.length, start + sectorBytes - ((offset + start) % sectorBytes));
        const sector = { ...change, offset: offset + start, bytes: bytes.subarray(start, end) };
        if (survives()) left.apply(sector);
        start = end;
      }
      // The file may have grown without its data.
      if (survives() && random() < 0.5) left.grow(offset + bytes.length);
    }
    return left.bytes;
  }

  #change(change: Change): void {
    this.#pending.push(change);
    this.#seen.apply(change);
  }
}

interface Change {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Then the file ends at the offset. */
  readonly isTruncation: boolean;
}

/** Bytes with room to grow. */
class Content {
  #buffer: Uint8Array;
  #size: number;

  constructor(bytes: Uint8Array) {
    this.#buffer = bytes.slice();
    this.#size = bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  apply({ offset, bytes, isTruncation }: Change): void {
    this.grow(offset + bytes.length);
    this.#buffer.set(bytes, offset);
    if (!isTruncation) return;
    this.#buffer.fill(0, offset);
    this.#size = offset;
  }

  /** At least so large, with zeros. */
  grow(size: number): void {
    if (size > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#buffer.length));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#size = Math.max(this.#size, size);
  }
}
