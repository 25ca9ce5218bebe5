/**
 * The tasks that this host holds, as `firmware/board/tasks.ts` has a board's: it claims what the agreed state has placed here, and may do it as long as its lease lasts, by its own
 * clock. Whether it may is asked again right before anything is done: a process that stood still does not know for how long.
 */
import type { Leases } from "../../../protocols/tasks/lease-messages.ts";
import { Tenure } from "../../../protocols/tasks/tenure.ts";
import type { TaskDefinition } from "../../swarm-file/definition.ts";
import type { AgreedTasks } from "./agreed-tasks.ts";

export interface HostTenureOptions {
  readonly hostName: string;
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
  readonly agreed: AgreedTasks;
  /** To whoever leads; lost where nobody does. */
  claim(leases: Leases): void;
  /** `LeaseClock`'s. */
  nowMs(): number;
}

/** A lease that is open now. */
export interface OpenTenure {
  readonly token: number;
  /** By the lease clock. */
  readonly untilMs: number;
}

export class HostTenure {
  readonly #options: HostTenureOptions;
  readonly #tenure: Tenure;

  constructor(options: HostTenureOptions) {
    this.#options = options;
    this.#tenure = new Tenure(options.nowMs());
  }

  /** Claims what is due. */
  run(): void {
    const nowMs = this.#follow();
    const leases = this.#tenure.claim(Math.floor(nowMs));
    if (leases !== undefined) this.#options.claim(leases);
  }

  /** The leader's answer to a claim. */
  granted(leases: Leases): void {
    this.#tenure.grant(leases, this.#follow());
  }

  /** undefined: this host may not do it at this moment. */
  of(task: string): OpenTenure | undefined {
    const nowMs = this.#follow();
    const held = this.#tenure.held.find((one) => one.task === task);
    if (held === undefined || !this.#tenure.isOpen(held, nowMs)) return undefined;
    return { token: held.placement.token, untilMs: held.untilMs };
  }

  /** Takes up what the agreed state says at this moment. */
  #follow(): number {
    const { hostName, tasks, agreed, nowMs } = this.#options;
    const now = nowMs();
    for (const [task, { on }] of Object.entries(tasks)) {
      if (on !== "hosts") continue;
      const placement = agreed.placements.get(task)?.placement;
      const isHere = placement?.mode === "held" && placement.holder === hostName;
      const known = this.#tenure.held.find((held) => held.task === task);
      if (known?.placement.token === (isHere ? placement.token : undefined)) continue;
      this.#tenure.place(task, isHere ? { ...placement, program: null } : undefined, now);
    }
    return now;
  }
}
