/**
 * Readings kept on boards under faults, in virtual time: three hosts that agree by the Raft that ships, each with the keeping that ships and its blocks in SQLite; seven boards with
 * the keeper that ships, on flash in memory, in four zones; four boards that report. Messages are late, lost and doubled, links are cut, hosts and boards lose their power, boards are drained,
 * hosts come back with an empty disk for their blocks, and boards are reflashed: each time one that, as far as the agreed state says, others have whole copies of.
 *
 * No block that a host has let go of is ever on no board; the keepers of a board are in different zones; no number is given to two blocks. When all is well again, every
 * board has as many whole copies as it asks for, each with every block, and what is read back is what was taken.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import type { HostFrame, KeepingFrame } from "../../../host-tools/leader/hosts/host-frames.ts";
import { Keeping, keepingTimes } from "../../../host-tools/leader/keeping/keeping.ts";
import { Outbox, type Waiting } from "../../../host-tools/leader/keeping/outbox.ts";
import { AgreedState } from "../../../host-tools/leader/state/agreed-state.ts";
import type { BoardDefinition } from "../../../host-tools/swarm-file/definition.ts";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { type Shelf, shelfFromWire, shelfKeyPrefix } from "../../../protocols/keeping/shelf.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { BlockMode } from "../../../protocols/series/block.ts";
import { changesOf } from "../../../protocols/state/apply.ts";
import { drainedKey, drainedToWire } from "../../../protocols/tasks/drained.ts";
import { type Host, HostWorld, smallSizes } from "../../host-tools/leader/raft/host-world.ts";
import { KeeperBoard } from "./keeper-board.ts";

export interface KeepRunResult {
  readonly placed: number;
  readonly copied: number;
  readonly reflashed: number;
  readonly shelves: number;
}

/** Something was lost, or is not where it is said to be. */
export class KeepViolation extends Error {
  override readonly name = "KeepViolation";
}

const hostNames = ["a", "b", "c"];
const keeperZones = {
  k1: "north",
  k2: "north",
  k3: "south",
  k4: "south",
  k5: "east",
  k6: "east",
  k7: "west",
};
const copies = { p1: 2, p2: 2, p3: 3, p4: 2 };
const lostAfterMs = 10_000;
const faultsMs = 150_000;
const quietMs = 60_000;

const boards = Object.fromEntries([
  ...Object.entries(keeperZones).map(([name, zone]) => [
    name,
    { place: { zone, has: [], onBattery: false, weight: 1, keeps: true } },
  ]),
  ...Object.entries(copies).map(([name, count]) => [name, { kept: { copies: count, metrics: ["temp"] } }]),
]) as Record<string, BoardDefinition>;

/** Runs one seed. Rejects with `KeepViolation`. */
export async function runKeeping(seed: number): Promise<KeepRunResult> {
  // What is durable is not the question here: a disk in memory, where there is one, is as good.
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "covey-keep-"));
  const run = new KeepRun(seed, folder);
  try {
    return await run.run();
  } finally {
    run.close();
    rmSync(folder, { recursive: true });
  }
}

interface HostKeeping {
  readonly keeping: Keeping;
  readonly state: AgreedState;
  readonly member: unknown;
  readonly outbox: WatchedOutbox;
  taken: number;
  restored: number;
}

class KeepRun {
  readonly #world: HostWorld;
  readonly #folder: string;
  readonly #keepings = new Map<string, HostKeeping>();
  readonly #keepers: KeeperBoard[];
  readonly #homes = new Map<string, string>();
  readonly #cut = new Set<string>();
  readonly #disks = new Map<string, number>();
  /** All that was committed, by index from 1. */
  readonly #entries: Entry[] = [];
  readonly #shelves = new Map<string, Shelf>();
  /** What hosts let go of, by `series#number`. */
  readonly #placed = new Map<string, KeptBlock>();
  /** Every block that was ever sent, by `series#number`. */
  readonly #sent = new Map<string, string>();
  readonly #drained = new Set<string>();
  #shelvesAgreed = 0;
  #reflashed = 0;
  #copied = 0;
  #isQuiet = false;
  #violation: KeepViolation | undefined;
  #value = 0;

