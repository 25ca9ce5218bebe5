/**
 * Tasks in a whole swarm: on every host the keeper that ships, with what that host has applied and hears of boards; on every board what its own firmware makes of it. A board
 * says in its log what it runs from now on, and nothing that is off runs anything: so at any moment of the world's time it is known who runs what.
 */
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { AgreedState } from "../../../../host-tools/leader/state/agreed-state.ts";
import { AgreedTasks } from "../../../../host-tools/leader/tasks/agreed-tasks.ts";
import {
  type HolderFacts,
  TaskKeeper,
  taskKeeperLimits,
} from "../../../../host-tools/leader/tasks/task-keeper.ts";
import type { TaskDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { strategies } from "../../../../protocols/balancing/types.ts";
import { drainedKey, drainedToWire } from "../../../../protocols/tasks/drained.ts";
import { leasesFromWire, leasesToWire } from "../../../../protocols/tasks/lease-messages.ts";
import { UnsafeStep } from "../safety.ts";
import type { SimulatedBoard } from "./simulated-board.ts";
import type { SimulatedHost } from "./simulated-host.ts";
import type { SimulatedSwarm } from "./simulated-swarm.ts";

/** Of one process. */
interface Keeping {
  readonly starts: number;
  readonly keeper: TaskKeeper;
  readonly state: AgreedState;
}

const leaseMs = 2_500;

export class SwarmTasks {
  /** Placements that boards took up. */
  tenures = 0;
  readonly #swarm: SimulatedSwarm;
  readonly #tasks: Readonly<Record<string, TaskDefinition>>;
  readonly #keepings = new Map<SimulatedHost, Keeping>();
  /** What each board that is on runs: task to token. */
  readonly #running = new Map<SimulatedBoard, ReadonlyMap<string, number>>();
  /** The highest token of each task that anybody ran. */
  readonly #tokens = new Map<string, number>();
  #drained: readonly string[] = [];
  #failure: UnsafeStep | undefined;

  constructor(swarm: SimulatedSwarm, count: number) {
    this.#swarm = swarm;
    this.#tasks = Object.fromEntries(Array.from({ length: count }, (_, i) => [`task-${i}`, taskOf(i)]));
    if (count > 0) this.#lookAgainAndAgain();
  }

  /** From now on these boards are given none. */
  drain(boards: readonly string[]): void {
    this.#drained = boards;
  }

  /** A board that is connected here, or at another host, claims what it holds. */
  onClaim(host: SimulatedHost, board: string, payload: Uint8Array): void {
    this.#keepingOf(host)?.keeper.claim(board, leasesFromWire(decodeCbor(payload)));
  }

  onLog(board: SimulatedBoard, text: string): void {
    const [, run] = /^tasks run=(.*)$/.exec(text) ?? [];
    if (run === undefined) return;
    const running = new Map<string, number>();
    for (const one of run === '""' ? [] : run.split(",")) {
      const [task, token] = one.split("#") as [string, string];
      running.set(task, Number(token));
    }
    const before = this.#running.get(board);
    this.#running.set(board, running);
    for (const [task, token] of running) {
      if (before?.get(task) === token) continue;
      this.tenures++;
      this.#expectAlone(board, task, token);
    }
  }

  /** Throws the first wrong step. After each turn of a board, which would take an error in the middle of it for its own. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  onOff(board: SimulatedBoard): void {
    this.#running.delete(board);
  }

  /** A task that nobody runs; undefined for none. */
  get idleTask(): string | undefined {
    const running = [...this.#running.values()];
    return Object.keys(this.#tasks).find((task) => !running.some((tasks) => tasks.has(task)));
  }

  #expectAlone(board: SimulatedBoard, task: string, token: number): void {
    for (const [other, tasks] of this.#running) {
      if (other === board || !tasks.has(task)) continue;
      const both = `${board.name} (token ${token}) and ${other.name} (token ${tasks.get(task)})`;
      this.#failure ??= new UnsafeStep("a task is run twice", `${task} by ${both}`);
    }
    const before = this.#tokens.get(task) ?? 0;
    if (token < before)
      this.#failure ??= new UnsafeStep("a token comes back", `${task}: ${token} after ${before}`);
    this.#tokens.set(task, token);
  }

  #lookAgainAndAgain(): void {
    for (const host of this.#swarm.hosts) {
      this.#keepingOf(host)?.keeper.look();
      if (host.member?.isLeader === true) this.#agreeOnDrained(host);
    }
    this.#swarm.after(taskKeeperLimits.lookEveryMs, () => this.#lookAgainAndAgain());
  }

  #agreeOnDrained(host: SimulatedHost): void {
    const value = encodeCbor(drainedToWire(this.#drained));
    const known = host.member!.state.get(drainedKey);
    if (known instanceof Uint8Array && Buffer.compare(known, value) === 0) return;
    host.step((member) => member.propose({ key: drainedKey, value }, host.nowMs, () => {}));
  }

  /** undefined while the host is down. */
  #keepingOf(host: SimulatedHost): Keeping | undefined {
    const { member } = host;
    if (member === undefined) return undefined;
    let keeping = this.#keepings.get(host);
    if (keeping?.starts !== host.starts) {
      keeping = this.#newKeeping(host);
      this.#keepings.set(host, keeping);
    }
    const { state } = keeping;
    if (state.lastIndex !== member.appliedIndex) state.restore(member.state, member.appliedIndex);
    return keeping;
  }

  #newKeeping(host: SimulatedHost): Keeping {
    const state = new AgreedState();
    const agreed = new AgreedTasks(state);
    const { member, starts } = host;
    const isThere = () => host.member === member;
    const keeper = new TaskKeeper({
      tasks: this.#tasks,
      agreed,
      replica: {
        get isLeader() {
          return isThere() && member!.isLeader;
        },
        get term() {
          return member!.status(host.nowMs).term;
        },
      },
      confirm: (done) =>
        host.step(() =>
          member!.read(host.nowMs, (outcome) => {
            if (isThere()) this.#keepingOf(host);
            done(isThere() && !(outcome instanceof Error));
          }),
        ),
      holders: () => this.#facts(host, agreed.drained),
      put: (key, value, expected, done) =>
        host.step(() =>
          member!.propose({ key, value, expected: { value: expected } }, host.nowMs, (outcome) =>
            done(outcome instanceof Error ? outcome : undefined),
          ),
        ),
      send: (board, leases) => host.tellLease(board, encodeCbor(leasesToWire(leases))),
      log: { info: () => {}, warn: () => {} },
      nowMs: () => host.nowMs,
      wallMs: () => this.#swarm.nowMs,
    });
    return { starts, keeper, state };
  }

  #facts(host: SimulatedHost, drained: readonly string[]): Map<string, HolderFacts> {
    const facts = new Map<string, HolderFacts>();
    for (const id of host.connectedMembers) {
      const name = nameOf(id);
      if (this.#swarm.hostNames.includes(name)) continue;
      const holder = { name, weight: 1, load: 0, room: 8, has: [], zone: undefined, onBattery: false };
      const isUsable = !drained.includes(name);
      const appliedIndex = host.appliedOf(id);
      facts.set(name, { kind: "boards", holder, isUp: true, isUsable, appliedIndex });
    }
    return facts;
  }
}

function taskOf(number: number): TaskDefinition {
  return {
    on: "boards",
    strategy: strategies[number % strategies.length]!,
    leaseMs,
    requires: { needs: [], zones: [], mains: false, apartFrom: number === 1 ? ["task-0"] : [] },
    pipelines: [{ metric: `of-task-${number}`, sensor: "cpu", everyMs: 250, stages: [] }],
    units: {},
  };
}
