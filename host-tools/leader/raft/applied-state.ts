/** What a host has applied: the agreed state, how far, and the snapshots that it takes of it on the way. */
import type { Entry, SnapshotItem } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import type { CommandTable } from "./command-table.ts";
import type { HostLog } from "./host-log.ts";
import { compactionEntries, votersKey } from "./host-member-types.ts";

/** Entries applied in one go. */
const appliedTogetherMax = 256;

export class AppliedState {
  readonly state = new StateMap();
  readonly #log: HostLog;
  readonly #commands: CommandTable;
  readonly #compactionEntries: number;
  #index = 0;
  /** The configuration in force at `index`, as a snapshot begins with it. */
  #membership: SnapshotItem | undefined;

  constructor(log: HostLog, commands: CommandTable, every = compactionEntries) {
    this.#log = log;
    this.#commands = commands;
    this.#compactionEntries = every;
  }

  /** The last entry that is applied. */
  get index(): number {
    return this.#index;
  }

  /** Names of the boards that ought to vote; undefined while nobody has said. */
  get voterNames(): readonly string[] | undefined {
    const value = this.state.get(votersKey);
    if (typeof value !== "string") return undefined;
    return value.split(",").filter((name) => name !== "");
  }

  /** Applies some entries up to the commit index and returns them; none when all are applied, or wait behind a snapshot that is being installed. */
  next(commitIndex: number): readonly Entry[] {
    const boundary = this.#index - (this.#index % this.#compactionEntries) + this.#compactionEntries;
    const count = Math.min(commitIndex, boundary) - this.#index;
    if (count <= 0 || this.#index + 1 < this.#log.firstIndex) return [];
    const entries = this.#log.entries(this.#index + 1, Math.min(count, appliedTogetherMax));
    for (const entry of entries) {
      if (entry.kind === EntryKind.membership) this.#membership = itemOf(entry);
      else this.state.apply(entry);
    }
    this.#index += entries.length;
    if (this.#index === boundary) this.#log.compact(this.#index, this.#items());
    return entries;
  }

  /** Becomes what a snapshot at `index` holds. */
  restore(index: number, items: readonly SnapshotItem[]): void {
    this.state.restore(items);
    this.#membership = items.find(({ kind }) => kind === EntryKind.membership);
    this.#index = index;
  }

  #items(): readonly SnapshotItem[] {
    const membership = this.#membership === undefined ? [] : [this.#membership];
    const puts = this.state.sortedKeys().map((key) => this.state.item(key));
    return [...membership, ...puts, ...this.#commands.items(this.#index)];
  }
}

function itemOf({ kind, version, data }: Entry): SnapshotItem {
  return { kind, version, data };
}
