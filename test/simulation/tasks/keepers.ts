/** The task keeper that ships, on each host of a `HostWorld`, over what that host has applied. */
import { decodeCbor } from "../../../host-tools/codec/cbor.ts";
import { AgreedState } from "../../../host-tools/leader/state/agreed-state.ts";
import { AgreedTasks } from "../../../host-tools/leader/tasks/agreed-tasks.ts";
import { type HolderFacts, TaskKeeper } from "../../../host-tools/leader/tasks/task-keeper.ts";
import type { TaskDefinition } from "../../../host-tools/swarm-file/definition.ts";
import type { Leases } from "../../../protocols/tasks/lease-messages.ts";
import { type Placement, placementFromWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import type { Host, HostWorld } from "../../host-tools/leader/raft/host-world.ts";

/** Of one run of a host's process: its keeper, and how far its state is. */
export interface Keeping {
  readonly keeper: TaskKeeper;
  readonly agreed: AgreedTasks;
  readonly state: AgreedState;
  readonly member: Host["member"];
  taken: number;
  restored: number;
}

export interface KeepersOptions {
  readonly world: HostWorld;
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
  /** As the host knows them. */
  holders(host: Host, agreed: AgreedTasks): Map<string, HolderFacts>;
  send(from: string, holder: string, leases: Leases): void;
  /** By which a run of the host's process counts. */
  clockOf(host: Host): () => number;
  /** A leader is about to propose this. */
  readonly onPropose: ((host: Host, task: string, placement: Placement) => void) | undefined;
}

export class Keepers {
  /** In which somebody led. */
  readonly terms = new Set<number>();
  readonly #options: KeepersOptions;
  readonly #keepings = new Map<string, Keeping>();

  constructor(options: KeepersOptions) {
    this.#options = options;
  }

  isAwake({ member, stalledUntilMs }: Host): boolean {
    return member !== undefined && this.#options.world.nowMs >= stalledUntilMs;
  }

  /** Every host looks whether something is to be proposed. */
  look(): void {
    for (const host of this.#options.world.hosts.values()) {
      if (!this.isAwake(host)) continue;
      const { isLeader, term } = host.member!;
      if (isLeader) this.terms.add(term);
      this.follow(host).keeper.look();
    }
  }

  /** Brings the state of a host that is up to where the host's is. */
  follow(host: Host): Keeping {
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

  #keepingOf(host: Host): Keeping {
    const known = this.#keepings.get(host.name);
    if (known !== undefined && known.member === host.member) return known;
    const state = new AgreedState();
    const agreed = new AgreedTasks(state);
    const { member } = host;
    const keeping = {
      ...{ keeper: this.#keeper(host, agreed), agreed, state, member },
      ...{ taken: 0, restored: -1 },
    };
    this.#keepings.set(host.name, keeping);
    return keeping;
  }

  #keeper(host: Host, agreed: AgreedTasks): TaskKeeper {
    const { world, tasks, holders, send, clockOf, onPropose } = this.#options;
    const { member, name } = host;
    return new TaskKeeper({
      tasks,
      agreed,
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
          if (!(outcome instanceof Error)) this.follow(host);
          done(!(outcome instanceof Error));
        }),
      holders: () => holders(host, agreed),
      put: (key, value, expected, done) => {
        onPropose?.(host, key.slice(taskKeyPrefix.length), placementFromWire(decodeCbor(value)));
        world.propose(name, { key, value, expected: { value: expected } }).then(() => done(undefined), done);
      },
      send: (holder, leases) => send(name, holder, leases),
      log: { info: () => {}, warn: () => {} },
      nowMs: clockOf(host),
      wallMs: () => Math.round(world.nowMs),
    });
  }
}
