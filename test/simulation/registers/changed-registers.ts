/** The simulation of registers on sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { runRegisters } from "./register-run.ts";

/** As `loadChanged`. */
export async function changedRegisters(changes: readonly Change[]): Promise<typeof runRegisters> {
  const main = "test/simulation/registers/register-run.ts";
  return (await loadChanged<{ runRegisters: typeof runRegisters }>(changes, main)).runRegisters;
}
