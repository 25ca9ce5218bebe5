/** A host's part in tasks: its keeper while it leads, what boards and hosts claim, what it holds itself, what operators ask for, and how each task stands. */
import { drainedKey, drainedMax, drainedToWire } from "../../../protocols/tasks/drained.ts";
import { type Leases, leasesFromWire, leasesToWire } from "../../../protocols/tasks/lease-messages.ts";
import { taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { QueryAnswer } from "../api/types/queries.ts";
import type { HoldAnswer, TaskStatus, TasksStatus } from "../api/types/tasks.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { HostFrame, HostState } from "../hosts/host-frames.ts";
import type { Log } from "../log.ts";
import type { Replica } from "../raft/replica.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import { type AggregateTold, Aggregations } from "./aggregations.ts";
import { AgreedTasks } from "./agreed-tasks.ts";
import type { HoldRequest } from "./hold-request.ts";
import { boardFacts, hostFacts } from "./holder-facts.ts";
import { HostTenure } from "./host-tenure.ts";
import { LeaseClock } from "./lease-clock.ts";
import { RoleDesk } from "./role-desk.ts";
import type { TaskChange } from "./task-change.ts";
import { encodePlacement, type HolderFacts, TaskKeeper, taskKeeperLimits } from "./task-keeper.ts";
import { type TaskMetric, taskMetricOf } from "./task-metrics.ts";

export interface TasksOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly state: AgreedState;
  readonly replica: Replica;
  readonly boards: BoardRegistry;
  /** What the other hosts last said of themselves, by name. */
  peers(): ReadonlyMap<string, HostState>;
  sendToHost(host: string, frame: HostFrame): void;
  isUp(host: string): boolean;
  broadcast(frame: HostFrame): void;
  /** Rejects with `ApiFailure`. */
  query(text: string, isWanted: (board: string) => boolean): Promise<QueryAnswer>;
  store(reading: NewReading): void;
  readonly log: Log;
}

/** Of a lease, what passes at most before what is due is claimed: leases are 2 s at least. */
const claimEveryMs = 250;

export class Tasks {
  readonly #options: TasksOptions;
  readonly #agreed: AgreedTasks;
  readonly #keeper: TaskKeeper;
  readonly #tenure: HostTenure;
  readonly #desk: RoleDesk;
  readonly #aggregations: Aggregations;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: TasksOptions) {
    const { definition, replica, log, hostName } = options;
    const clock = new LeaseClock();
    const ours = { hostName, tasks: definition.tasks ?? {}, nowMs: () => clock.nowMs() };
    this.#options = options;
    this.#agreed = new AgreedTasks(options.state);
    this.#keeper = new TaskKeeper({
      ...{ tasks: definition.tasks ?? {}, agreed: this.#agreed, replica, log },
      holders: () => this.#holders(),
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
    this.#tenure = new HostTenure({ ...ours, agreed: this.#agreed, claim: (leases) => this.#claim(leases) });
    this.#desk = new RoleDesk({ ...ours, tenure: this.#tenure });
    this.#aggregations = new Aggregations({
      ...{ hostName, tasks: definition.tasks ?? {}, agreed: this.#agreed, tenure: this.#tenure, log },
      ...{ query: options.query, store: options.store, wallMs: Date.now },
      tell: (told) => options.broadcast({ kind: "aggregate", ...told }),
    });
  }

  /** Roles for which somebody stands ready on this host. */
  get ready(): readonly string[] {
    return this.#desk.ready;
  }

  /** Roles that were taken from this host and may still be carried out here. */
  get lingering(): readonly string[] {
    return this.#desk.lingering;
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.#keeper.look(), taskKeeperLimits.lookEveryMs),
      setInterval(() => this.#tenure.run(), claimEveryMs),
      setInterval(() => this.#aggregations.run(), claimEveryMs),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  claim(board: string, claim: Leases): void {
    this.#keeper.claim(board, claim);
  }

  /** Another host claims. @throws {ShapeError | CborError} */
  claimOfHost(host: string, payload: Uint8Array): void {
    this.#keeper.claim(host, leasesFromWire(decodeCbor(payload)));
  }

  /** To this host, by the one that leads. @throws {ShapeError | CborError} */
  granted(payload: Uint8Array): void {
    this.#tenure.granted(leasesFromWire(decodeCbor(payload)));
  }

  /** Another host tells what it has worked out. */
  takeAggregate(host: string, told: AggregateTold): void {
    this.#aggregations.take(host, told);
  }

  /** A process on this computer asks whether it may carry out a role. @throws {ApiFailure} */
  hold(task: string, request: HoldRequest): HoldAnswer {
    return this.#desk.ask(task, request);
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

  /** Resolves once it is agreed on. Rejects as `add` does. */
  async change({ action, name }: TaskChange): Promise<TasksStatus> {
    if (action === "add") await this.add(name);
    else if (action === "remove") await this.remove(name);
    else await this.drain(name, action === "drain");
    return this.status();
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

  /** A board or host is to hold no tasks, or may again. As `add`. */
  async drain(holder: string, isDrained: boolean): Promise<void> {
    const { definition, state } = this.#options;
    if (!Object.hasOwn(definition.boards, holder) && !definition.hosts.includes(holder)) {
      throw new ApiFailure("bad-request", `${holder} is no board and no host of this swarm.`);
    }
    const { drained } = this.#agreed;
    if (drained.includes(holder) === isDrained) return;
    const wanted = isDrained ? [...drained, holder] : drained.filter((name) => name !== holder);
    if (wanted.length > drainedMax) {
      throw new ApiFailure(
        "out-of-limits",
        `${drainedMax} boards and hosts are drained, which is the most; undrain one.`,
      );
    }
    await this.#propose(
      drainedKey,
      encodeCbor(drainedToWire(wanted)),
      state.get(drainedKey)?.value as Uint8Array,
    );
  }

  #holders(): Map<string, HolderFacts> {
    const { definition, boards, hostName, replica, peers, isUp } = this.#options;
    const { drained } = this.#agreed;
    const { appliedIndex } = replica.status();
    const own = { appliedIndex, ready: this.ready, lingering: this.lingering };
    const facts = boards
      .status(() => false)
      .map((status) => boardFacts(status, definition.boards[status.id]!, drained));
    for (const host of definition.hosts) {
      const word = host === hostName ? own : peers().get(host);
      const isHere = host === hostName || isUp(host);
      if (word !== undefined)
        facts.push(hostFacts(host, definition.hostPlaces?.[host], word, isHere, drained));
    }
    return new Map(facts.map((one) => [one.holder.name, one]));
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

  /** Over the host where the board is, or to a host. */
  #send(holder: string, leases: Leases): void {
    const { boards, sendToHost, isUp, hostName, definition } = this.#options;
    if (holder === hostName) {
      this.#tenure.granted(leases);
      return;
    }
    const payload = encodeCbor(leasesToWire(leases));
    const host = definition.hosts.includes(holder) ? holder : boards.hostsOfBoard(holder)[0];
    if (host === hostName) boards.sendHere(holder, "lease", payload);
    else if (host !== undefined && isUp(host)) sendToHost(host, { kind: "grant", holder, payload });
  }

  /** To whoever leads, as far as this host knows. */
  #claim(leases: Leases): void {
    const { replica, sendToHost, hostName } = this.#options;
    const { leaderId } = replica.status();
    if (replica.isLeader) this.#keeper.claim(hostName, leases);
    else if (leaderId !== undefined) {
      sendToHost(nameOf(leaderId), { kind: "claim", payload: encodeCbor(leasesToWire(leases)) });
    }
  }
}
