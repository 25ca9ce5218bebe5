/**
 * What a board must not forget: who it is, its term and vote, its log, the agreed state and its checkpoint, in one region of
 * flash.
 *
 * Everything is a record in one log (`SectorLog`), in the order in which it happened. Each sector begins with a summary, so
 * what happened before the oldest sector is needed no more, but for records that still count: values of keys, entries that
 * the log holds, the parts of the checkpoint. Cleaning copies those from the oldest sector to the end, a few a turn, and
 * gives that sector back.
 *
 * What is acknowledged is in flash. A record cut short by the power was never promised to anyone, and is passed over. Anything
 * else that is not as it was written is damage, and then nothing is believed: the store starts empty under a new
 * incarnation, and says so. Damage that is found later, where a value is read, is noted in flash by `condemn`, so that the
 * next start finds it.
 *
 * An entry's record becomes the place of its key's value when it is applied, and stays that until something newer replaces it.
 * A snapshot is received as records beside all this, and is the state from the moment that a sector's header says so.
 */
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import type { Sha256 } from "../../protocols/raft/chain.ts";
import type { Configuration } from "../../protocols/raft/confchange.ts";
import { configurationFromEntry } from "../../protocols/raft/membership.ts";
import type {
  Entry,
  HardState,
  MemberId,
  Message,
  Publication,
  RaftLog,
  RaftOutput,
  SnapshotChunk,
  SnapshotItems,
  SnapshotPlace,
  StagedSnapshot,
} from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import { utf8Length } from "../../protocols/text/utf8.ts";
import type { FlashRegion, Random } from "../platform/ports.ts";
import { applyEntries, applySeveral, installStaged } from "./applying.ts";
import type { StateListener } from "./committing.ts";
import { sizeOf } from "./place.ts";
import { type OwnKind, RecordKind } from "./record.ts";
import { noData } from "./sector-headers.ts";
import { reservedSectors } from "./sector-log.ts";
import { SnapshotReader } from "./snapshot-reader.ts";
import { StoreCleaning } from "./store-cleaning.ts";
import { StoreContents, type StoreOwner } from "./store-contents.ts";
import { type Recovery, recover } from "./store-recovery.ts";
import { StoreRoom, storeLimits } from "./store-room.ts";
import { entryFrom, keyBytesOf, storedNameBytesMax } from "./stored-values.ts";

export type { StateListener } from "./committing.ts";
export type { StoreOwner } from "./store-contents.ts";
export type { Recovery } from "./store-recovery.ts";
export { storeLimits } from "./store-room.ts";

export class BoardStore implements RaftLog {
  readonly recovery: Recovery;
  readonly #contents: StoreContents;
  readonly #cleaning: StoreCleaning;
  readonly #room: StoreRoom;
  readonly #snapshots: SnapshotReader;
  #configuration: Configuration | undefined;
  /** When it was read, in changes of the memberships. */
  #configurationAsOf = -1;

