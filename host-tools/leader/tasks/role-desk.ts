/**
 * Where processes on this computer stand ready to carry out roles (`covey task hold`), and are told whether they may, and for how long.
 *
 * A process asks again and again. What it is told counts for it from when it asked, as a claim of the host itself does at the leader, so its lease ends before the host's. A task that was
 * taken from the host lingers until the process has said that it has stopped, or its lease is over: only then is the host said to have let go.
 */

import type { TaskDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HoldAnswer } from "../api/types/tasks.ts";
import type { HoldRequest } from "./hold-request.ts";
import type { HostTenure } from "./host-tenure.ts";
import { isRoleOfHosts } from "./roles.ts";

export interface RoleDeskOptions {
  readonly hostName: string;
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
  readonly tenure: Pick<HostTenure, "of">;
  /** `LeaseClock`'s. */
  nowMs(): number;
}

interface Stand {
  readonly process: string;
  number: number;
  heardMs: number;
  /** It may be carrying out the role until then, as far as it was told. */
  mayRunUntilMs: number;
}

/** A process that was silent for so long stands ready no more. */
const silenceMsMax = 3_000;
const asksInSilence = 6;

export class RoleDesk {
  readonly #options: RoleDeskOptions;
  readonly #startedMs: number;
  readonly #stands = new Map<string, Stand>();

  constructor(options: RoleDeskOptions) {
    this.#options = options;
    this.#startedMs = options.nowMs();
  }

  /** Roles for which somebody stands ready here. */
  get ready(): string[] {
    const nowMs = this.#options.nowMs();
    return [...this.#stands]
      .filter(([task, stand]) => this.#isHeard(task, stand, nowMs))
      .map(([task]) => task);
  }

  /** Roles that somebody here may be carrying out, whatever the agreed state says by now. */
  get lingering(): string[] {
    const nowMs = this.#options.nowMs();
    const roles = Object.entries(this.#options.tasks).filter(([, definition]) => isRoleOfHosts(definition));
    return roles.flatMap(([task, { leaseMs }]) => {
      const stand = this.#stands.get(task);
      return this.#isUnknown(leaseMs, nowMs) || (stand !== undefined && nowMs < stand.mayRunUntilMs)
        ? [task]
        : [];
    });
  }

  /** @throws {ApiFailure} */
  ask(task: string, request: HoldRequest): HoldAnswer {
    const { hostName, tasks, tenure } = this.#options;
    const definition = Object.hasOwn(tasks, task) ? tasks[task]! : undefined;
    if (definition === undefined || !isRoleOfHosts(definition)) throw noRole(task, tasks);
    const nowMs = this.#options.nowMs();
    const stand = this.#standOf(task, request, nowMs);
    const { leaseMs } = definition;
    const askAgainMs = silenceMs(leaseMs) / asksInSilence;
    stand.heardMs = request.isLeaving ? -Infinity : nowMs;
    if (!request.isRunning) stand.mayRunUntilMs = -Infinity;
    // Whoever does not run it may be another one than whom the process of this host before told something.
    const mayHold = !request.isLeaving && (request.isRunning || !this.#isUnknown(leaseMs, nowMs));
    const open = mayHold ? tenure.of(task) : undefined;
    if (open === undefined) return { task, host: hostName, state: "waiting", leaseMs, askAgainMs };
    stand.mayRunUntilMs = Math.max(stand.mayRunUntilMs, open.untilMs);
    const leftMs = open.untilMs - nowMs;
    return { task, host: hostName, state: "held", leaseMs, askAgainMs, token: open.token, leftMs };
  }

  /** Whether the process of this host before may have told somebody something that lasts. */
  #isUnknown(leaseMs: number, nowMs: number): boolean {
    return nowMs < this.#startedMs + leaseMs;
  }

  /** @throws {ApiFailure} for a second process, and for a question that comes after a later one. */
  #standOf(task: string, { process, number }: HoldRequest, nowMs: number): Stand {
    const known = this.#stands.get(task);
    if (known?.process === process) {
      if (number <= known.number)
        throw new ApiFailure("bad-request", "A later question was answered already.");
      known.number = number;
      return known;
    }
    if (known !== undefined && (this.#isHeard(task, known, nowMs) || nowMs < known.mayRunUntilMs)) {
      throw new ApiFailure(
        "too-many",
        `Another process stands ready for ${task} on ${this.#options.hostName}; one on each host is enough.`,
        429,
      );
    }
    const stand = { process, number, heardMs: nowMs, mayRunUntilMs: -Infinity };
    this.#stands.set(task, stand);
    return stand;
  }

  #isHeard(task: string, { heardMs }: Stand, nowMs: number): boolean {
    return nowMs < heardMs + silenceMs(this.#options.tasks[task]!.leaseMs);
  }
}

function silenceMs(leaseMs: number): number {
  return Math.min(silenceMsMax, leaseMs / 2);
}

function noRole(task: string, tasks: RoleDeskOptions["tasks"]): ApiFailure {
  const roles = Object.keys(tasks).filter((name) => isRoleOfHosts(tasks[name]!));
  const known = roles.join(", ") || "none";
  return new ApiFailure(
    "not-found",
    `${task} is no role of hosts; swarm.ts declares ${known} (task({ on: "hosts", role: true })).`,
  );
}
