import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Sha256 } from "../../protocols/raft/chain.ts";
import { emptyChain } from "../../protocols/raft/chain.ts";
import type { HardState } from "../../protocols/raft/types.ts";
import type { FlashRegion } from "../platform/ports.ts";
import { AgreedState } from "./agreed-state.ts";
import { CheckpointParts } from "./checkpoint-parts.ts";
import { EntryLog } from "./entry-log.ts";
import { KeptBytes } from "./kept-bytes.ts";
import { Memberships } from "./memberships.ts";
import { sizeOf } from "./place.ts";
import { RecordKind } from "./record.ts";
import { type HeaderSource, reservedSectors, SectorLog } from "./sector-log.ts";
import { StagedItems } from "./staged-items.ts";
import { headerToStored, type Installation } from "./stored-values.ts";

/** Whose store it is; flash that belonged to another swarm or board is formatted. */
export interface StoreOwner {
  readonly swarm: string;
  readonly board: string;
}

/** What is in a board's flash and still counts, and where. In RAM are numbers and places, never what the records say. */
export class StoreContents implements HeaderSource {
  readonly owner: StoreOwner;
  readonly log: SectorLog;
  readonly entries: EntryLog;
  readonly state: AgreedState;
  readonly memberships = new Memberships();
  readonly checkpoint = new CheckpointParts();
  /** One for each kind of record under which the board ever kept anything for itself. */
  readonly #kept: KeptBytes[] = [];
  readonly staged: StagedItems;
  incarnation = "";
  hardState: HardState = noVote;
  crashes = 0;
  installed: Installation = neverInstalled;
  /** Bytes of all records that count. */
  liveBytes = 0;

  constructor(flash: FlashRegion, owner: StoreOwner, sha256: Sha256) {
    this.owner = owner;
    this.log = new SectorLog(flash, this);
    this.entries = new EntryLog(this.log, sha256);
    this.state = new AgreedState(this.log);
    this.staged = new StagedItems(this.log);
  }

  /** Records that count may take three quarters of what cleaning does not need for itself. */
  get capacityBytes(): number {
    return (this.log.sectors - reservedSectors) * this.log.roomBytes * 0.75;
  }

  /** For the log. */
  headerValue(): CborValue {
    const { swarm, board } = this.owner;
    const { incarnation, hardState, crashes, installed } = this;
    const { appliedIndex, lastIndex, base } = this.entries;
    const { hasCollisions } = this.state;
    const staging = this.staged.snapshot;
    const own = { swarm, board, incarnation, hardState, crashes };
    return headerToStored({ ...own, appliedIndex, lastIndex, base, hasCollisions, staging, installed });
  }

  /** As of a new member. */
  clear(): void {
    this.hardState = noVote;
    this.crashes = 0;
    this.installed = neverInstalled;
    this.entries.restart({ index: 0, term: 0, hash: emptyChain() });
    this.state.clear();
    this.state.hasCollisions = false;
    this.memberships.clear();
    this.checkpoint.clear();
    this.#kept.length = 0;
    this.staged.restart(undefined);
    this.liveBytes = 0;
  }

  /** What the board keeps for itself under this kind of record; undefined where it never did. */
  keptUnder(kind: number): KeptBytes | undefined {
    for (let i = 0; i < this.#kept.length; i++) if (this.#kept[i]!.kind === kind) return this.#kept[i];
    return undefined;
  }

  /** The same, from now on. */
  keepUnder(kind: number): KeptBytes {
    let kept = this.keptUnder(kind);
    if (kept === undefined) {
      kept = new KeptBytes(kind);
      this.#kept.push(kept);
    }
    return kept;
  }

  /** Counts anew what has been counted step by step before. */
  countLiveBytes(): void {
    const { firstIndex, lastIndex } = this.entries;
    let bytes = this.state.bytesBeside(this.entries) + this.checkpoint.liveBytes() + this.staged.bytes;
    for (let i = 0; i < this.#kept.length; i++) bytes += this.#kept[i]!.liveBytes;
    for (let index = firstIndex; index <= lastIndex; index++) bytes += sizeOf(this.entries.placeOf(index));
    this.liveBytes = bytes + this.memberships.bytesBefore(firstIndex);
  }

  /** Lets the log begin behind `baseIndex`, which is applied: one record, then what is in RAM. */
  moveBase(baseIndex: number): void {
    const { term, hash } = this.entries.placeAt(baseIndex);
    this.log.append(RecordKind.base, baseIndex, term, hash);
    while (this.entries.firstIndex <= baseIndex) {
      const place = this.entries.placeOf(this.entries.firstIndex);
      this.entries.shift();
      const { kind, tag } = this.log.readHead(place);
      const isValue = kind === RecordKind.put && this.state.holds(tag, place);
      if (!isValue && !this.memberships.holds(place)) this.liveBytes -= sizeOf(place);
    }
  }

  /** Drops what was received of a snapshot, if anything. */
  dropStaged(): void {
    this.liveBytes -= this.staged.bytes;
    this.staged.restart(undefined);
  }
}

export const noVote: HardState = Object.freeze({ term: 0, vote: undefined });
const neverInstalled: Installation = Object.freeze({ index: 0, sequence: 0, itemsFrom: 0 });
