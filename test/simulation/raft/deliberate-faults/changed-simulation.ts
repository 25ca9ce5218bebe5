/** The simulation on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../../changed-sources.ts";
import type { simulateCore } from "../core/core-engine.ts";
import type { simulateFull } from "../full/full-engine.ts";

export interface ChangedSimulation {
  readonly simulateCore: typeof simulateCore;
  readonly simulateFull: typeof simulateFull;
}

/** All that the simulation imports. */
const copied = [
  "protocols",
  "firmware",
  "host-tools/codec",
  "host-tools/keys",
  "host-tools/security",
  "host-tools/leader/raft",
  "host-tools/leader/state/agreed-state.ts",
  "host-tools/leader/tasks",
  "host-tools/raft-shell",
  "test/firmware/storage/flash-model.ts",
  "test/members.ts",
  "test/protocols/raft/group",
  "test/simulation/linearizability",
  "test/simulation/raft",
  "test/simulation/seeded-ciphers.ts",
];

/** As `loadChanged`. */
export function changedSimulation(
  changes: readonly Change[],
  engine: "core" | "full",
): Promise<ChangedSimulation> {
  return loadChanged(changes, copied, `test/simulation/raft/${engine}/${engine}-engine.ts`);
}
