/** What `/api/actions` answers. */
import type { Phase } from "../../../../protocols/two-phase-commit/action.ts";
import type { Stage } from "../../../../protocols/two-phase-commit/report.ts";

export interface ActionBegun {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly boards: readonly string[];
  /** Unix milliseconds: not decided then, it is aborted. */
  readonly deadlineMs: number;
  /** Unix milliseconds; undefined for at once. */
  readonly startMs: number | undefined;
}

export interface ActionStatus extends Omit<ActionBegun, "boards"> {
  readonly phase: Phase;
  /** Every board's outcome is known, or it was given up. */
  readonly isEnded: boolean;
  /** Why it was aborted; "" otherwise. */
  readonly reason: string;
  /** Of one that had ended before this host knew of it, those that did not follow the decision, or were given up. */
  readonly boards: readonly ActionOnBoard[];
}

export interface ActionOnBoard {
  readonly board: string;
  /** `silent`: it has not said anything. */
  readonly stage: Stage | "silent";
  readonly reason: string;
  /** When it acted, in Unix milliseconds by its own clock, and by how much that may be off. */
  readonly wallMs: number | undefined;
  readonly boundMs: number | undefined;
  /** Who gave it up, while nobody knows what it did. */
  readonly givenUpBy: string | undefined;
}
