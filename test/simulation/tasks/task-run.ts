/**
 * Tasks under faults, in virtual time: three hosts that agree by the Raft that ships, each with the task keeper that ships, and boards with the tenure that ships, all on clocks of
 * their own that are up to a tenth too fast or too slow. Links are cut, messages are late by up to half a minute, hosts and boards lose their power, boards are drained.
 *
 * At every step, by the boards' own clocks, no task is open on two of them; no token is ever given twice; and when all is well again, every task runs somewhere.
 */

import { decodeCbor } from "../../../host-tools/codec/cbor.ts";
import { AgreedState } from "../../../host-tools/leader/state/agreed-state.ts";
import { AgreedTasks } from "../../../host-tools/leader/tasks/agreed-tasks.ts";
import {
  type BoardFacts,
  TaskKeeper,
  taskKeeperLimits,
} from "../../../host-tools/leader/tasks/task-keeper.ts";
import type { TaskDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { strategies } from "../../../protocols/balancing/types.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { changesOf } from "../../../protocols/state/apply.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import type { Leases } from "../../../protocols/tasks/lease-messages.ts";
import { placementFromWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { Tenure } from "../../../protocols/tasks/tenure.ts";
import { type Host, HostWorld, smallSizes } from "../../host-tools/leader/raft/host-world.ts";

export interface TaskRunResult {
  /** Placements of any task, the first one of each included. */
  readonly placements: number;
  readonly grants: number;
  readonly elections: number;
}

/** Somebody did what must not be. */
export class TaskViolation extends Error {
  override readonly name = "TaskViolation";
}

const hostNames = ["a", "b", "c"];
const boardNames = ["b1", "b2", "b3", "b4", "b5"];
const leaseMs = 6_000;
const faultsMs = 120_000;
const quietMs = 45_000;

const tasks: Readonly<Record<string, TaskDefinition>> = Object.fromEntries(
  strategies.map((strategy) => [
    strategy,
    {
      ...{ strategy, leaseMs, pipelines: [], units: {} },
      requires: {
        needs: [],
        zones: [],
        mains: false,
        apartFrom: strategy === "random" ? ["rendezvous"] : [],
      },
    },
  ]),
);

/** Runs one seed. Rejects with `TaskViolation`. */
export async function runTasks(seed: number): Promise<TaskRunResult> {
  return new TaskRun(seed).run();
}

/** A host's keeper, and how far its state is. */
interface Keeping {
  readonly keeper: TaskKeeper;
  readonly state: AgreedState;
  readonly member: unknown;
  taken: number;
  restored: number;
  readonly facts: Map<string, number>;
}

class TaskRun {
  readonly #world: HostWorld;
  readonly #keepings = new Map<string, Keeping>();
  readonly #boards: Board[];
  /** All that was committed, by index from 1. */
  readonly #entries: Entry[] = [];
  readonly #tokens = new Map<string, { token: number; board: string | undefined }>();
  readonly #drained = new Set<string>();
  readonly #terms = new Set<number>();
  #placements = 0;
  #grants = 0;
  #isQuiet = false;

  constructor(seed: number) {
    this.#world = new HostWorld({ seed, hostNames, sizes: smallSizes, loss: 0.01 });
    this.#boards = boardNames.map((name) => new Board(name, this.#world));
  }

  async run(): Promise<TaskRunResult> {
    const world = this.#world;
    world.startAll();
    this.#every(taskKeeperLimits.lookEveryMs, () => this.#look());
    for (const board of this.#boards) this.#every(40, () => this.#turn(board));
    this.#every(1_500, () => this.#mischief());
    await this.#until(faultsMs);
    this.#calm();
    await this.#until(faultsMs + quietMs);
    this.#expectAllRun();
    return { placements: this.#placements, grants: this.#grants, elections: this.#terms.size };
  }

  async #until(endMs: number): Promise<void> {
    while (this.#world.nowMs < endMs) {
      this.#world.step();
      await settled();
      this.#collect();
      this.#check();
    }
  }

  #every(periodMs: number, act: () => void): void {
    const again = () => {
      act();
      this.#world.after(periodMs, again);
    };
    this.#world.after(Math.floor(this.#world.random() * periodMs), again);
  }

  // Hosts.

  #keepingOf(host: Host): Keeping {
    const known = this.#keepings.get(host.name);
    if (known !== undefined && known.member === host.member) return known;
    const state = new AgreedState();
    const facts = new Map<string, number>();
    const { member, name } = host;
    const world = this.#world;
    const rate = 0.9 + 0.2 * world.random();
    const keeper = new TaskKeeper({
      tasks,
      agreed: new AgreedTasks(state),
      replica: {
        get isLeader() {
          return host.member === member && member!.isLeader;
        },
        get term() {
          return member!.term;
        },
        readIndex: () =>
          new Promise((resolve, reject) => {
            member!.read(world.nowMs, (outcome) => {
              if (outcome instanceof Error) return reject(outcome);
              this.#follow(host);
              resolve(outcome);
            });
          }),
      },
      boards: () => this.#facts(host, facts),
      put: (key, value, expected) => world.propose(name, { key, value, expected: { value: expected } }),
      send: (board, leases) => this.#sendGrant(name, board, leases),
      log: { info: () => {}, warn: () => {} },
      nowMs: () => world.nowMs * rate,
      wallMs: () => Math.round(world.nowMs),
    });
    const keeping = { keeper, state, member, taken: 0, restored: -1, facts };
    this.#keepings.set(name, keeping);
    return keeping;
  }

  /** Brings the keeper's state to where the host's is. */
  #follow(host: Host): Keeping {
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
      if (host.member === undefined) continue;
      if (host.member.isLeader) this.#terms.add(host.member.term);
      this.#follow(host).keeper.look();
    }
  }

  #facts(host: Host, applied: ReadonlyMap<string, number>): Map<string, BoardFacts> {
    return new Map(
      this.#boards.map((board) => {
        const isUp = board.isOn && this.#reaches(board.home, host.name) && !board.cut.has(board.home);
        const holder = {
          name: board.name,
          weight: 1,
          load: 0,
          room: 16,
          has: [],
          zone: undefined,
          onBattery: false,
        };
        const isUsable = isUp && !this.#drained.has(board.name);
        return [board.name, { holder, isUp, isUsable, appliedIndex: applied.get(board.name) ?? 0 }];
      }),
    );
  }

  #reaches(from: string, to: string): boolean {
    return from === to || !this.#world.host(from).cutOff.has(to);
  }

  // Boards.

  #turn(board: Board): void {
    const { random } = this.#world;
    if (!board.isOn) return;
    // Now and then it sees the log move on, each time by a few entries.
    if (!board.cut.has(board.home) && random() < board.haste)
      board.follow(this.#entries, 1 + Math.floor(random() * 8));
    const leases = board.tenure.claim(board.nowMs);
    if (leases !== undefined) this.#sendClaim(board, leases);
    else if (random() < 0.1) this.#sendClaim(board, { askedMs: board.nowMs, tasks: [] });
  }

  #sendClaim(board: Board, leases: Leases): void {
    const { home, appliedIndex, life } = board;
    this.#later(() => {
      if (board.cut.has(home) || board.life !== life) return;
      for (const host of this.#world.hosts.values()) {
        if (host.member === undefined || !this.#reaches(home, host.name)) continue;
        const { keeper, facts } = this.#follow(host);
        facts.set(board.name, Math.max(facts.get(board.name) ?? 0, appliedIndex));
        if (leases.tasks.length > 0) void keeper.claim(board.name, leases);
      }
    });
  }

  #sendGrant(from: string, name: string, leases: Leases): void {
    const board = this.#boards.find((one) => one.name === name)!;
    const { home, life } = board;
    this.#later(() => {
      // A session ends with the run of the firmware that had it.
      if (!board.isOn || board.life !== life || !this.#reaches(from, home) || board.cut.has(home)) return;
      this.#grants++;
      board.tenure.grant(leases, board.nowMs);
    });
  }

  /** Mostly soon; sometimes after it was held up on the way. */
  #later(act: () => void): void {
    const { random } = this.#world;
    const isHeldUp = !this.#isQuiet && random() < 0.2;
    this.#world.after(1 + Math.floor(random() * (isHeldUp ? 30_000 : 150)), act);
  }

  // Faults.

  #mischief(): void {
    if (this.#isQuiet) return;
    const { random } = this.#world;
    const world = this.#world;
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
    const board = pick(this.#boards);
    const host = world.host(pick(hostNames));
    const what = random();
    if (what < 0.2) board.cut.add(board.home);
    else if (what < 0.3) board.cut.clear();
    else if (what < 0.4) board.home = pick(hostNames);
    else if (what < 0.5) this.#powerOff(board);
    else if (what < 0.6)
      for (const one of this.#boards)
        if (!one.isOn) one.start();
        else;
    if (what >= 0.6 && what < 0.75)
      for (const other of hostNames) if (other !== host.name) world.cut(host.name, other);
    if (what >= 0.75 && what < 0.85) world.heal();
    if (what >= 0.85 && what < 0.9 && host.member !== undefined) world.powerCut(host.name);
    if (what >= 0.9 && what < 0.95) this.#startHosts();
    if (what >= 0.95)
      this.#drained.has(board.name) ? this.#drained.delete(board.name) : this.#drained.add(board.name);
    if (random() < 0.3) this.#transfer(pick(hostNames));
  }

  #powerOff(board: Board): void {
    board.isOn = false;
    board.life++;
  }

  #startHosts(): void {
    for (const host of this.#world.hosts.values())
      if (host.member === undefined) this.#world.start(host.name);
  }

  #transfer(to: string): void {
    const { leader } = this.#world;
    if (leader === undefined || leader.name === to) return;
    try {
      leader.member!.transfer(to, this.#world.nowMs);
    } catch {
      // Not now.
    }
  }

  #calm(): void {
    this.#isQuiet = true;
    this.#world.heal();
    this.#startHosts();
    this.#drained.clear();
    for (const board of this.#boards) {
      board.cut.clear();
      if (!board.isOn) board.start();
    }
  }

  // What must hold.

  /** Takes note of what was committed. */
  #collect(): void {
    for (const host of this.#world.hosts.values()) {
      for (let i = host.applied.length - 1; i >= 0 && host.applied[i]!.index > this.#entries.length; i--) {
        const next = host.applied.find(({ index }) => index === this.#entries.length + 1);
        if (next === undefined) break;
        this.#entries.push(next);
        this.#expectNewToken(next);
      }
    }
  }

  #expectNewToken(entry: Entry): void {
    for (const { key, value } of changesOf(entry, { has: () => true } as never)) {
      if (!key.startsWith(taskKeyPrefix) || !(value instanceof Uint8Array)) continue;
      const task = key.slice(taskKeyPrefix.length);
      const { token, board, mode } = placementFromWire(decodeCbor(value));
      const before = this.#tokens.get(task);
      const isSame = before?.token === token && before.board === board;
      if (mode === "held" && !isSame) this.#placements++;
      if (before !== undefined && !isSame && token <= before.token) {
        throw new TaskViolation(`${task} was given to ${board} under token ${token}, after ${before.token}.`);
      }
      this.#tokens.set(task, { token, board });
    }
  }

  #check(): void {
    for (const task of Object.keys(tasks)) {
      const open = this.#boards.filter((board) => board.runs(task));
      if (open.length > 1) {
        const who = open.map(({ name }) => name).join(" and ");
        throw new TaskViolation(`${task} runs on ${who} at ${this.#world.nowMs} ms.`);
      }
    }
  }

  #expectAllRun(): void {
    for (const task of Object.keys(tasks)) {
      if (this.#boards.some((board) => board.runs(task))) continue;
      throw new TaskViolation(`${task} runs nowhere, ${quietMs} ms after the last fault.`);
    }
  }
}

