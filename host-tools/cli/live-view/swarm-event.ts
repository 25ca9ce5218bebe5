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

const earlyEventsMax = 1000;

/** Carries events to who shows them; those from before somebody did are kept for the first who listens. */
export class SwarmEvents {
  #early: SwarmEvent[] = [];
  #listener: ((event: SwarmEvent) => void) | undefined;

  add(level: SwarmEvent["level"], source: string, text: string): void {
    const event = { atMs: Date.now(), source, level, text };
    if (this.#listener !== undefined) this.#listener(event);
    else if (this.#early.length < earlyEventsMax) this.#early.push(event);
  }

  listen(listener: (event: SwarmEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#early.splice(0)) listener(event);
  }
}
