/** How a simulated run went: what `covey sim --for 20s --json` prints, and whether it is a success. */
import type { Status } from "../../leader/api/types/status.ts";
import type { BoardInside } from "../../simulator/simulation.ts";
import { kilobytes } from "./format.ts";

export interface SimulationOutcome {
  readonly boards: readonly BoardOutcome[];
  readonly leader: { readonly term: number; readonly commitIndex: number };
  /** Broken promises, a sentence each: seen by the leader, or by the simulator. */
  readonly violations: readonly string[];
}

export interface BoardOutcome {
  /** Name in the swarm file. */
  readonly id: string;
  /** Model. */
  readonly board: string;
  readonly engine: "xs" | "virtual";
  /** Bytes of an XS slot: 16 as on the chip. 0 where the engine is not XS, as for the other memory figures. */
  readonly slotBytes: number;
  readonly arenaBytes: number;
  /** From the engine itself, the most since the start. */
  readonly heapPeakBytes: number;
  readonly appliedIndex: number;
  readonly samplesIn: number;
  readonly reportsOut: number;
}

export function simulationOutcome(
  status: Status,
  inside: readonly BoardInside[],
  violations: readonly string[],
): SimulationOutcome {
  const boards = inside.map(({ id, model, engine, figures }) => {
    const seen = status.boards.find((board) => board.id === id);
    return {
      id,
      board: model,
      engine,
      slotBytes: figures?.slotBytes ?? 0,
      arenaBytes: figures?.arenaBytes ?? 0,
      heapPeakBytes: figures?.heapPeakBytes ?? 0,
      appliedIndex: seen?.appliedIndex ?? 0,
      samplesIn: seen?.samplesIn ?? 0,
      reportsOut: seen?.reportsOut ?? 0,
    };
  });
  const { term, commitIndex } = status.leader;
  return { boards, leader: { term, commitIndex }, violations: [...status.violations, ...violations] };
}

/** Every board has applied what is committed. */
export function hasSettled(status: Status, boards: number): boolean {
  const { commitIndex } = status.leader;
  return (
    commitIndex > 0 &&
    status.boards.filter(({ appliedIndex }) => appliedIndex >= commitIndex).length >= boards
  );
}

export function isSuccess({ boards, leader, violations }: SimulationOutcome): boolean {
  return (
    violations.length === 0 &&
    leader.commitIndex > 0 &&
    boards.every(({ appliedIndex }) => appliedIndex >= leader.commitIndex)
  );
}

/** The outcome in a few lines, for people. */
export function describeOutcome(outcome: SimulationOutcome): string[] {
  const { boards, leader, violations } = outcome;
  const behind = boards.filter(({ appliedIndex }) => appliedIndex < leader.commitIndex);
  const lines =
    behind.length === 0
      ? [
          `${boards.length === 1 ? "The board has" : `All ${boards.length} boards have`} applied the ${leader.commitIndex} committed entries.`,
        ]
      : behind.map(
          ({ id, appliedIndex }) => `${id} has applied ${appliedIndex} of ${leader.commitIndex} entries.`,
        );
  const peak = Math.max(0, ...boards.map(({ heapPeakBytes }) => heapPeakBytes));
  if (peak > 0) lines.push(`The fullest board's heap peaked at ${kilobytes(peak)} KiB.`);
  return [...lines, ...violations];
}
