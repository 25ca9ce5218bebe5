/** The word for work that one board at a time does: `task`. */
import type { Strategy } from "../../protocols/balancing/types.ts";
import { callSite } from "./call-site.ts";
import type { Duration } from "./duration.ts";
import type { PipelinePart, TaskPart } from "./parts.ts";

/** What matters of a board to whoever places tasks, and readings of other boards. */
export interface Place {
  /** Where it is: a name of your own. */
  zone?: string;
  /** What it has that others may lack: names of your own, such as `modbus`. */
  has?: readonly string[];
  /** It runs on a battery; a board that sleeps does anyway. */
  battery?: boolean;
  /** How much of the work it is to have beside the others; 1 if not said. */
  weight?: number;
  /** It keeps readings of other boards in its flash, where these ask for `copies`; takes a `zone`. */
  keeps?: boolean;
}

/**
 * Pipelines that run on one board of the swarm at a time, on whichever holds the task; when that board is lost, another takes over.
 *
 * ```ts
 * tasks: { "gateway-temp": task({ sense: [sense("temperature", { every: "1s" }).as("gateway")], strategy: "least-loaded", requires: { has: ["modbus"] } }) }
 * ```
 */
export function task(given: {
  /** As of a board. No board and no other task may have a metric of the same name. */
  sense: readonly PipelinePart[];
  /** How a board is chosen: docs/tasks.md. `least-loaded` if not said. */
  strategy?: Strategy;
  requires?: {
    /** What its board must have. */
    has?: readonly string[];
    /** Where its board must be. */
    zones?: readonly string[];
    /** No board on a battery. */
    mains?: boolean;
    /** Tasks that must be on other boards. */
    apartFrom?: readonly string[];
  };
  /** For so long a board runs it without hearing the leader: 2s to 10m, 10s if not said. A quarter more, and another board has it. */
  lease?: Duration;
}): TaskPart {
  return { kind: "task", site: callSite(), given: { ...given } };
}