  constructor(seed: number, folder: string) {
    this.#folder = folder;
    this.#world = new HostWorld({ seed, hostNames, sizes: smallSizes, loss: 0.01 });
    const { random } = this.#world;
    this.#keepers = Object.entries(keeperZones).map(
      ([name, zone]) => new KeeperBoard(name, zone, this.#pick(hostNames), 128, random),
    );
    for (const name of Object.keys(copies)) this.#homes.set(name, this.#pick(hostNames));
  }

  async run(): Promise<KeepRunResult> {
    const world = this.#world;
    world.startAll();
    this.#every(keepingTimes.lookEveryMs, () => this.#look());
    for (const board of Object.keys(copies)) this.#every(700, () => this.#report(board));
    this.#every(2_000, () => this.#mischief());
    await this.#until(faultsMs);
    this.#calm();
    await this.#until(faultsMs + quietMs);
    await this.#expectAllWhole();
    return {
      placed: this.#placed.size,
      copied:
        this.#copied +
        [...this.#keepings.values()].reduce((sum, { keeping }) => sum + keeping.mending.copied, 0),
      reflashed: this.#reflashed,
      shelves: this.#shelvesAgreed,
    };
  }

  close(): void {
    for (const { outbox } of this.#keepings.values()) outbox.close();
  }

  async #until(endMs: number): Promise<void> {
    while (this.#world.nowMs < endMs) {
      this.#world.step();
      await settled();
      this.#collect();
      if (this.#violation !== undefined) throw this.#violation;
    }
  }

  #every(periodMs: number, act: () => void): void {
    const again = () => {
      act();
      this.#world.after(periodMs, again);
    };
    this.#world.after(Math.floor(this.#world.random() * periodMs), again);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#world.random() * from.length)]!;
  }

  // Hosts.

  #keepingOf(host: Host): HostKeeping {
    const known = this.#keepings.get(host.name);
    if (known !== undefined && known.member === host.member) return known;
    if (known !== undefined) {
      this.#copied += known.keeping.mending.copied;
      known.keeping.stop();
      known.outbox.close();
    }
    const { member, name } = host;
    const world = this.#world;
    const state = new AgreedState();
    const disk = this.#disks.get(name) ?? 0;
    const draw = () =>
      Math.floor(world.random() * 36 ** 6)
        .toString(36)
        .padStart(6, "0");
    const outbox = new WatchedOutbox(join(this.#folder, `${name}-${disk}.sqlite`), draw, (block) =>
      this.#letGo(block),
    );
    const isHere = () => host.member === member && member !== undefined;
    const keeping = new Keeping({
      definition: { boards, keeping: { lostAfterMs } },
      ...{ hostName: name, state, outbox },
      replica: {
        get isLeader() {
          return isHere() && member!.isLeader;
        },
        get term() {
          return member!.term;
        },
        readIndex: () =>
          new Promise((resolve, reject) => {
            if (!isHere()) return reject(new Error("down"));
            member!.read(world.nowMs, (outcome) => {
              if (outcome instanceof Error) return reject(outcome);
              this.#follow(host);
              resolve(outcome);
            });
          }),
      },
      leaderHost: () => {
        const { leaderId } = member!.status(world.nowMs);
        const leader = leaderId?.split(".")[0];
        return leader === undefined || leader === name || !this.#reaches(name, leader) ? undefined : leader;
      },
      boardOf: (board) => {
        const keeper = this.#keeper(board);
        return { memberId: keeper.memberId, isUp: this.#isUp(keeper, name), isWell: true };
      },
      sendToBoard: (board, payload) => this.#toBoard(host, board, payload),
      sendToHost: (to, frame) => {
        this.#toHost(host, to, frame);
        return true;
      },
      tellHosts: (frame) => {
        for (const to of hostNames) if (to !== name) this.#toHost(host, to, frame);
      },
      put: (key, value, expected) =>
        isHere()
          ? world.propose(name, { key, value, expected: { value: expected } })
          : Promise.reject(new Error("down")),
      addPast: (readings) => readings.length,
      log: { info: () => {}, warn: () => {} },
      nowMs: () => world.nowMs,
      sleep: (ms) => new Promise((resolve) => world.after(ms, resolve)),
      draw: () => Math.floor(world.random() * 2 ** 32),
      limits: { retryMs: 1_000, roundMs: 30_000, paceMs: 20 },
    });
    const fresh = { keeping, state, member, outbox, taken: 0, restored: -1 };
    this.#keepings.set(name, fresh);
    return fresh;
  }

  /** Brings the state that keeping sees to where the host's is. */
  #follow(host: Host): HostKeeping {
    const keeping = this.#keepingOf(host);
    if (keeping.restored !== host.restored) {
      keeping.restored = host.restored;
      keeping.state.restore(host.member!.state, host.member!.appliedIndex);
      keeping.taken = host.applied.length;
    }
    if (keeping.taken < host.applied.length) {
      keeping.state.apply(host.applied.slice(keeping.taken));
      keeping.taken = host.applied.length;
    }
    return keeping;
  }

  #look(): void {
    for (const host of this.#world.hosts.values()) {
      if (host.member !== undefined) this.#follow(host).keeping.look();
    }
  }

