/** A member's disk in memory: what is written is seen at once, and lost in a crash unless it was synced. */
import type { Entry, HardState, HostLog, RaftOutput } from "../../protocols/raft/types.ts";

type Write = Pick<RaftOutput, "hardState" | "truncateFrom" | "entries">;

interface Contents {
  readonly hardState: HardState;
  /** From `firstIndex` on. */
  readonly entries: readonly Entry[];
}

export class MemoryLog implements HostLog {
  #firstIndex: number;
  /** Term of the entry before `firstIndex`. */
  #baseTerm: number;
  #seen: Contents;
  #durable: Contents;
  #unsynced: Write[] = [];

  constructor(firstIndex: number, baseTerm: number) {
    this.#firstIndex = firstIndex;
    this.#baseTerm = baseTerm;
    this.#durable = { hardState: { term: baseTerm, vote: undefined }, entries: [] };
    this.#seen = this.#durable;
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  get lastIndex(): number {
    return this.#firstIndex - 1 + this.#seen.entries.length;
  }

  get hardState(): HardState {
    return this.#seen.hardState;
  }

  get unsyncedCount(): number {
    return this.#unsynced.length;
  }

  termAt(index: number): number | undefined {
    if (index === this.#firstIndex - 1) return this.#baseTerm;
    return this.#seen.entries[index - this.#firstIndex]?.term;
  }

  entry(index: number): Entry {
    const entry = this.#seen.entries[index - this.#firstIndex];
    if (entry === undefined) {
      throw new RangeError(
        `Entry ${index} is not in the log, which holds ${this.#firstIndex} to ${this.lastIndex}.`,
      );
    }
    return entry;
  }

  write(write: Write): void {
    if (write.hardState === undefined && write.entries.length === 0) return;
    this.#seen = this.#after(this.#seen, write);
    this.#unsynced.push(write);
  }

  sync(): void {
    this.#durable = this.#seen;
    this.#unsynced = [];
  }

  /** Power fails: of the writes not synced the first `kept` have arrived. */
  crash(kept: number): void {
    for (const write of this.#unsynced.splice(0).slice(0, kept))
      this.#durable = this.#after(this.#durable, write);
    this.#seen = this.#durable;
  }

  /** Drops what is durable up to `index`, which the log must hold. */
  compact(index: number): void {
    const baseTerm = this.termAt(index);
    if (baseTerm === undefined) throw new RangeError(`Entry ${index} is not in the log.`);
    const dropped = index + 1 - this.#firstIndex;
    this.#durable = { ...this.#durable, entries: this.#durable.entries.slice(dropped) };
    this.#seen = { ...this.#seen, entries: this.#seen.entries.slice(dropped) };
    this.#firstIndex = index + 1;
    this.#baseTerm = baseTerm;
  }

  #after(contents: Contents, { hardState, entries }: Write): Contents {
    const first = entries[0]?.index ?? this.#firstIndex + contents.entries.length;
    const kept = contents.entries.slice(0, first - this.#firstIndex);
    return { hardState: hardState ?? contents.hardState, entries: [...kept, ...entries] };
  }
}
