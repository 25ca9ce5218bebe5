/** A host's part in tasks: its keeper while it leads, what boards claim, what operators ask for, and how each task stands. */

import { programLimits } from "../../../protocols/pipeline/program.ts";
import { drainedKey, drainedMax, drainedToWire } from "../../../protocols/tasks/drained.ts";
import { type Leases, leasesToWire } from "../../../protocols/tasks/lease-messages.ts";
import { taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { BoardDefinition, SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { BoardStatus, TaskStatus, TasksStatus } from "../api/api-types.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { HostLinks } from "../hosts/host-links.ts";
import type { Log } from "../log.ts";
import type { Replica } from "../raft/replica.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { AgreedTasks } from "./agreed-tasks.ts";
import { encodePlacement, type HolderFacts, TaskKeeper, taskKeeperLimits } from "./task-keeper.ts";
import { type TaskMetric, taskMetricOf } from "./task-metrics.ts";

export interface TasksOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly state: AgreedState;
  readonly replica: Replica;
  readonly boards: BoardRegistry;
  readonly links: HostLinks;
  readonly log: Log;
}

/** Of the memory that a board's engine has: from here on it is given half as much, and from there on nothing. */
const fullFrom = { half: 0.75, none: 0.9 } as const;

export class Tasks {
  readonly #options: TasksOptions;
  readonly #agreed: AgreedTasks;
  readonly #keeper: TaskKeeper;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TasksOptions) {
    const { definition, replica, log } = options;
    this.#options = options;
    this.#agreed = new AgreedTasks(options.state);
    this.#keeper = new TaskKeeper({
      ...{ tasks: definition.tasks ?? {}, agreed: this.#agreed, replica, log },
      holders: () => this.#facts(),
      confirm: (done) => {
        replica.readIndex().then(
          () => done(true),
          () => done(false),
        );
      },
      put: (key, value, expected, done) => {
        replica.propose({ key, value, id: replica.newCommandId(), expected: { value: expected } }).then(
          () => done(undefined),
          (error: Error) => done(error),
        );
      },
      send: (board, leases) => this.#send(board, leases),
      nowMs: () => performance.now(),
      wallMs: Date.now,
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.#keeper.look(), taskKeeperLimits.lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  claim(board: string, claim: Leases): void {
    this.#keeper.claim(board, claim);
  }

  /** See `taskMetricOf`. */
  metric(board: string, told: string): TaskMetric | undefined {
    return taskMetricOf(this.#options.definition.tasks ?? {}, this.#agreed, board, told);
  }

  status(): TasksStatus {
    const { definition } = this.#options;
    const tasks = Object.keys(definition.tasks ?? {}).map((name) => this.#statusOf(name));
    return { tasks, drained: [...this.#agreed.drained].sort() };
  }

  /** Places a task that was stopped. Resolves once that is agreed on. Rejects with `ApiFailure`, or as a proposal does. */
  async add(name: string): Promise<void> {
    this.#demandTask(name);
    const present = this.#agreed.placements.get(name);
    if (present === undefined || present.placement.mode !== "stopped") return;
    await this.#put(name, present, { ...present.placement, mode: "released" });
  }

  /** Stops a task: no board runs it until it is added again. As `add`. */
  async remove(name: string): Promise<void> {
    this.#demandTask(name);
    const present = this.#agreed.placements.get(name);
    if (present === undefined) {
      throw new ApiFailure("bad-request", `${name} was never placed; see why with covey task list.`);
    }
    if (present.placement.mode !== "stopped") {
      await this.#put(name, present, { ...present.placement, mode: "stopped" });
    }
  }

  /** `board` is to hold no tasks, or may again. As `add`. */
  async drain(board: string, isDrained: boolean): Promise<void> {
    const { definition, state } = this.#options;
    if (!Object.hasOwn(definition.boards, board)) {
      throw new ApiFailure("bad-request", `${board} is no board of this swarm.`);
    }
    const { drained } = this.#agreed;
    if (drained.includes(board) === isDrained) return;
    const wanted = isDrained ? [...drained, board] : drained.filter((name) => name !== board);
    if (wanted.length > drainedMax) {
      throw new ApiFailure(
        "out-of-limits",
        `${drainedMax} boards are drained, which is the most; undrain one.`,
      );
    }
    await this.#propose(
      drainedKey,
      encodeCbor(drainedToWire(wanted)),
      state.get(drainedKey)?.value as Uint8Array,
    );
  }

  #statusOf(name: string): TaskStatus {
    const { definition } = this.#options;
    const { on, strategy, leaseMs } = definition.tasks![name]!;
    const placement = this.#agreed.placements.get(name)?.placement;
    const heardMs = this.#keeper.heardMs(name);
    const holder = placement?.mode === "held" ? placement.holder : undefined;
    const silentMs =
      holder === undefined || heardMs === undefined ? undefined : Math.round(performance.now() - heardMs);
    const state =
      placement?.mode === "stopped"
        ? "stopped"
        : holder === undefined
          ? "waiting"
          : isLate()
            ? "silent"
            : "placed";
    return {
      name,
      state,
      on,
      holder,
      token: placement?.token ?? 0,
      sinceMs: placement?.sinceMs,
      strategy,
      leaseMs,
      silentMs,
    };

    function isLate(): boolean {
      return silentMs !== undefined && silentMs >= (placement?.leaseMs ?? leaseMs);
    }
  }

  #demandTask(name: string): void {
    const { tasks = {} } = this.#options.definition;
    if (Object.hasOwn(tasks, name)) return;
    const known = Object.keys(tasks).join(", ") || "none";
    throw new ApiFailure("not-found", `There is no task ${name}; swarm.ts declares ${known}.`);
  }

  async #put(
    name: string,
    present: NonNullable<ReturnType<AgreedTasks["placements"]["get"]>>,
    next: (typeof present)["placement"],
  ): Promise<void> {
    await this.#propose(taskKeyPrefix + name, encodePlacement(next), present.value);
  }

  async #propose(key: string, value: Uint8Array, expected: Uint8Array | undefined): Promise<void> {
    const { replica } = this.#options;
    try {
      await replica.propose({ key, value, id: replica.newCommandId(), expected: { value: expected } });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ApiFailure(
        "not-leader",
        `That was not agreed on (${why}); look with covey task list, and try again.`,
      );
    }
  }

  #facts(): Map<string, HolderFacts> {
    const { definition, boards } = this.#options;
    const facts = new Map<string, HolderFacts>();
    for (const status of boards.status(() => false)) {
      facts.set(status.id, this.#factsOf(status, definition.boards[status.id]!));
    }
    return facts;
  }

  #factsOf(status: BoardStatus, { place, program }: BoardDefinition): HolderFacts {
    const { id, heapPeakBytes, arenaBytes, appliedIndex, device, cloned, link } = status;
    const { zone, has = [], onBattery = false, weight = 1 } = place ?? {};
    const full = arenaBytes === 0 ? 0 : heapPeakBytes / arenaBytes;
    const own = program.pipelines.length;
    const holder = {
      name: id,
      weight: full >= fullFrom.half ? weight / 2 : weight,
      load: own,
      room: programLimits.pipelinesMax - own,
      ...{ has, zone, onBattery: onBattery || program.sleep !== undefined },
    };
    const isUp = link === "up";
    const isWell = device?.isSafe !== true && !cloned && program.sleep === undefined;
    const isUsable = isUp && isWell && full < fullFrom.none && !this.#agreed.drained.includes(id);
    return { kind: "boards", holder, isUp, isUsable, appliedIndex };
  }

  /** Over the host where the board is. */
  #send(board: string, leases: Leases): void {
    const { boards, links, hostName } = this.#options;
    const payload = encodeCbor(leasesToWire(leases));
    const host = boards.hostsOfBoard(board)[0];
    if (host === hostName) boards.sendHere(board, "lease", payload);
    else if (host !== undefined && links.isUp(host)) links.send(host, { kind: "grant", board, payload });
  }
}