  #reaches(from: string, to: string): boolean {
    return from === to || !this.#world.host(from).cutOff.has(to);
  }

  // What goes from one to another.

  #keeper(name: string): KeeperBoard {
    return this.#keepers.find((one) => one.name === name)!;
  }

  #isUp(board: KeeperBoard, host: string): boolean {
    return (
      board.isOn && !this.#cut.has(board.name) && this.#reaches(board.home, host) && this.#isOn(board.home)
    );
  }

  #isOn(host: string): boolean {
    return this.#world.host(host).member !== undefined;
  }

  #toBoard(from: Host, name: string, payload: Uint8Array): boolean {
    const board = this.#keeper(name);
    if (!this.#isUp(board, from.name)) return false;
    const { home, life, memberId } = board;
    this.#note(payload);
    this.#later(() => {
      if (!this.#isUp(board, from.name) || board.life !== life || board.home !== home) return;
      const answer = board.answer(payload);
      this.#later(() => {
        // Only while this member is the one that is connected: a late answer of the one before comes on no connection.
        if (board.memberId !== memberId) return;
        for (const host of this.#world.hosts.values()) {
          if (host.member === undefined || !this.#reaches(home, host.name) || !this.#isOn(home)) continue;
          this.#follow(host).keeping.takeAnswer(name, answer);
        }
      });
    });
    return true;
  }

  #toHost(from: Host, to: string, frame: HostFrame): void {
    const sender = from.member;
    this.#later(() => {
      const host = this.#world.host(to);
      if (from.member !== sender || host.member === undefined || !this.#reaches(from.name, to)) return;
      this.#follow(host).keeping.takeFrame(from.name, frame as KeepingFrame);
    });
  }

  /** Mostly soon, sometimes late, sometimes never, sometimes twice. */
  #later(act: () => void): void {
    const { random } = this.#world;
    const luck = this.#isQuiet ? 1 : random();
    if (luck < 0.02) return;
    const delay = () => 1 + Math.floor(random() * (luck < 0.1 ? 6_000 : 60));
    this.#world.after(delay(), act);
    if (luck > 0.98 && luck < 1) this.#world.after(delay(), act);
  }

  /** No number for two blocks. */
  #note(payload: Uint8Array): void {
    const value = decodeCbor(payload) as [
      number,
      number,
      number,
      [string, number, number, number, Uint8Array][],
    ];
    if (value[1] !== 0) return;
    for (const [series, number, firstMs, , bytes] of value[3]) {
      const key = `${series}#${number}`;
      const text = `${firstMs} ${Buffer.from(bytes).toString("hex")}`;
      const before = this.#sent.get(key);
      // Whoever sends it would take what is thrown here for its own failure.
      if (before !== undefined && before !== text)
        this.#violation ??= new KeepViolation(`${key} is two blocks.`);
      this.#sent.set(key, text);
    }
  }

  // Boards that report.

  #report(board: string): void {
    const host = this.#world.host(this.#homes.get(board)!);
    if (host.member === undefined) return;
    const value = this.#value++;
    const startMs = Math.round(this.#world.nowMs);
    const block = {
      ...{ metric: "temp", startMs, stepMs: 100, mode: BlockMode.decimal, scale: 0, first: value },
      ...{ count: 1, bits: new Uint8Array(0) },
    };
    this.#follow(host).keeping.takeBlock(board, { block, firstMs: startMs, lastMs: startMs });
  }

  // Faults.

  #mischief(): void {
    if (this.#isQuiet) return;
    const { random } = this.#world;
    const world = this.#world;
    const board = this.#pick(this.#keepers);
    const host = world.host(this.#pick(hostNames));
    const what = random();
    if (what < 0.12) board.powerOff();
    else if (what < 0.3) for (const one of this.#keepers) one.powerOn();
    else if (what < 0.36) this.#cut.add(board.name);
    else if (what < 0.45) this.#cut.clear();
    else if (what < 0.52) board.home = this.#pick(hostNames);
    else if (what < 0.57) this.#homes.set(this.#pick([...this.#homes.keys()]), this.#pick(hostNames));
    else if (what < 0.72) this.#reflash(board);
    else if (what < 0.77) for (const other of hostNames) if (other !== host.name) world.cut(host.name, other);
    if (what >= 0.77 && what < 0.86) world.heal();
    if (what >= 0.86 && what < 0.9 && host.member !== undefined) this.#powerCut(host);
    if (what >= 0.9 && what < 0.95) this.#startHosts();
    if (what >= 0.95) this.#drain(board.name);
  }

  #powerCut(host: Host): void {
    this.#world.powerCut(host.name);
    const lost = this.#keepings.get(host.name);
    if (lost !== undefined && this.#world.random() < 0.3) {
      this.#disks.set(host.name, (this.#disks.get(host.name) ?? 0) + 1);
    }
  }

  /** Only what others have: as somebody who looks at `covey keep list` first. */
  #reflash(board: KeeperBoard): void {
    if (!board.isOn) return;
    for (const shelf of this.#shelves.values()) {
      if (![...shelf.keepers, ...shelf.former].some((one) => one.board === board.name)) continue;
      const others = shelf.keepers.filter(({ board: name, ring, isWhole }) => {
        return name !== board.name && isWhole && this.#keeper(name).ring === ring;
      });
      if (others.length === 0) return;
    }
    board.reflash();
    this.#reflashed++;
    this.#expectNothingLost(board.name);
  }

  #drain(board: string): void {
    if (!this.#drained.delete(board)) this.#drained.add(board);
    if (this.#drained.size > 2) this.#drained.clear();
    const { leader } = this.#world;
    if (leader === undefined) return;
    const value = encodeCbor(drainedToWire([...this.#drained]));
    this.#world.propose(leader.name, { key: drainedKey, value }).catch(() => {});
  }

  #startHosts(): void {
    for (const host of this.#world.hosts.values()) {
      if (host.member === undefined) this.#world.start(host.name);
    }
  }

  #calm(): void {
    this.#isQuiet = true;
    this.#world.heal();
    this.#startHosts();
    this.#cut.clear();
    for (const board of this.#keepers) board.powerOn();
    this.#drained.clear();
    this.#world.after(5_000, () => this.#drain("k7"));
  }

  // What must hold.

  #letGo(block: KeptBlock): void {
    this.#placed.set(`${block.series}#${block.number}`, block);
  }

  #expectNothingLost(why: string): void {
    const there = new Set(this.#keepers.flatMap((board) => [...board.blocks.keys()]));
    for (const key of this.#placed.keys()) {
      if (!there.has(key)) throw new KeepViolation(`${key} is on no board any more, after ${why}.`);
    }
  }

  /** Takes note of what was committed. */
  #collect(): void {
    for (const host of this.#world.hosts.values()) {
      for (let i = host.applied.length - 1; i >= 0 && host.applied[i]!.index > this.#entries.length; i--) {
        const next = host.applied.find(({ index }) => index === this.#entries.length + 1);
        if (next === undefined) break;
        this.#entries.push(next);
        this.#expectZones(next);
      }
    }
  }

  #expectZones(entry: Entry): void {
    for (const { key, value } of changesOf(entry, { has: () => true } as never)) {
      if (!key.startsWith(shelfKeyPrefix) || !(value instanceof Uint8Array)) continue;
      const board = key.slice(shelfKeyPrefix.length) as keyof typeof copies;
      const shelf = shelfFromWire(decodeCbor(value));
      this.#shelves.set(board, shelf);
      this.#shelvesAgreed++;
      const names = shelf.keepers.map((keeper) => keeper.board);
      const zones = new Set(names.map((name) => this.#keeper(name).zone));
      if (zones.size < names.length || names.length > copies[board]) {
        throw new KeepViolation(`${board} is kept by ${names.join(" and ")}.`);
      }
    }
  }

  async #expectAllWhole(): Promise<void> {
    this.#expectNothingLost("all faults");
    for (const host of this.#world.hosts.values()) {
      const { outbox } = this.#follow(host);
      // What boards report just now is on its way.
      const late = [...outbox.boards].flatMap((board) =>
        outbox.waiting(board).map(({ id }) => outbox.block(id)),
      );
      const old = late.filter(({ firstMs }) => firstMs < this.#world.nowMs - 15_000);
      if (old.length > 0)
        throw new KeepViolation(`${host.name} still has ${old.length} blocks, ${quietMs} ms later.`);
      if (outbox.counters.lost + outbox.counters.short > 0)
        throw new KeepViolation(`${host.name} gave blocks up.`);
    }
    for (const [board, count] of Object.entries(copies)) {
      const shelf = this.#shelves.get(board);
      const whole = shelf?.keepers.filter(({ isWhole }) => isWhole) ?? [];
      if (whole.length < count)
        throw new KeepViolation(
          `${board} has ${whole.length} whole copies of ${count}: ${JSON.stringify(shelf)}.`,
        );
      for (const { board: keeper } of whole) {
        const there = this.#keeper(keeper).blocks;
        const lacks = [...this.#placed.keys()].filter(
          (key) => key.startsWith(`${board}/`) && !there.has(key),
        );
        if (lacks.length > 0)
          throw new KeepViolation(`${keeper} is whole without ${lacks.length} blocks of ${board}.`);
      }
    }
    await this.#expectReadBack();
  }

  async #expectReadBack(): Promise<void> {
    const readBack = this.#follow(this.#world.leader!).keeping.readBack();
    const placed = [...this.#placed];
    const read = new Map<string, KeptBlock>();
    let isDone = false;
    const reading = (async () => {
      for (const series of await readBack.list()) {
        const { blocks, missing } = await readBack.read(series);
        if (missing > 0) throw new KeepViolation(`${missing} blocks of ${series.board} were not read back.`);
        for (const block of blocks) read.set(`${block.series}#${block.number}`, block);
      }
    })().finally(() => {
      isDone = true;
    });
    const failed = reading.catch((error: Error) => error);
    while (!isDone) await this.#until(this.#world.nowMs + 100);
    const error = await failed;
    if (error instanceof Error) throw error;
    for (const [key, { firstMs, bytes }] of placed) {
      const found = read.get(key);
      const isSame = found?.firstMs === firstMs && Buffer.compare(found.bytes, bytes) === 0;
      const what = found === undefined ? "not read back" : "read back as something else";
      if (!isSame) throw new KeepViolation(`${key} was ${what}.`);
    }
  }
}

/** Tells what is let go. */
class WatchedOutbox extends Outbox {
  readonly #onPlaced: (block: KeptBlock) => void;

  constructor(file: string, draw: () => string, onPlaced: (block: KeptBlock) => void) {
    super(file, 0, draw);
    this.#onPlaced = onPlaced;
  }

  override placed(board: string, blocks: ReadonlySet<Waiting>): void {
    for (const { id } of blocks) this.#onPlaced(this.block(id));
    super.placed(board, blocks);
  }
}

/** What was promised and is known by now has been told. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
