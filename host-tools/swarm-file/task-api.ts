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

/** What matters of a host to whoever places tasks: as of a board. */
export type HostPlace = Pick<Place, "zone" | "has" | "weight">;

interface Requirements {
  /** What its holder must have. */
  has?: readonly string[];
  /** Where its holder must be. */
  zones?: readonly string[];
  /** No board on a battery. */
  mains?: boolean;
  /** Tasks that must be held by others. */
  apartFrom?: readonly string[];
}

interface Shared {
  /** How a holder is chosen: docs/tasks.md. `least-loaded` if not said. */
  strategy?: Strategy;
  requires?: Requirements;
  /** For so long its holder goes on without hearing the leader: 2s to 10m, 10s if not said. A quarter more, and another one has it. */
  lease?: Duration;
}

/** What a host works out of a metric that boards keep (`.keep("1m")`), again and again. May reach back by a twelfth of what is kept beyond the time that it covers. */
export interface Aggregate {
  /** The metric. */
  of: string;
  /** The time that each value covers, and between one and the next: 1s to 24h. */
  every: Duration;
  as: "mean" | "min" | "max" | "sum" | "count" | "stddev" | `p${number}`;
  /** All that keep the metric, if not said. */
  boards?: readonly string[];
}

/**
 * Work that one board or host of the swarm does at a time, whichever holds the task; when that one is lost, another takes over. Pipelines, on a board; an aggregation, on a host; or a
 * role, of which the swarm says only who has it: `covey task hold NAME -- command` carries one out on a host.
 *
 * ```ts
 * tasks: {
 *   "gateway-temp": task({ sense: [sense("temperature", { every: "1s" }).as("gateway")], strategy: "least-loaded", requires: { has: ["modbus"] } }),
 *   "house-p95": task({ on: "hosts", aggregate: { of: "temperature", every: "1m", as: "p95" } }),
 *   zigbee: task({ on: "hosts", role: true, requires: { has: ["zigbee-stick"] } }),
 * }
 * ```
 */
export function task(
  given:
    | ({
        on?: "boards";
        /** As of a board. No board and no other task may have a metric of the same name. */
        sense: readonly PipelinePart[];
      } & Shared)
    | ({ on: "hosts"; aggregate: Aggregate } & Shared)
    | ({ on?: "boards" | "hosts"; role: true } & Shared),
): TaskPart {
  return { kind: "task", site: callSite(), given: { ...given } };
}
