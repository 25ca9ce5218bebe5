/** The simulation of hosts that hold tasks on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../../changed-sources.ts";
import type { runHolders } from "./holder-run.ts";

/** As `loadChanged`. */
export async function changedHolders(change: Change): Promise<typeof runHolders> {
  const main = "test/simulation/tasks/hosts/holder-run.ts";
  return (await loadChanged<{ runHolders: typeof runHolders }>([change], main)).runHolders;
}
