/**
 * Questions to the boards: each is asked for the summary of one metric over a window, and what they answer is merged here, so that the values themselves stay where they
 * were measured. A board at another host is asked through that one, and its answer comes back to all hosts; the id says whose it is.
 */
import { randomInt } from "node:crypto";
import { type BoardAnswer, queryLimits, queryToWire } from "../../../protocols/query/messages.ts";
import { Summary } from "../../../protocols/query/summary.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { QueryAnswer, QueryRow } from "../api/types/queries.ts";
import { parseQuery, type Query, QueryMistake } from "./query-text.ts";

export const queriesLimits = {
  /** For all boards to answer. */
  answerMs: 2_000,
  /** Under way at once. */
  openMax: 16,
} as const;

export interface QueriesOptions {
  readonly definition: SwarmDefinition;
  /** Names of hosts to which a board is connected, this one first. */
  hostsOf(board: string): readonly string[];
  /** Asks a board through a host; false when that is not possible. */
  ask(host: string, board: string, payload: Uint8Array): boolean;
}

interface Open {
  readonly waiting: Set<string>;
  readonly answers: Map<string, BoardAnswer>;
  finish(): void;
}

export class Queries {
  readonly #options: QueriesOptions;
  readonly #open = new Map<number, Open>();

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  /** Of boards that `isWanted`. Rejects with `ApiFailure`. */
  async run(text: string, isWanted: (board: string) => boolean): Promise<QueryAnswer> {
    const query = readQuery(text);
    const boards = this.#boardsWith(query, isWanted);
    const answers = await this.#askAll(query, boards);
    const silent = boards.filter((board) => !answers.has(board));
    // Its program is an older one: it keeps nothing of the metric yet.
    const without = boards.filter((board) => answers.has(board) && answers.get(board)!.summary === undefined);
    const covered = [...answers.values()].filter(({ summary }) => summary !== undefined);
    return {
      ...{ query: text.trim(), function: query.function, metric: query.metric, by: query.by },
      unit: query.function === "count" ? "" : this.#unitOf(boards[0]!, query.metric),
      windowMs: query.windowMs,
      ...{ rows: this.#rows(query, answers), boards: boards.length, answered: covered.length },
      silent: [...silent, ...without],
      coveredMs:
        covered.length === 0
          ? undefined
          : [
              Math.min(...covered.map(({ coveredMs }) => coveredMs)),
              Math.max(...covered.map(({ coveredMs }) => coveredMs)),
            ],
    };
  }

  /** Of any board, to whichever host's question. */
  take(board: string, answer: BoardAnswer): void {
    const open = this.#open.get(answer.id);
    if (open?.waiting.delete(board) !== true) return;
    open.answers.set(board, answer);
    if (open.waiting.size === 0) open.finish();
  }

  stop(): void {
    for (const open of this.#open.values()) open.finish();
  }

  async #askAll({ metric, windowMs }: Query, boards: readonly string[]): Promise<Map<string, BoardAnswer>> {
    if (this.#open.size >= queriesLimits.openMax) {
      throw new ApiFailure(
        "too-many",
        `${queriesLimits.openMax} queries are under way; ask again in a moment.`,
        429,
      );
    }
    const id = randomInt(queryLimits.idMax + 1);
    const payload = encodeCbor(queryToWire({ id, metric, windowMs }));
    const { hostsOf, ask } = this.#options;
    const answers = new Map<string, BoardAnswer>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const open = { waiting: new Set<string>(), answers, finish: resolve };
    this.#open.set(id, open);
    const timer = setTimeout(resolve, queriesLimits.answerMs);
    for (const board of boards) {
      open.waiting.add(board);
      if (!hostsOf(board).some((host) => ask(host, board, payload))) open.waiting.delete(board);
    }
    if (open.waiting.size === 0) resolve();
    await promise;
    clearTimeout(timer);
    this.#open.delete(id);
    return answers;
  }

  #rows(query: Query, answers: ReadonlyMap<string, BoardAnswer>): QueryRow[] {
    const groups = new Map<string, Summary>();
    for (const [board, { summary }] of answers) {
      if (summary === undefined) continue;
      const group = this.#groupOf(board, query);
      const merged = groups.get(group) ?? new Summary();
      merged.merge(summary);
      groups.set(group, merged);
    }
    const rows = [...groups].map(([group, summary]) => ({
      ...{ group, samples: summary.count },
      ...resultOf(query, summary),
    }));
    return rows.sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  #groupOf(board: string, { by }: Query): string {
    if (by === "all") return "all";
    return by === "board" ? board : this.#options.definition.boards[board]!.model;
  }

  #boardsWith({ metric, windowMs }: Query, isWanted: (board: string) => boolean): string[] {
    const { boards } = this.#options.definition;
    const kept = Object.entries(boards).flatMap(([board, { program }]) =>
      program.pipelines.flatMap((one) =>
        one.keepMs === undefined || !isWanted(board)
          ? []
          : [{ board, metric: one.metric, keepMs: one.keepMs }],
      ),
    );
    const having = kept.filter((one) => one.metric === metric);
    if (having.length === 0) {
      const known = [...new Set(kept.map((one) => one.metric))].sort().join(", ") || "nothing";
      throw new ApiFailure(
        "not-found",
        `No board keeps ${metric} for queries; swarm.ts says so with .keep("1h"), and has ${known} kept.`,
      );
    }
    const longestMs = Math.max(...having.map(({ keepMs }) => keepMs));
    if (windowMs > longestMs) {
      throw new ApiFailure(
        "out-of-limits",
        `${metric} is kept for ${longestMs / 60_000} minutes; ask for no more, or keep it longer.`,
      );
    }
    return having.map(({ board }) => board);
  }

  #unitOf(board: string, metric: string): string {
    return this.#options.definition.boards[board]?.units[metric] ?? "";
  }
}

function readQuery(text: string): Query {
  try {
    return parseQuery(text);
  } catch (error) {
    throw error instanceof QueryMistake ? new ApiFailure("bad-request", error.message) : error;
  }
}

/** The value is null where there are too few samples for one. */
function resultOf(query: Query, summary: Summary): Pick<QueryRow, "value" | "error"> {
  const exact = (value: number) => ({ value: Number.isFinite(value) ? value : null, error: 0 });
  if (query.function === "count") return exact(summary.count);
  if (summary.count === 0) return exact(Number.NaN);
  switch (query.function) {
    case "mean":
      return exact(summary.mean);
    case "min":
      return exact(summary.min);
    case "max":
      return exact(summary.max);
    case "sum":
      return exact(summary.sum);
    case "stddev":
      return exact(summary.deviation);
    default:
      return { value: summary.quantile(query.share!), error: summary.quantileError };
  }
}
