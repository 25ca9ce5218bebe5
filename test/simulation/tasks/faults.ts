/** Mistakes that somebody could make in leases and tokens, one change of the source each: the simulation must find every one. */
import type { Change } from "../changed-sources.ts";
import type { Scenario } from "./scenarios.ts";

export interface Fault {
  readonly name: string;
  readonly change: Change;
  /** The course of events that shows it; by chance if not said. */
  readonly scenario?: Scenario;
  /** Where the search begins: a seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

const steward = "protocols/tasks/steward.ts";
const tenure = "protocols/tasks/tenure.ts";
const keeper = "host-tools/leader/tasks/task-keeper.ts";

export const faults: readonly Fault[] = [
  {
    name: "a token is used again",
    change: { file: keeper, correct: "token: placement.token + 1", broken: "token: placement.token" },
  },
  {
    name: "the board ignores the end of its lease",
    change: { file: tenure, correct: "return nowMs < untilMs;", broken: "return untilMs > 0;" },
  },
  {
    name: "the board counts its lease from when it was given it",
    seed: 34,
    change: {
      file: tenure,
      correct: "Math.max(held.untilMs, askedMs + held.placement.leaseMs)",
      broken: "Math.max(held.untilMs, nowMs + held.placement.leaseMs)",
    },
  },
  {
    name: "the board does not let go of what is taken from it",
    change: {
      file: tenure,
      correct: "if (at >= 0) this.#held.splice(at, 1);",
      broken: "if (at >= 0 && placement !== undefined) this.#held.splice(at, 1);",
    },
  },
  {
    name: "the leader places anew before the lease has ended",
    change: {
      file: "protocols/tasks/placement.ts",
      correct: "return leaseMs + Math.ceil(leaseMs / 4);",
      broken: "return leaseMs / 2;",
    },
  },
  {
    name: "the leader forgets that clocks differ",
    seed: 24,
    change: {
      file: "protocols/tasks/placement.ts",
      correct: "return leaseMs + Math.ceil(leaseMs / 4);",
      broken: "return leaseMs;",
    },
  },
  {
    name: "a new leader does not wait for what the one before granted",
    change: {
      file: steward,
      correct: "return Math.max(this.#sinceMs, this.#heardMs.get(task) ?? this.#sinceMs);",
      broken: "return this.#heardMs.get(task) ?? -Infinity;",
    },
  },
  {
    name: "the leader takes it that whoever is told to let go has done so",
    seed: 20,
    change: {
      file: steward,
      correct: 'if (placement.mode !== "held" && hasLetGo) return true;',
      broken: 'if (placement.mode !== "held") return true;',
    },
  },
  {
    name: "the leader grants what it is moving",
    scenario: "claimed-while-moved",
    change: {
      file: steward,
      correct: "if (this.#moving.get(task) === token) return false;",
      broken: "",
    },
  },
  {
    name: "the leader grants without a majority's word",
    scenario: "leader-stood-still",
    change: {
      file: keeper,
      correct: "confirm((isConfirmed) => {",
      broken: "((then: (isConfirmed: boolean) => void) => then(true))((isConfirmed) => {",
    },
  },
];
