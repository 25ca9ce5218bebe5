/**
 * Tasks in virtual time: three hosts that agree by the Raft that ships, each with the task keeper that ships, and boards with the tenure that ships, all on clocks of
 * their own that are up to a tenth too fast or too slow. Nothing bad happens unless somebody makes it.
 *
 * At every step, by the boards' own clocks, no task is open on two of them, and no token is ever given twice.
 */
import { decodeCbor } from "../../../host-tools/codec/cbor.ts";
import { AgreedState } from "../../../host-tools/leader/state/agreed-state.ts";
import { AgreedTasks } from "../../../host-tools/leader/tasks/agreed-tasks.ts";
import { type HolderFacts, TaskKeeper } from "../../../host-tools/leader/tasks/task-keeper.ts";
import type { TaskDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { strategies } from "../../../protocols/balancing/types.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { changesOf } from "../../../protocols/state/apply.ts";
import type { Leases } from "../../../protocols/tasks/lease-messages.ts";
import { type Placement, placementFromWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { type Host, HostWorld, smallSizes } from "../../host-tools/leader/raft/host-world.ts";
import { TaskBoard } from "./task-board.ts";

/** Somebody did what must not be. */
export class TaskViolation extends Error {
  override readonly name = "TaskViolation";
}

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

/** A host's keeper, and how far its state is. */
interface Keeping {
  readonly keeper: TaskKeeper;
  readonly state: AgreedState;
  readonly member: unknown;
  taken: number;
  restored: number;
  readonly facts: Map<string, number>;
}

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
  /** In which somebody led. */
  readonly terms = new Set<number>();
  placements = 0;
  grants = 0;
  /** Nothing is held up any more. */
  isQuiet = false;
  readonly #options: TaskWorldOptions;
  readonly #keepings = new Map<string, Keeping>();
  /** All that was committed, by index from 1. */
  readonly #entries: Entry[] = [];
  readonly #tokens = new Map<string, { token: number; holder: string | undefined }>();

  constructor(options: TaskWorldOptions) {
    this.#options = options;
    this.world = new HostWorld({ seed: options.seed, hostNames, sizes: smallSizes, loss: options.loss });
    this.boards = boardNames.map((name) => new TaskBoard(name, this.world, hostNames));
  }

  async until(endMs: number): Promise<void> {
    while (this.world.nowMs < endMs) await this.step();
  }

  async step(): Promise<void> {
    this.world.step();
    await settled();
    this.#collect();
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

  #keepingOf(host: Host): Keeping {
    const known = this.#keepings.get(host.name);
    if (known !== undefined && known.member === host.member) return known;
    const state = new AgreedState();
    const facts = new Map<string, number>();
    const { member, name } = host;
    const world = this.world;
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
      },
      confirm: (done) =>
        member!.read(world.nowMs, (outcome) => {
          if (!(outcome instanceof Error)) this.#follow(host);
          done(!(outcome instanceof Error));
        }),
      holders: () => this.#facts(host, facts),
      put: (key, value, expected, done) => {
        const placement = placementFromWire(decodeCbor(value));
        this.#options.onPropose?.(host, key.slice(taskKeyPrefix.length), placement);
        world.propose(name, { key, value, expected: { value: expected } }).then(() => done(undefined), done);
      },
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

  look(): void {
    for (const host of this.world.hosts.values()) {
      if (!this.#isAwake(host)) continue;
      const { isLeader, term } = host.member!;
      if (isLeader) this.terms.add(term);
      this.#follow(host).keeper.look();
    }
  }

  #facts(host: Host, applied: ReadonlyMap<string, number>): Map<string, HolderFacts> {
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
      board.follow(this.#entries, 1 + Math.floor(random() * 8));
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
      if (!this.#isAwake(host) || !this.#reaches(home, host.name)) continue;
      const { keeper, facts } = this.#follow(host);
      facts.set(name, Math.max(facts.get(name) ?? 0, appliedIndex));
      if (leases.tasks.length > 0) void keeper.claim(name, leases);
    }
  }

  #isAwake({ member, stalledUntilMs }: Host): boolean {
    return member !== undefined && this.world.nowMs >= stalledUntilMs;
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

  /** Takes note of what was committed. */
  #collect(): void {
    for (const host of this.world.hosts.values()) {
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
      const { token, holder, mode } = placementFromWire(decodeCbor(value));
      const before = this.#tokens.get(task);
      const isSame = before?.token === token && before.holder === holder;
      if (mode === "held" && !isSame) this.placements++;
      if (before !== undefined && !isSame && token <= before.token) {
        throw new TaskViolation(
          `${task} was given to ${holder} under token ${token}, after ${before.token}.`,
        );
      }
      this.#tokens.set(task, { token, holder });
    }
  }

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
