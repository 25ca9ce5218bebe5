/**
 * What a board that has tasks and its leader say to each other about them.
 *
 * ```
 * claim, grant   [1, askedMs, [[task, token], ...]]
 * ```
 *
 * A board claims what it is to run; the leader answers with those of them that are so, under the same time. That time is the board's own, taken before
 * it asked, so that however long the answer takes, the lease that it gives is over in time.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { taskLimits } from "./placement.ts";

export const leaseMessageVersion = 1;

/** Of a claim, and of the grant that answers it. */
export interface Leases {
  /** When the board asked, on its own clock. */
  readonly askedMs: number;
  readonly tasks: readonly Fenced[];
}

export interface Fenced {
  readonly task: string;
  readonly token: number;
}

export function leasesToWire({ askedMs, tasks }: Leases): CborValue {
  return [leaseMessageVersion, askedMs, tasks.map(({ task, token }) => [task, token])];
}

/** @throws {ShapeError} */
export function leasesFromWire(value: CborValue): Leases {
  const items = new ItemReader(value, "lease", "", 3);
  items.version(leaseMessageVersion);
  const askedMs = items.number("askedMs", 0, Number.MAX_SAFE_INTEGER);
  const tasks: Fenced[] = [];
  for (const item of items.array("the tasks", taskLimits.tasksMax)) {
    const fenced = new ItemReader(item, "lease", `task ${tasks.length}`, 2);
    const task = fenced.text("the name", taskLimits.nameLengthMax);
    tasks.push({ task, token: fenced.integer("the token", 1, taskLimits.tokenMax) });
  }
  return { askedMs, tasks };
}
