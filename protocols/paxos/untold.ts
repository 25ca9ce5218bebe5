/**
 * The states that a board knows to be chosen and that no leader has recorded, as far as it knows: what it tells when hosts are back. Bounded: beyond
 * `registerLimits.untoldMax` the oldest fall out, and are counted.
 */
import { isLater } from "./copy.ts";
import type { RecordedState } from "./report.ts";
import { type Chosen, registerLimits } from "./types.ts";

export class Untold {
  readonly #states: Chosen[];
  /** Of each register the latest of which a leader said that it is recorded. */
  readonly #recorded: RecordedState[] = [];
  #lost: number;

  constructor(states: Chosen[], lost: number) {
    this.#states = states;
    this.#lost = lost;
  }

  get states(): readonly Chosen[] {
    return this.#states;
  }

  /** How many fell out. */
  get lost(): number {
    return this.#lost;
  }

  /** False where it is no news. */
  add(chosen: Chosen): boolean {
    const { register, epoch, state } = chosen;
    const recorded = this.#recorded.find((one) => one.register === register);
    if (recorded !== undefined && !isLater({ epoch, version: state.version }, recorded)) return false;
    if (this.#states.some((one) => isSame(one, register, epoch, state.version))) return false;
    this.#states.push(chosen);
    if (this.#states.length > registerLimits.untoldMax) this.dropOldest();
    return true;
  }

  dropOldest(): void {
    this.#states.shift();
    this.#lost++;
  }

  /** The leader has recorded this one, or the log has a copy of it. What is older stays: nothing says that it is in the history. */
  remove(recorded: RecordedState): boolean {
    const { register, epoch, version } = recorded;
    const known = this.#recorded.findIndex((one) => one.register === register);
    if (known < 0) this.#recorded.push(recorded);
    else if (isLater(recorded, this.#recorded[known]!)) this.#recorded[known] = recorded;
    const at = this.#states.findIndex((one) => isSame(one, register, epoch, version));
    if (at >= 0) this.#states.splice(at, 1);
    return at >= 0;
  }
}

function isSame(one: Chosen, register: string, epoch: number, version: number): boolean {
  return one.register === register && one.epoch === epoch && one.state.version === version;
}
