/**
 * The leader's care for tasks: looks twice a second at what is placed where, proposes what has to change, and answers the boards and hosts that claim what they hold. Does no
 * I/O of its own. What is safe, `Steward` says; where a task goes, `place`. A change is proposed only in place of the very value that was looked at, so of two leaders that decide at
 * once, the one whose entry is first in the log has decided.
 */
import { place } from "../../../protocols/balancing/place.ts";
import type { Holder, Work } from "../../../protocols/balancing/types.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import type { Fenced, Leases } from "../../../protocols/tasks/lease-messages.ts";
import { type Placement, placementToWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { Steward } from "../../../protocols/tasks/steward.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { TaskDefinition } from "../../swarm-file/definition.ts";
import type { Log } from "../log.ts";
import type { AgreedPlacement, AgreedTasks } from "./agreed-tasks.ts";
import { isRoleOfHosts, readinessFor } from "./roles.ts";

/** A board or a host as far as it matters to tasks. */
export interface HolderFacts {
  readonly kind: TaskDefinition["on"];
  readonly holder: Holder;
  /** It is connected, well, not drained, and never sleeps. */
  readonly isUsable: boolean;
  readonly isUp: boolean;
  /** As the member that it is now. */
  readonly appliedIndex: number;
  /** Tasks that may still be done there, though it knows that it does not hold them any more; absent for none. */
  readonly lingering?: ReadonlySet<string>;
}

export interface TaskKeeperOptions {
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
  readonly agreed: AgreedTasks;
  readonly replica: {
    readonly isLeader: boolean;
    readonly term: number;
  };
  /** Whether a majority confirms, from now on, that this host leads; `agreed` is then no older than now. */
  confirm(done: (isConfirmed: boolean) => void): void;
  /** Boards and hosts by name. */
  holders(): ReadonlyMap<string, HolderFacts>;
  /** Puts if what is there is still `expected`; undefined: if nothing is. */
  put(
    key: string,
    value: Uint8Array,
    expected: Uint8Array | undefined,
    done: (failure: Error | undefined) => void,
  ): void;
  /** To a board, wherever it is connected, or a host. */
  send(holder: string, leases: Leases): void;
  readonly log: Pick<Log, "info" | "warn">;
  /** Milliseconds that never go back. */
  nowMs(): number;
  /** Unix milliseconds. */
  wallMs(): number;
}

export const taskKeeperLimits = {
  lookEveryMs: 500,
  /** Claims that wait for a majority at a time; whoever made a claim that is dropped asks again. */
  claimsMax: 512,
} as const;

export class TaskKeeper {
  readonly #options: TaskKeeperOptions;
  #steward: Steward | undefined;
  #term = 0;
  readonly #inFlight = new Set<string>();
  #claims = 0;

  constructor(options: TaskKeeperOptions) {
    this.#options = options;
  }

  /** When whoever has `task` last asked for it, on this host's clock; undefined where this host does not lead. */
  heardMs(task: string): number | undefined {
    return this.#options.replica.isLeader ? this.#steward?.heardMs(task) : undefined;
  }

  /** A board, connected here or elsewhere, or a host says what it is to run. */
  claim(holder: string, { askedMs, tasks }: Leases): void {
    const heardMs = this.#options.nowMs();
    const { agreed, send, confirm } = this.#options;
    const steward = this.#lead();
    if (steward === undefined || this.#claims >= taskKeeperLimits.claimsMax) return;
    this.#claims++;
    confirm((isConfirmed) => {
      this.#claims--;
      // Another term of this host's is another leader's.
      if (!isConfirmed || this.#lead() !== steward) return;
      const granted: Fenced[] = tasks.filter(({ task, token }) =>
        steward.grant(task, agreed.placements.get(task)?.placement, holder, token, heardMs),
      );
      if (granted.length > 0) send(holder, { askedMs, tasks: granted });
    });
  }

  /** Proposes what is due. */
  look(): void {
    const steward = this.#lead();
    if (steward === undefined) return;
    const nowMs = this.#options.nowMs();
    const { placements } = this.#options.agreed;
    const placing = this.#placing(steward, nowMs);
    for (const name of Object.keys(this.#options.tasks)) {
      this.#tend(steward, name, placements.get(name), placing.get(name), nowMs);
    }
    for (const [name, present] of placements) {
      if (Object.hasOwn(this.#options.tasks, name) || present.placement.mode !== "held") continue;
      this.#propose(steward, name, present, { ...present.placement, mode: "released" });
    }
  }

  /** The one of this term; undefined while another host leads. */
  #lead(): Steward | undefined {
    const { replica, nowMs } = this.#options;
    if (!replica.isLeader) this.#steward = undefined;
    else if (this.#steward === undefined || this.#term !== replica.term) {
      this.#steward = new Steward(nowMs());
      this.#term = replica.term;
    }
    return this.#steward;
  }

  /** Where every task ought to be that is not stopped. */
  #placing(steward: Steward, nowMs: number): ReadonlyMap<string, string> {
    const usable = [...this.#options.holders().values()].filter(({ isUsable }) => isUsable);
    const placings = (["boards", "hosts"] as const).map((on) => {
      const holders = usable.filter(({ kind }) => kind === on).map(({ holder }) => holder);
      return this.#placingOn(on, holders, steward, nowMs);
    });
    return new Map(placings.flatMap((placing) => [...placing]));
  }

  #placingOn(
    on: TaskDefinition["on"],
    holders: readonly Holder[],
    steward: Steward,
    nowMs: number,
  ): Map<string, string> {
    const { tasks, agreed } = this.#options;
    const present = new Map<string, string>();
    const work: Work[] = [];
    const avoided = new Map<string, string>();
    let turn = 0;
    for (const [name, definition] of Object.entries(tasks)) {
      const placement = agreed.placements.get(name)?.placement;
      turn += placement?.token ?? 0;
      if (definition.on !== on || placement?.mode === "stopped") continue;
      work.push(workOf(name, definition));
      if (placement?.mode !== "held" || placement.holder === undefined) continue;
      if (steward.isLapsed(name, placement, nowMs)) avoided.set(name, placement.holder);
      else present.set(name, placement.holder);
    }
    const placing = place(work, holders, present, turn);
    for (const [name, holder] of avoided) {
      // It is there and does not run the task: another one may.
      if (placing.get(name) !== holder) continue;
      const others = holders.filter((other) => other.name !== holder);
      const instead = place(work, others, placing, turn).get(name);
      if (instead !== undefined) placing.set(name, instead);
    }
    return placing;
  }

  #tend(
    steward: Steward,
    name: string,
    present: AgreedPlacement | undefined,
    wanted: string | undefined,
    nowMs: number,
  ): void {
    const definition = this.#options.tasks[name]!;
    const program = programToWire({ pipelines: definition.pipelines, outputs: [], rules: [] });
    const { leaseMs } = definition;
    const fresh = { mode: "held", leaseMs, program, sinceMs: this.#options.wallMs() } as const;
    if (present === undefined) {
      if (wanted !== undefined) {
        this.#propose(steward, name, undefined, { ...fresh, holder: wanted, token: 1 });
      }
      return;
    }
    const { placement } = present;
    if (placement.mode === "stopped") return;
    const isSame = wanted === placement.holder && placement.leaseMs === leaseMs;
    if (placement.mode === "held" && isSame && !steward.isLapsed(name, placement, nowMs)) {
      // The same tenure goes on, with what the task is now.
      const next = { ...placement, program };
      if (!areSame(encodePlacement(next), present.value)) this.#propose(steward, name, present, next);
      return;
    }
    if (steward.mayPlace(name, placement, this.#hasLetGo(name, present), nowMs)) {
      if (wanted === undefined) return;
      this.#propose(steward, name, present, { ...fresh, holder: wanted, token: placement.token + 1 });
    } else if (placement.mode === "held" && this.#isHere(placement.holder)) {
      // Asked to let go, it is heard of sooner than its lease ends.
      this.#propose(steward, name, present, { ...placement, mode: "released" });
    }
  }

  #isHere(holder: string | undefined): boolean {
    return holder !== undefined && this.#options.holders().get(holder)?.isUp === true;
  }

  #hasLetGo(name: string, { placement, index }: AgreedPlacement): boolean {
    if (placement.holder === undefined) return true;
    const facts = this.#options.holders().get(placement.holder);
    return facts !== undefined && facts.appliedIndex >= index && facts.lingering?.has(name) !== true;
  }

  #propose(steward: Steward, name: string, present: AgreedPlacement | undefined, next: Placement): void {
    if (this.#inFlight.has(name)) return;
    const { put, log, nowMs } = this.#options;
    const before = present?.placement;
    const isMove = before !== undefined && (next.mode !== "held" || next.token !== before.token);
    if (isMove) steward.beginMove(name, before.token);
    this.#inFlight.add(name);
    put(taskKeyPrefix + name, encodePlacement(next), present?.value, (failure) => {
      this.#inFlight.delete(name);
      if (failure !== undefined) {
        // What was meant to be moved is granted no more, whatever the reason: it is tried again with the next look.
        log.warn("task-not-placed", { task: name, reason: failure.message });
        return;
      }
      if (next.token !== before?.token) steward.placed(name, nowMs());
      const { mode, holder, token } = next;
      log.info("task", { task: name, mode, holder, token, from: before?.holder });
    });
  }
}

export function encodePlacement(placement: Placement): Uint8Array {
  return encodeCbor(placementToWire(placement));
}

function workOf(name: string, definition: TaskDefinition): Work {
  const { strategy, requires, pipelines } = definition;
  const needs = isRoleOfHosts(definition) ? [...requires.needs, readinessFor(name)] : requires.needs;
  // What runs no pipelines takes no room; whoever holds it has something to do all the same.
  return { name, strategy, load: Math.max(1, pipelines.length), size: pipelines.length, ...requires, needs };
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
