/** The simulation of keeping on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { runKeeping } from "./keep-run.ts";

/** All that the simulation imports. */
const copied = [
  "protocols",
  "firmware",
  "host-tools/codec",
  "host-tools/leader",
  "test/host-tools/leader/raft/host-world.ts",
  "test/simulation/raft/simulated-disk.ts",
  "test/simulation/keeping",
];

/** As `loadChanged`. */
export async function changedKeeping(change: Change): Promise<typeof runKeeping> {
  const main = "test/simulation/keeping/keep-run.ts";
  return (await loadChanged<{ runKeeping: typeof runKeeping }>([change], copied, main)).runKeeping;
}
