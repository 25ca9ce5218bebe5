/** What the agreed state says of tasks, decoded once for each value. */
import { drainedFromWire, drainedKey } from "../../../protocols/tasks/drained.ts";
import { type Placement, placementFromWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { decodeCbor } from "../../codec/cbor.ts";
import type { AgreedState } from "../state/agreed-state.ts";

export interface AgreedPlacement {
  readonly placement: Placement;
  /** As agreed on: what a change of it expects. */
  readonly value: Uint8Array;
  /** Of the entry that says so, or a later one. */
  readonly index: number;
}

export class AgreedTasks {
  readonly #state: Pick<AgreedState, "get" | "keys" | "ownChanges">;
  #seenChanges = -1;
  #placements: ReadonlyMap<string, AgreedPlacement> = new Map();
  #drained: readonly string[] = [];

  constructor(state: Pick<AgreedState, "get" | "keys" | "ownChanges">) {
    this.#state = state;
  }

  /** By name of the task; also of tasks that are declared no longer. */
  get placements(): ReadonlyMap<string, AgreedPlacement> {
    this.#look();
    return this.#placements;
  }

  /** Boards that are to be given none. */
  get drained(): readonly string[] {
    this.#look();
    return this.#drained;
  }

  #look(): void {
    const { ownChanges } = this.#state;
    if (ownChanges === this.#seenChanges) return;
    this.#seenChanges = ownChanges;
    const placements = new Map<string, AgreedPlacement>();
    for (const key of this.#state.keys()) {
      if (!key.startsWith(taskKeyPrefix)) continue;
      const { value, index } = this.#state.get(key)!;
      const placement = value instanceof Uint8Array ? read(value, placementFromWire) : undefined;
      if (placement === undefined) continue;
      placements.set(key.slice(taskKeyPrefix.length), { placement, value: value as Uint8Array, index });
    }
    this.#placements = placements;
    const drained = this.#state.get(drainedKey)?.value;
    this.#drained = drained instanceof Uint8Array ? (read(drained, drainedFromWire) ?? []) : [];
  }
}

/** undefined for what a newer leader has written. */
function read<T>(value: Uint8Array, fromWire: (wire: ReturnType<typeof decodeCbor>) => T): T | undefined {
  try {
    return fromWire(decodeCbor(value));
  } catch {
    return undefined;
  }
}
