/** The simulation of keeping on sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { runKeeping } from "./keep-run.ts";

/** As `loadChanged`. */
export async function changedKeeping(change: Change): Promise<typeof runKeeping> {
  const main = "test/simulation/keeping/keep-run.ts";
  return (await loadChanged<{ runKeeping: typeof runKeeping }>([change], main)).runKeeping;
}
