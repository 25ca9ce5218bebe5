/** The simulation of registers on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { runRegisters } from "./register-run.ts";

/** All that the simulation imports. */
const copied = [
  "protocols",
  "host-tools/codec",
  "host-tools/leader/registers/history.ts",
  "host-tools/leader/registers/recording.ts",
  "test/simulation/linearizability",
  "test/simulation/raft/agenda.ts",
  "test/simulation/raft/random.ts",
  "test/simulation/registers",
];

/** As `loadChanged`. */
export async function changedRegisters(changes: readonly Change[]): Promise<typeof runRegisters> {
  const main = "test/simulation/registers/register-run.ts";
  return (await loadChanged<{ runRegisters: typeof runRegisters }>(changes, copied, main)).runRegisters;
}
