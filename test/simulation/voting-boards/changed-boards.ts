/** The ordeal of voting boards on sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { ordeal } from "./ordeal.ts";

/** As `loadChanged`. */
export async function changedOrdeal(change: Change): Promise<typeof ordeal> {
  const main = "test/simulation/voting-boards/ordeal.ts";
  return (await loadChanged<{ ordeal: typeof ordeal }>([change], main)).ordeal;
}
