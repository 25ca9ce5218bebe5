/** What `GET /api/query` answers. */

/** What the boards answered, merged. */
export interface QueryAnswer {
  readonly query: string;
  readonly function: string;
  readonly metric: string;
  readonly by: "board" | "model" | "all";
  readonly unit: string;
  readonly windowMs: number;
  /** By group, in order. */
  readonly rows: readonly QueryRow[];
  /** Boards that were asked, and those that answered. */
  readonly boards: number;
  readonly answered: number;
  readonly silent: readonly string[];
  /** How far back the answers reach, at least and at most; undefined when there are none. */
  readonly coveredMs: readonly [number, number] | undefined;
}

export interface QueryRow {
  /** A board, a model, or `all`. */
  readonly group: string;
  /** null where there are too few samples for one. */
  readonly value: number | null;
  /** The value is off by this at most; 0 but for percentiles. */
  readonly error: number;
  readonly samples: number;
}
