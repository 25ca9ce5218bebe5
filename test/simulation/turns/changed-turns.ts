/** The simulation of turns on sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { runTurns } from "./turn-run.ts";

/** As `loadChanged`. */
export async function changedTurns(change: Change): Promise<typeof runTurns> {
  const main = "test/simulation/turns/turn-run.ts";
  return (await loadChanged<{ runTurns: typeof runTurns }>([change], main)).runTurns;
}
