/** A disk in memory: what was written is seen at once, and lost in a crash unless it was synced. */
import type { Entry, HardState, HostLog, RaftOutput } from "../../../../protocols/raft/types.ts";

type Change = Pick<RaftOutput, "hardState" | "truncateFrom" | "entries">;

export class Disk implements HostLog {
  hardState: HardState = { term: 0, vote: undefined };
  #firstIndex = 1;
  #entries: Entry[] = [];
  #durable: Contents = { hardState: this.hardState, entries: [] };
  #unsynced: Change[] = [];

  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** Forgets the entries up to `index`, at most the last; only that its term is known stays. */
  compact(index: number): void {
    this.#firstIndex = Math.max(this.#firstIndex, index + 1);
  }

  get lastIndex(): number {
    return this.#entries.length;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  termAt(index: number): number | undefined {
    if (index === 0) return 0;
    return index < this.#firstIndex - 1 ? undefined : this.#entries[index - 1]?.term;
  }

  entry(index: number): Entry {
    const entry = this.#entries[index - 1];
    if (entry === undefined || index < this.#firstIndex)
      throw new RangeError(`No entry ${index} in a log of ${this.lastIndex}.`);
    return entry;
  }

  write(change: Change): void {
    if (change.hardState === undefined && change.entries.length === 0) return;
    const seen = apply({ hardState: this.hardState, entries: this.#entries }, change);
    this.hardState = seen.hardState;
    this.#entries = seen.entries;
    this.#unsynced.push(change);
  }

  sync(): void {
    for (const change of this.#unsynced.splice(0)) this.#durable = apply(this.#durable, change);
  }

  /** Power fails: of the writes not synced, the first `kept` happen to have arrived. */
  crash(kept = 0): void {
    for (const change of this.#unsynced.splice(0).slice(0, kept))
      this.#durable = apply(this.#durable, change);
    this.hardState = this.#durable.hardState;
    this.#entries = [...this.#durable.entries];
  }

  get unsyncedCount(): number {
    return this.#unsynced.length;
  }
}

interface Contents {
  readonly hardState: HardState;
  readonly entries: Entry[];
}

function apply(contents: Contents, change: Change): Contents {
  const hardState = change.hardState ?? contents.hardState;
  if (change.entries.length === 0) return { hardState, entries: contents.entries };
  const at = change.entries[0]!.index;
  const isGap = at > contents.entries.length + 1;
  const isSilentOverwrite = at <= contents.entries.length && change.truncateFrom !== at;
  if (isGap || isSilentOverwrite) {
    throw new RangeError(
      `Entry ${at} with truncateFrom ${change.truncateFrom} on a log of ${contents.entries.length}.`,
    );
  }
  return { hardState, entries: [...contents.entries.slice(0, at - 1), ...change.entries] };
}
