/** What `GET /api/log` answers. */

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: "noop" | "put" | "puts" | "adoption" | "membership" | "unknown";
  /** For a put: the key and its value (a program as `N bytes`); for several in one entry: each of them; for an adoption: how much the draft is; for a membership: the voters. */
  readonly text: string;
  /** Of a put. */
  readonly key?: string;
  readonly committed: boolean;
}