  /**
   * Recovers what `flash` holds, or formats it. Throws `RangeError` for a region that is too small, or a name of
   * more than `storedNameBytesMax` bytes.
   */
  constructor(flash: FlashRegion, owner: StoreOwner, random: Random, sha256: Sha256) {
    if (Math.max(utf8Length(owner.swarm), utf8Length(owner.board)) > storedNameBytesMax) {
      throw new RangeError(`The names ${owner.swarm} and ${owner.board} are too long for the flash.`);
    }
    this.#contents = new StoreContents(flash, owner, sha256);
    this.#cleaning = new StoreCleaning(this.#contents);
    this.#room = new StoreRoom(this.#contents, this.#cleaning);
    this.#snapshots = new SnapshotReader(this.#contents);
    this.recovery = recover(this.#contents);
    if (this.recovery.kind !== "recovered") this.format(random);
  }

  get memberId(): MemberId {
    return `${this.#contents.owner.board}.${this.#contents.incarnation}`;
  }

  get hardState(): HardState {
    return this.#contents.hardState;
  }

  /** Every entry up to here is committed and applied. */
  get appliedIndex(): number {
    return this.#contents.entries.appliedIndex;
  }

  get firstIndex(): number {
    return this.#contents.entries.firstIndex;
  }

  get lastIndex(): number {
    return this.#contents.entries.lastIndex;
  }

  termAt(index: number): number | undefined {
    return this.#contents.entries.termAt(index);
  }

  hashAt(index: number): Uint8Array | undefined {
    return this.#contents.entries.hashAt(index);
  }

  /** Throws `FlashDamaged`. */
  entry(index: number): Entry {
    return this.#contents.entries.entry(index);
  }

  /** The applied state, which is there at any time. */
  get snapshot(): SnapshotPlace | undefined {
    const { appliedIndex } = this;
    return appliedIndex === 0 ? undefined : this.#contents.entries.placeAt(appliedIndex);
  }

  /** Throws `FlashDamaged`. */
  snapshotItems(index: number, to: MemberId, first: number, bytesMax: number): SnapshotItems | undefined {
    return this.#snapshots.items(index, to, first, bytesMax);
  }

  get staged(): StagedSnapshot | undefined {
    return this.#contents.staged.staged;
  }

  /** Who belongs to the group, by the latest entry that says so; undefined when none is known that this firmware can read. Throws `FlashDamaged`. */
  get configuration(): Configuration | undefined {
    const { memberships, log } = this.#contents;
    if (memberships.changes !== this.#configurationAsOf) {
      const place = memberships.latest;
      const entry = place === 0 ? undefined : entryFrom(log.read(place));
      this.#configuration = entry && configurationFromEntry(entry.version, entry.data);
      this.#configurationAsOf = memberships.changes;
    }
    return this.#configuration;
  }

  /** Whether this member votes, as far as it knows. */
  get isVoter(): boolean {
    const { configuration, memberId } = this;
    if (configuration === undefined) return false;
    return configuration.voters.includes(memberId) || configuration.outgoing.includes(memberId);
  }

  /** Number of keys in the agreed state. */
  get size(): number {
    return this.#contents.state.size;
  }

  /** The committed value of `key`. Throws `FlashDamaged`. */
  get(key: string): StateValue | undefined {
    return this.#contents.state.get(key);
  }

  /** Covey's own keys of the agreed state that begin with `prefix`, in no order. Reads the start of each one's record. Throws `FlashDamaged`. */
  reservedKeysWith(prefix: string): string[] {
    const { state } = this.#contents;
    const keys: string[] = [];
    for (let number = 0; number < state.size; number++) {
      if (!state.isReserved(number)) continue;
      const key = String.fromCharCode.apply(null, Array.from(keyBytesOf(state.startOf(number))));
      if (key.startsWith(prefix)) keys.push(key);
    }
    return keys;
  }

  /** Sector erases since the flash was new, as far as is known; spread evenly over its sectors. */
  get erases(): number {
    return this.#contents.log.erases;
  }

  get sectors(): number {
    return this.#contents.log.sectors;
  }

  // Raft.

  /**
   * Makes room for whatever a step of `message` may ask to be written. False when there is none even after cleaning: then the
   * message must be dropped before the core sees it.
   */
  makeRoom(message: Message | Publication | undefined): boolean {
    return this.#room.make(message);
  }

  /**
   * Makes hard state, truncation, entries and a part of a snapshot durable, in this order; `makeRoom` said yes to the message
   * before. True when that made a snapshot the state: whoever keeps a value of it must read it anew.
   */
  write(output: RaftOutput): boolean {
    const { hardState, truncateFrom, entries, snapshot } = output;
    const contents = this.#contents;
    contents.log.hold();
    if (hardState !== undefined) this.writeHardState(hardState);
    if (truncateFrom > 0) this.truncate(truncateFrom);
    for (let i = 0; i < entries.length; i++) this.append(entries[i]!);
    if (snapshot !== undefined) this.stage(snapshot);
    contents.log.release();
    const isInstalled = snapshot?.isLast ?? false;
    if (isInstalled) installStaged(contents);
    return isInstalled;
  }

  /** Makes the commit index durable after what it newly covers, and tells what that changed. */
  commit(index: number, listener: StateListener): void {
    const target = Math.min(index, this.lastIndex);
    while (this.appliedIndex < target) {
      this.#room.make(undefined);
      if (applyEntries(this.#contents, target, listener)) continue;
      // Without room it waits, as the entries behind it do, until a later call finds some.
      if (!applySeveral(this.#contents, this.#room, listener)) return;
    }
  }

  // The board's own.

  /** How often in a row the board has crashed, as `noteCrashes` was last told. */
  get crashes(): number {
    return this.#contents.crashes;
  }

  noteCrashes(crashes: number): void {
    if (crashes === this.#contents.crashes) return;
    this.#room.make(undefined);
    this.#contents.crashes = crashes;
    this.#contents.log.append(RecordKind.crashes, crashes, 0);
  }

  /** Number of parts of the latest checkpoint, 0 for none. */
  get checkpointParts(): number {
    return this.#contents.checkpoint.count;
  }

  /** Throws `FlashDamaged`. */
  checkpointPart(part: number): Uint8Array {
    return this.#contents.checkpoint.part(this.#contents.log, part);
  }

  /** Replaces the latest checkpoint, wholly or not at all. False when the flash has no room for it. */
  saveCheckpoint(parts: readonly Uint8Array[]): boolean {
    const contents = this.#contents;
    const { log, checkpoint } = contents;
    if (!this.#room.makeForParts(parts)) return false;
    const before = checkpoint.liveBytes();
    log.hold();
    checkpoint.write(log, parts);
    log.release();
    contents.liveBytes += checkpoint.liveBytes() - before;
    return true;
  }

  /** What is kept; not to be used before it is taken. Throws `FlashDamaged`. */
  get kept(): Uint8Array | undefined {
    return this.#contents.keptUnder(RecordKind.kept)?.read(this.#contents.log);
  }

  /** Keeps `bytes`, at least one, for a single `takeKept`, in place of what was kept. False when the flash has no room for them. */
  keep(bytes: Uint8Array): boolean {
    if (!this.#room.makeForParts([bytes])) return false;
    this.replaceKept(RecordKind.kept, bytes);
    return true;
  }

  /**
   * What was kept, once: that it is taken is durable before this returns. undefined when nothing is kept, or that can't be made
   * durable. Throws `FlashDamaged`.
   */
  takeKept(): Uint8Array | undefined {
    const bytes = this.kept;
    if (bytes === undefined || !this.#room.make(undefined)) return undefined;
    this.replaceKept(RecordKind.kept, noData);
    return bytes;
  }

  /** What the board last kept for itself under this kind; undefined for nothing. Throws `FlashDamaged`. */
  own(kind: OwnKind): Uint8Array | undefined {
    return this.#contents.keptUnder(kind)?.read(this.#contents.log);
  }

  /** Keeps `bytes`, durable when this returns, in place of what was kept under this kind; none for nothing. False when the flash has no room for them. */
  keepOwn(kind: OwnKind, bytes: Uint8Array): boolean {
    if (!this.#room.makeForParts([bytes])) return false;
    this.replaceKept(kind, bytes);
    return true;
  }

  /** Notes that the flash is not to be believed, so that the next start does not. */
  condemn(what: string): void {
    const { log } = this.#contents;
    log.append(RecordKind.condemned, 0, 0, encodeCbor(what.slice(0, condemnedLengthMax)));
    log.release();
  }

  /** Does a little of the cleaning that is to come, so that no turn has to do much. True when it did something. */
  tidy(): boolean {
    const { log, liveBytes } = this.#contents;
    const isWorthIt =
      log.freeSectors <= reservedSectors + Math.floor(log.sectors / 16) &&
      log.usedSectors * log.roomBytes - liveBytes > 2 * log.roomBytes;
    if (isWorthIt) this.#cleaning.some(storeLimits.tidyLooks, storeLimits.tidyCopies);
    return isWorthIt;
  }

  private replaceKept(kind: number, bytes: Uint8Array): void {
    const contents = this.#contents;
    const kept = contents.keepUnder(kind);
    const before = kept.liveBytes;
    kept.write(contents.log, bytes);
    contents.liveBytes += kept.liveBytes - before;
  }

  private writeHardState(hardState: HardState): void {
    const { term, vote } = hardState;
    this.#contents.hardState = hardState;
    const data = vote === undefined ? noData : encodeCbor(vote);
    this.#contents.log.append(RecordKind.hardState, term, 0, data);
  }

  /** The next sector's header makes entries from `index` on in the sectors before it void. */
  private truncate(index: number): void {
    const { entries, memberships, log } = this.#contents;
    this.#contents.liveBytes -= entries.truncateFrom(index);
    memberships.truncateFrom(index);
    log.openSector(index);
  }

  private append(entry: Entry): void {
    const { entries, memberships } = this.#contents;
    const place = entries.append(entry);
    if (entry.kind === EntryKind.membership) memberships.push(entry.index, place);
    this.#contents.liveBytes += sizeOf(place);
  }

  private stage(chunk: SnapshotChunk): void {
    const contents = this.#contents;
    const { staged, log } = contents;
    const { index, indexTerm, hash, first, items } = chunk;
    if (first === 0) {
      contents.dropStaged();
      staged.restart({ index, term: indexTerm, hash, from: log.nextSequence });
      log.openSector(0);
    }
    const before = staged.bytes;
    for (const item of items) staged.append(item);
    contents.liveBytes += staged.bytes - before;
  }

  /** Starts anew: a new incarnation, an empty log, an empty state. */
  private format(random: Random): void {
    const seed = new Uint8Array(4);
    random.fill(seed);
    let incarnation = "";
    for (const byte of seed) incarnation += (byte + 0x100).toString(16).slice(1);
    this.#contents.clear();
    this.#contents.incarnation = incarnation;
    this.#contents.log.format();
  }
}

const condemnedLengthMax = 100;
