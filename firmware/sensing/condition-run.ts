import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Condition, Proposal, Rule } from "../../protocols/pipeline/program.ts";

/**
 * A condition at work, a rule's or that of what the board proposes. It becomes active once its metric has been beyond the threshold for `forMs` without a reading that says
 * otherwise, and ends with the first reading that has come back by `hysteresis` or more. A sensor that falls silent changes
 * nothing. One that holds only on the board that a register names, or that holds a task, rests on all others.
 */
export class ConditionRun<Of extends Condition = Condition> {
  readonly definition: Of;
  active = false;
  /** When a waiting one becomes active; Infinity while it does not wait. */
  dueMs = Infinity;
  /** NaN while there is none, or the board is not the one that is named. */
  #threshold: number;
  #value = NaN;

  /** `threshold` is NaN while it is to rest. */
  constructor(definition: Of, threshold: number) {
    this.definition = definition;
    this.#threshold = threshold;
  }

  onReading(value: number, atMs: number): void {
    this.#value = value;
    this.judge(atMs);
  }

  onThreshold(threshold: number, nowMs: number): void {
    this.#threshold = threshold;
    this.judge(nowMs);
  }

  run(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    this.dueMs = Infinity;
    this.active = true;
  }

  /** [active, last value, how long it will wait to become active; -1 for not waiting], for a checkpoint. */
  save(nowMs: number): CborValue {
    const waitMs = this.dueMs === Infinity ? -1 : Math.max(0, this.dueMs - nowMs);
    return [this.active, this.#value, waitMs];
  }

  /** Takes up what one of the same definition saved. Throws `ShapeError`, and has changed nothing, for anything else. */
  restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "rule", 3);
    const active = items.any() === true;
    const value = items.anyNumber("the value");
    const waitMs = items.number("the wait", -1, Number.MAX_SAFE_INTEGER);
    // Whose turn it was before the board slept or restarted says nothing of now.
    this.active = active && !Number.isNaN(this.#threshold);
    this.#value = value;
    this.dueMs = waitMs < 0 ? Infinity : nowMs + waitMs;
  }

  private judge(atMs: number): void {
    const { when, hysteresis, forMs } = this.definition;
    // How far beyond the threshold; NaN while the value or the threshold is unknown.
    const beyond = when === "above" ? this.#value - this.#threshold : this.#threshold - this.#value;
    if (this.active) {
      this.active = beyond > -hysteresis;
    } else if (!(beyond > 0)) {
      this.dueMs = Infinity;
    } else if (forMs === 0) {
      this.active = true;
    } else if (this.dueMs === Infinity) {
      this.dueMs = atMs + forMs;
    }
  }
}

export type RuleRun = ConditionRun<Rule>;

export class ProposalRun extends ConditionRun<Proposal> {
  /** Nothing is left to be done about it until it has become active anew. */
  isSettled = false;
}
