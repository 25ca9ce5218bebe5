/** A board as far as tasks go: the tenure that ships, on a clock of its own, and how far it has followed the log. */
import { decodeCbor } from "../../../host-tools/codec/cbor.ts";
import type { Entry } from "../../../protocols/raft/types.ts";
import { changesOf } from "../../../protocols/state/apply.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { placementFromWire, taskKeyPrefix } from "../../../protocols/tasks/placement.ts";
import { Tenure } from "../../../protocols/tasks/tenure.ts";
import type { HostWorld } from "../../host-tools/leader/raft/host-world.ts";

export class TaskBoard {
  readonly name: string;
  isOn = true;
  /** Counts its starts. */
  life = 0;
  home: string;
  readonly cut = new Set<string>();
  tenure: Tenure;
  appliedIndex = 0;
  readonly #world: HostWorld;
  /** How soon it sees the log move on. */
  haste: number;
  readonly #rate: number;
  #bootedMs: number;

  constructor(name: string, world: HostWorld, hostNames: readonly string[]) {
    this.name = name;
    this.#world = world;
    this.#rate = 0.9 + 0.2 * world.random();
    this.haste = 0.05 + 0.9 * world.random();
    this.#bootedMs = world.nowMs;
    this.home = hostNames[Math.floor(world.random() * hostNames.length)]!;
    this.tenure = new Tenure(0);
  }

  /** On its own clock, since its boot. */
  get nowMs(): number {
    return (this.#world.nowMs - this.#bootedMs) * this.#rate;
  }

  /** Its flash holds what it applied; what it was granted it has forgotten. */
  start(): void {
    this.isOn = true;
    this.#bootedMs = this.#world.nowMs;
    const { held } = this.tenure;
    this.tenure = new Tenure(0);
    for (const { task, placement } of held) this.tenure.place(task, placement, 0);
  }

  runs(task: string): boolean {
    if (!this.isOn) return false;
    return this.tenure.held.some((one) => one.task === task && this.tenure.isOpen(one, this.nowMs));
  }

  follow(entries: readonly Entry[], count: number): void {
    for (const entry of entries.slice(this.appliedIndex, this.appliedIndex + count)) {
      for (const { key, value } of changesOf(entry, { has: () => true } as never)) this.#take(key, value);
      this.appliedIndex = entry.index;
    }
  }

  #take(key: string, value: StateValue | undefined): void {
    if (!key.startsWith(taskKeyPrefix)) return;
    const placement = value instanceof Uint8Array ? placementFromWire(decodeCbor(value)) : undefined;
    const isHere = placement?.mode === "held" && placement.holder === this.name;
    this.tenure.place(key.slice(taskKeyPrefix.length), isHere ? placement : undefined, this.nowMs);
  }
}