class Board {
  readonly name: string;
  isOn = true;
  /** Counts its starts. */
  life = 0;
  home: string;
  readonly cut = new Set<string>();
  tenure: Tenure;
  appliedIndex = 0;
  readonly #world: HostWorld;
  /** How soon it sees the log move on. */
  readonly haste: number;
  readonly #rate: number;
  #bootedMs: number;

  constructor(name: string, world: HostWorld) {
    this.name = name;
    this.#world = world;
    this.#rate = 0.9 + 0.2 * world.random();
    this.haste = 0.05 + 0.9 * world.random();
    this.#bootedMs = world.nowMs;
    this.home = hostNames[Math.floor(world.random() * hostNames.length)]!;
    this.tenure = new Tenure(0);
  }

  /** On its own clock, since its boot. */
  get nowMs(): number {
    return (this.#world.nowMs - this.#bootedMs) * this.#rate;
  }

  /** Its flash holds what it applied; what it was granted it has forgotten. */
  start(): void {
    this.isOn = true;
    this.#bootedMs = this.#world.nowMs;
    const { held } = this.tenure;
    this.tenure = new Tenure(0);
    for (const { task, placement } of held) this.tenure.place(task, placement, 0);
  }

  runs(task: string): boolean {
    if (!this.isOn) return false;
    return this.tenure.held.some((one) => one.task === task && this.tenure.isOpen(one, this.nowMs));
  }

  follow(entries: readonly Entry[], count: number): void {
    for (const entry of entries.slice(this.appliedIndex, this.appliedIndex + count)) {
      for (const { key, value } of changesOf(entry, { has: () => true } as never)) this.#take(key, value);
      this.appliedIndex = entry.index;
    }
  }

  #take(key: string, value: StateValue | undefined): void {
    if (!key.startsWith(taskKeyPrefix)) return;
    const placement = value instanceof Uint8Array ? placementFromWire(decodeCbor(value)) : undefined;
    const isHere = placement?.mode === "held" && placement.board === this.name;
    this.tenure.place(key.slice(taskKeyPrefix.length), isHere ? placement : undefined, this.nowMs);
  }
}

/** What was promised and is known by now has been told. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
