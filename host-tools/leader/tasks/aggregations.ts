/**
 * What hosts work out of what boards keep, again and again: each aggregation on the host that holds it. At every full period of the wall's time that host asks the boards, for a
 * summary each, and tells all hosts what comes of it, under the token of its tenure.
 *
 * Asking takes seconds, and a process may stand still for longer; so whether the host still holds the task is asked once more when the answer is there, in the same moment in which
 * it is told. And whoever hears it takes it only from the holder that the agreed state names, under that token.
 */
import type { AggregateDefinition, TaskDefinition } from "../../swarm-file/definition.ts";
import type { QueryAnswer } from "../api/types/queries.ts";
import type { Log } from "../log.ts";
import type { NewReading } from "../telemetry/telemetry.ts";
import type { AgreedTasks } from "./agreed-tasks.ts";
import type { HostTenure } from "./host-tenure.ts";

/** What a host tells the others. */
export interface AggregateTold {
  readonly task: string;
  readonly token: number;
  /** Unix milliseconds: the end of the time that it covers. */
  readonly atMs: number;
  readonly value: number;
}

export interface AggregationsOptions {
  readonly hostName: string;
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
  readonly agreed: AgreedTasks;
  readonly tenure: Pick<HostTenure, "of">;
  /** Rejects with `ApiFailure`. */
  query(text: string, isWanted: (board: string) => boolean): Promise<QueryAnswer>;
  /** To the other hosts. */
  tell(told: AggregateTold): void;
  store(reading: NewReading): void;
  readonly log: Pick<Log, "warn">;
  /** Unix milliseconds. */
  wallMs(): number;
}

export class Aggregations {
  /** Refused, because whoever told it holds the task no more. */
  fenced = 0;
  /** Worked out, and told nobody, because the lease was over by then. */
  late = 0;
  readonly #options: AggregationsOptions;
  /** Number of the period that each task is in. */
  readonly #periods = new Map<string, number>();

  constructor(options: AggregationsOptions) {
    this.#options = options;
  }

  /** Begins what is due. To be called some times a second. */
  run(): void {
    for (const [task, { aggregate }] of Object.entries(this.#options.tasks)) {
      if (aggregate === undefined) continue;
      const period = Math.floor(this.#options.wallMs() / aggregate.everyMs);
      const before = this.#periods.get(task);
      this.#periods.set(task, period);
      // Of the period in which this host was started it was not there for all.
      if (before === undefined || period <= before) continue;
      void this.#workOut(task, aggregate, period * aggregate.everyMs);
    }
  }

  /** What a host has told, this one or another. */
  take(host: string, { task, token, atMs, value }: AggregateTold): void {
    const { tasks, agreed, store } = this.#options;
    const aggregate = Object.hasOwn(tasks, task) ? tasks[task]!.aggregate : undefined;
    const placement = agreed.placements.get(task)?.placement;
    if (aggregate === undefined || placement?.holder !== host || placement.token !== token) {
      this.fenced++;
      return;
    }
    store({ board: host, metric: aggregate.metric, atMs, value, quality: 0 });
  }

  async #workOut(task: string, { query, boards }: AggregateDefinition, atMs: number): Promise<void> {
    const { hostName, tenure, tell, log } = this.#options;
    const before = tenure.of(task);
    if (before === undefined) return;
    const value = await this.#ask(task, query, boards);
    if (value === undefined) return;
    if (tenure.of(task)?.token !== before.token) {
      this.late++;
      log.warn("aggregate-late", { task, token: before.token });
      return;
    }
    const told = { task, token: before.token, atMs, value };
    tell(told);
    this.take(hostName, told);
  }

  /** undefined where no board has anything to say. */
  async #ask(task: string, query: string, boards: readonly string[]): Promise<number | undefined> {
    try {
      const { rows } = await this.#options.query(query, (board) => boards.includes(board));
      return rows[0]?.value ?? undefined;
    } catch (error) {
      this.#options.log.warn("aggregate-failed", { task, reason: (error as Error).message });
      return undefined;
    }
  }
}
