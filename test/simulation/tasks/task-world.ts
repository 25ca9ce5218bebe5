/**
 * Tasks in virtual time: three hosts that agree by the Raft that ships, each with the task keeper that ships, and boards with the tenure that ships, all on clocks of
 * their own that are up to a tenth too fast or too slow. Nothing bad happens unless somebody makes it.
 *
 * At every step, by the boards' own clocks, no task is open on two of them, and no token is ever given twice.
 */

import type { HostMember } from "../../../host-tools/leader/raft/host-member.ts";
import type { HolderFacts } from "../../../host-tools/leader/tasks/task-keeper.ts";
import type { TaskDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { strategies } from "../../../protocols/balancing/types.ts";
import type { Leases } from "../../../protocols/tasks/lease-messages.ts";
import type { Placement } from "../../../protocols/tasks/placement.ts";
import { type Host, HostWorld, smallSizes } from "../../host-tools/leader/raft/host-world.ts";
import { AgreedLog } from "./agreed-log.ts";
import { Keepers } from "./keepers.ts";
import { TaskBoard } from "./task-board.ts";
import { TaskViolation } from "./task-violation.ts";

export const hostNames = ["a", "b", "c"];
export const leaseMs = 6_000;
const boardNames = ["b1", "b2", "b3", "b4", "b5"];

export const tasks: Readonly<Record<string, TaskDefinition>> = Object.fromEntries(
  strategies.map((strategy) => [
    strategy,
    {
      ...{ on: "boards", strategy, leaseMs, pipelines: [], units: {} },
      requires: {
        needs: [],
        zones: [],
        mains: false,
        apartFrom: strategy === "random" ? ["rendezvous"] : [],
      },
    },
  ]),
);

export interface TaskWorldOptions {
  readonly seed: number;
  /** Share of the hosts' messages that are lost. */
  readonly loss: number;
  /** A leader is about to propose this. */
  onPropose?(host: Host, task: string, placement: Placement): void;
}

export class TaskWorld {
  readonly world: HostWorld;
  readonly boards: readonly TaskBoard[];
  readonly drained = new Set<string>();
  readonly log = new AgreedLog();
  readonly keepers: Keepers;
  grants = 0;
  /** Nothing is held up any more. */
  isQuiet = false;
  /** What each run of a host's process knows that boards have applied. */
  readonly #applied = new WeakMap<HostMember, Map<string, number>>();

  constructor({ seed, loss, onPropose }: TaskWorldOptions) {
    const world = new HostWorld({ seed, hostNames, sizes: smallSizes, loss });
    this.world = world;
    this.boards = boardNames.map((name) => new TaskBoard(name, world, hostNames));
    this.keepers = new Keepers({
      ...{ world, tasks, onPropose },
      holders: (host) => this.#facts(host),
      send: (from, board, leases) => this.#sendGrant(from, board, leases),
      clockOf: () => {
        const rate = 0.9 + 0.2 * world.random();
        return () => world.nowMs * rate;
      },
    });
  }

  async until(endMs: number): Promise<void> {
    while (this.world.nowMs < endMs) await this.step();
  }

  async step(): Promise<void> {
    this.world.step();
    await settled();
    this.log.collect(this.world);
    this.#check();
  }

  every(periodMs: number, act: () => void): void {
    const again = () => {
      act();
      this.world.after(periodMs, again);
    };
    this.world.after(Math.floor(this.world.random() * periodMs), again);
  }

  // Hosts.

  #appliedAt({ member }: Host): Map<string, number> {
    const known = this.#applied.get(member!) ?? new Map<string, number>();
    this.#applied.set(member!, known);
    return known;
  }

  #facts(host: Host): Map<string, HolderFacts> {
    const applied = this.#appliedAt(host);
    return new Map(
      this.boards.map((board) => {
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
        const isUsable = isUp && !this.drained.has(board.name);
        return [
          board.name,
          { kind: "boards", holder, isUp, isUsable, appliedIndex: applied.get(board.name) ?? 0 },
        ];
      }),
    );
  }

  #reaches(from: string, to: string): boolean {
    return from === to || !this.world.host(from).cutOff.has(to);
  }

  // Boards.

  turn(board: TaskBoard): void {
    const { random } = this.world;
    if (!board.isOn) return;
    // Now and then it sees the log move on, each time by a few entries.
    if (!board.cut.has(board.home) && random() < board.haste)
      board.follow(this.log.entries, 1 + Math.floor(random() * 8));
    const leases = board.tenure.claim(board.nowMs);
    if (leases !== undefined) this.#sendClaim(board, leases);
    else if (random() < 0.1) this.#sendClaim(board, { askedMs: board.nowMs, tasks: [] });
  }

  #sendClaim(board: TaskBoard, leases: Leases): void {
    const { home, appliedIndex, life } = board;
    this.#later(() => {
      if (!board.cut.has(home) && board.life === life) this.hear(board, home, leases, appliedIndex);
    });
  }

  /** What a board at `home` asks for comes to all hosts that can be reached from there. */
  hear({ name }: TaskBoard, home: string, leases: Leases, appliedIndex: number): void {
    for (const host of this.world.hosts.values()) {
      if (!this.keepers.isAwake(host) || !this.#reaches(home, host.name)) continue;
      const { keeper } = this.keepers.follow(host);
      const applied = this.#appliedAt(host);
      applied.set(name, Math.max(applied.get(name) ?? 0, appliedIndex));
      if (leases.tasks.length > 0) void keeper.claim(name, leases);
    }
  }

  #sendGrant(from: string, name: string, leases: Leases): void {
    const board = this.boards.find((one) => one.name === name)!;
    const { home, life } = board;
    this.#later(() => {
      // A session ends with the run of the firmware that had it.
      if (!board.isOn || board.life !== life || !this.#reaches(from, home) || board.cut.has(home)) return;
      this.grants++;
      board.tenure.grant(leases, board.nowMs);
    });
  }

  /** Mostly soon; sometimes after it was held up on the way. */
  #later(act: () => void): void {
    const { random } = this.world;
    const isHeldUp = !this.isQuiet && random() < 0.2;
    this.world.after(1 + Math.floor(random() * (isHeldUp ? 30_000 : 150)), act);
  }

  // What must hold.

  #check(): void {
    for (const task of Object.keys(tasks)) {
      const open = this.boards.filter((board) => board.runs(task));
      if (open.length > 1) {
        const who = open.map(({ name }) => name).join(" and ");
        throw new TaskViolation(`${task} runs on ${who} at ${this.world.nowMs} ms.`);
      }
    }
  }

  expectAllRun(): void {
    for (const task of Object.keys(tasks)) {
      if (this.boards.some((board) => board.runs(task))) continue;
      throw new TaskViolation(`${task} runs nowhere, after all was well again.`);
    }
  }
}

/** What was promised and is known by now has been told. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
