/** What `/api/tasks` answers. */

/** How a task stands. `waiting`: no board may hold it, or the one that had it may still run it. `silent`: its board has not claimed it for a whole lease. */
export interface TaskStatus {
  readonly name: string;
  readonly state: "placed" | "silent" | "waiting" | "stopped";
  /** Whether boards or hosts may hold it. */
  readonly on: "boards" | "hosts";
  readonly holder: string | undefined;
  /** Of the last placement; 0 for none yet. */
  readonly token: number;
  /** Unix milliseconds of the last placement. */
  readonly sinceMs: number | undefined;
  readonly strategy: string;
  readonly leaseMs: number;
  /** Since its holder last claimed it. */
  readonly silentMs: number | undefined;
}

/** Answer of `GET /api/tasks`, and of each change of them. */
export interface TasksStatus {
  readonly tasks: readonly TaskStatus[];
  /** Boards and hosts that are to be given none. */
  readonly drained: readonly string[];
}

/** Answer of `POST /api/tasks/NAME/hold`. */
export interface HoldAnswer {
  readonly task: string;
  /** Which was asked. */
  readonly host: string;
  /** `held`: whoever asked may carry out the role, for `leftMs` from when it asked. `waiting`: it may not. */
  readonly state: "held" | "waiting";
  readonly leaseMs: number;
  /** After which it is to ask again. */
  readonly askAgainMs: number;
  /** Of the tenure; absent while waiting, as `leftMs`. */
  readonly token?: number;
  readonly leftMs?: number;
}
