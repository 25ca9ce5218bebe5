/** One run of a host's process as a holder of tasks: all of it ships. What it tells others, the world brings about. */
import { Failed } from "../../../../host-tools/cli/failure.ts";
import { ApiFailure } from "../../../../host-tools/leader/api/api-failure.ts";
import type { QueryAnswer } from "../../../../host-tools/leader/api/types/queries.ts";
import type { HoldAnswer } from "../../../../host-tools/leader/api/types/tasks.ts";
import type { HostState } from "../../../../host-tools/leader/hosts/host-frames.ts";
import { type AggregateTold, Aggregations } from "../../../../host-tools/leader/tasks/aggregations.ts";
import type { AgreedTasks } from "../../../../host-tools/leader/tasks/agreed-tasks.ts";
import type { HoldRequest } from "../../../../host-tools/leader/tasks/hold-request.ts";
import { HostTenure } from "../../../../host-tools/leader/tasks/host-tenure.ts";
import { LeaseClock } from "../../../../host-tools/leader/tasks/lease-clock.ts";
import { RoleDesk } from "../../../../host-tools/leader/tasks/role-desk.ts";
import type { Leases } from "../../../../protocols/tasks/lease-messages.ts";
import type { Host } from "../../../host-tools/leader/raft/host-world.ts";
import type { Computer } from "./computer.ts";
import { tasks } from "./holder-tasks.ts";

/** What a host says of itself to the others. */
export type Word = Pick<HostState, "appliedIndex" | "ready" | "lingering">;

export interface HoldingHostOptions {
  readonly host: Host;
  readonly computer: Computer;
  readonly agreed: AgreedTasks;
  claim(leases: Leases): void;
  tell(told: AggregateTold): void;
  /** The boards answer with `value`. */
  query(value: number): Promise<QueryAnswer>;
  /** A value is taken for good: the token of the tenure in which it was asked for. */
  onTaken(token: number): void;
}

export class HoldingHost {
  readonly name: string;
  readonly member: Host["member"];
  readonly tenure: HostTenure;
  readonly aggregations: Aggregations;
  /** What it last heard of each other host, and when that was said. */
  readonly words = new Map<string, { readonly saidMs: number; readonly word: Word }>();
  readonly #desk: RoleDesk;

  constructor({ host, computer, agreed, claim, tell, query, onTaken }: HoldingHostOptions) {
    this.name = host.name;
    this.member = host.member;
    const clock = new LeaseClock(
      () => computer.steadyMs(),
      () => computer.wallMs(),
      Math.floor(computer.world.random() * 2 ** 40),
    );
    const ours = { hostName: host.name, tasks, nowMs: () => clock.nowMs() };
    const wallMs = () => Math.round(computer.wallMs());
    this.tenure = new HostTenure({ ...ours, agreed, claim });
    this.#desk = new RoleDesk({ ...ours, tenure: this.tenure });
    this.aggregations = new Aggregations({
      ...{ hostName: host.name, tasks, agreed, tenure: this.tenure, log: { warn: () => {} } },
      ...{ tell, wallMs },
      query: () => query(this.tenure.of("p95")!.token),
      store: ({ value }) => onTaken(value),
    });
  }

  get word(): Word {
    const { ready, lingering } = this.#desk;
    return { appliedIndex: this.member!.appliedIndex, ready, lingering };
  }

  hold(task: string, request: HoldRequest): HoldAnswer {
    return this.#desk.ask(task, request);
  }
}

/** As it arrives at a client. */
export function asFailed(error: unknown): unknown {
  if (!(error instanceof ApiFailure)) return error;
  return new Failed(error.message, error.code, error.code === "bad-request" ? 2 : 1);
}
