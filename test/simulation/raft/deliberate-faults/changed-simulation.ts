/** The simulation on sources in which something is changed. */
import { type Change, loadChanged } from "../../changed-sources.ts";
import type { simulateCore } from "../core/core-engine.ts";
import type { simulateFull } from "../full/full-engine.ts";

export interface ChangedSimulation {
  readonly simulateCore: typeof simulateCore;
  readonly simulateFull: typeof simulateFull;
}

/** As `loadChanged`. */
export function changedSimulation(
  changes: readonly Change[],
  engine: "core" | "full",
): Promise<ChangedSimulation> {
  return loadChanged(changes, `test/simulation/raft/${engine}/${engine}-engine.ts`);
}
