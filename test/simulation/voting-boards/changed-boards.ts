/** The ordeal of voting boards on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { ordeal } from "./ordeal.ts";

/** All that the ordeal imports. */
const copied = [
  "protocols",
  "firmware",
  "host-tools/codec",
  "host-tools/keys",
  "host-tools/leader/log.ts",
  "host-tools/leader/raft",
  "host-tools/leader/registers",
  "host-tools/leader/state",
  "host-tools/raft-shell",
  "host-tools/security",
  "test/firmware/storage/flash-model.ts",
  "test/members.ts",
  "test/simulation/linearizability",
  "test/simulation/raft",
  "test/simulation/seeded-ciphers.ts",
  "test/simulation/voting-boards",
];

/** As `loadChanged`. */
export async function changedOrdeal(change: Change): Promise<typeof ordeal> {
  const main = "test/simulation/voting-boards/ordeal.ts";
  return (await loadChanged<{ ordeal: typeof ordeal }>([change], copied, main)).ordeal;
}
