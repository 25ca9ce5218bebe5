import type { Leases } from "./lease-messages.ts";
import { type Placement, taskLimits } from "./placement.ts";

/** A task that the swarm has placed on this board. */
export interface HeldTask {
  readonly task: string;
  readonly placement: Placement;
  /** The board may run it until then, on its own clock. */
  untilMs: number;
}

/**
 * The tasks of one board: which it is to run, and until when it may. A lease counts from when the board asked for it, not from when it was given it: the leader
 * counts from when it was asked, which is later, so the board has stopped before the leader gives the task to another. Keeps no clock; times are the board's.
 */
export class Tenure {
  readonly #held: HeldTask[] = [];
  readonly #startMs: number;
  #claimMs: number;

  /** Nothing that was asked before `nowMs` is an answer to this board: it was another run of it. */
  constructor(nowMs: number) {
    this.#startMs = nowMs;
    this.#claimMs = nowMs;
  }

  /** Of those that are placed here, in the order of their names. */
  get held(): readonly HeldTask[] {
    return this.#held;
  }

  /** When a claim is due or a lease ends; Infinity for never. */
  dueMs(nowMs: number): number {
    if (this.#held.length === 0) return Infinity;
    let dueMs = this.#claimMs;
    for (let i = 0; i < this.#held.length; i++) {
      const { untilMs } = this.#held[i]!;
      if (untilMs > nowMs) dueMs = Math.min(dueMs, untilMs);
    }
    return dueMs;
  }

  /** `task` is placed here as `placement` says; undefined: no longer. The lease goes on under the same token only. */
  place(task: string, placement: Placement | undefined, nowMs: number): void {
    const at = this.#held.findIndex((one) => one.task === task);
    const same = at >= 0 && this.#held[at]!.placement.token === placement?.token;
    const untilMs = same ? this.#held[at]!.untilMs : -Infinity;
    if (at >= 0) this.#held.splice(at, 1);
    if (placement === undefined || this.#held.length >= taskLimits.tasksMax) return;
    let before = 0;
    while (before < this.#held.length && this.#held[before]!.task < task) before++;
    this.#held.splice(before, 0, { task, placement, untilMs });
    if (!same) this.#claimMs = nowMs;
  }

  clear(): void {
    this.#held.length = 0;
  }

  /** What to ask the leader for now; undefined while that is not due. Four times in the shortest lease, so that three may be lost. */
  claim(nowMs: number): Leases | undefined {
    if (this.#held.length === 0 || nowMs < this.#claimMs) return undefined;
    let leaseMs = Infinity;
    for (const { placement } of this.#held) leaseMs = Math.min(leaseMs, placement.leaseMs);
    this.#claimMs = nowMs + leaseMs / 4;
    return {
      askedMs: nowMs,
      tasks: this.#held.map(({ task, placement }) => ({ task, token: placement.token })),
    };
  }

  /** The leader's answer. */
  grant({ askedMs, tasks }: Leases, nowMs: number): void {
    if (askedMs < this.#startMs || askedMs > nowMs) return;
    for (const { task, token } of tasks) {
      const held = this.#held.find((one) => one.task === task);
      if (held?.placement.token !== token) continue;
      held.untilMs = Math.max(held.untilMs, askedMs + held.placement.leaseMs);
    }
  }

  /** Whether the board may run it at this moment. */
  isOpen({ untilMs }: HeldTask, nowMs: number): boolean {
    return nowMs < untilMs;
  }
}
