/** The simulation of hosts that hold tasks on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../../changed-sources.ts";
import type { runHolders } from "./holder-run.ts";

/** All that the simulation imports. */
const copied = [
  "protocols",
  "host-tools/codec",
  "host-tools/cli/failure.ts",
  "host-tools/cli/hold",
  "host-tools/leader/api/api-failure.ts",
  "host-tools/leader/raft",
  "host-tools/leader/state/agreed-state.ts",
  "host-tools/leader/tasks",
  "host-tools/swarm-file/diagnostics.ts",
  "host-tools/swarm-file/source-position.ts",
  "test/host-tools/leader/raft/host-world.ts",
  "test/simulation/raft/simulated-disk.ts",
  "test/simulation/tasks",
];

/** As `loadChanged`. */
export async function changedHolders(change: Change): Promise<typeof runHolders> {
  const main = "test/simulation/tasks/hosts/holder-run.ts";
  return (await loadChanged<{ runHolders: typeof runHolders }>([change], copied, main)).runHolders;
}
