/** What the hosts of a world have committed, and that no token in it is given twice. */
import { decodeCbor } from "../../../host-tools/codec/cbor.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { changesOf } from "../../../protocols/state/apply.ts";
import { type Placement, placementFromWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import type { HostWorld } from "../../host-tools/leader/raft/host-world.ts";
import { TaskViolation } from "./task-violation.ts";

export class AgreedLog {
  /** By index from 1. */
  readonly entries: Entry[] = [];
  /** Of any task, to whomever. */
  placements = 0;
  readonly #last = new Map<string, Placement>();

  /** As was committed last; undefined for a task that was never placed. */
  placementOf(task: string): Placement | undefined {
    return this.#last.get(task);
  }

  /** Takes note of what was committed since. Throws `TaskViolation`. */
  collect(world: HostWorld): void {
    for (const host of world.hosts.values()) {
      for (let i = host.applied.length - 1; i >= 0 && host.applied[i]!.index > this.entries.length; i--) {
        const next = host.applied.find(({ index }) => index === this.entries.length + 1);
        if (next === undefined) break;
        this.entries.push(next);
        this.#expectNewToken(next);
      }
    }
  }

  #expectNewToken(entry: Entry): void {
    for (const { key, value } of changesOf(entry, { has: () => true } as never)) {
      if (!key.startsWith(taskKeyPrefix) || !(value instanceof Uint8Array)) continue;
      const task = key.slice(taskKeyPrefix.length);
      const placement = placementFromWire(decodeCbor(value));
      const { token, holder, mode } = placement;
      const before = this.#last.get(task);
      const isSame = before?.token === token && before.holder === holder;
      if (mode === "held" && !isSame) this.placements++;
      if (before !== undefined && !isSame && token <= before.token) {
        throw new TaskViolation(
          `${task} was given to ${holder} under token ${token}, after ${before.token}.`,
        );
      }
      this.#last.set(task, placement);
    }
  }
}
