/** Something that happened in the swarm and that a person may want to know. */
export interface SwarmEvent {
  /** Unix milliseconds. */
  readonly atMs: number;
  /** A board's name, `leader` or `swarm`. */
  readonly source: string;
  readonly level: "info" | "warn" | "error";
  /** One line. */
  readonly text: string;
}
