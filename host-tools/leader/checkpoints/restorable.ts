/**
 * Which keys of the agreed state a checkpoint holds, and which of them a restore may bring back.
 *
 * Never brought back is what only ever grows, or says what has happened: the root's roster (whoever was revoked stays so), how boards reach
 * their hosts, releases of firmware (a board takes none older than its own: `covey update`), actions and tasks under way, the audit, checkpoints,
 * drafts.
 */
import { modelKeyPrefix } from "../../../protocols/model/model.ts";
import { programKeyPrefix, reservedKeyPrefix } from "../../../protocols/state/command.ts";
import { draftKeyPrefix } from "../../../protocols/state/draft.ts";
import { boardReleaseKeyPrefix, releaseKeyPrefix } from "../../../protocols/update/release.ts";
import { auditKeyPrefix } from "../access/audit-ring.ts";
import { votersKey } from "../raft/host-member-types.ts";
import { checkpointKeyPrefix } from "./marker.ts";

export const restoredParts = ["settings", "programs", "models", "voters"] as const;
export type RestoredPart = (typeof restoredParts)[number];
export type StatePart = RestoredPart | "releases" | "own";

/** What was restored last, and by whom: text. Travels in the entry of the restore itself. */
export const restoredKey = `${reservedKeyPrefix}restored`;
/** The digest of the programs that `swarm.ts` asked for when others were restored in their place: see `deployment.ts`. */
export const restoredOverKey = `${reservedKeyPrefix}restored-over`;

/** Whether a checkpoint says what this key was. */
export function isKept(key: string): boolean {
  const passing = [auditKeyPrefix, checkpointKeyPrefix, draftKeyPrefix];
  return key !== restoredKey && !passing.some((prefix) => key.startsWith(prefix));
}

export function partOf(key: string): StatePart {
  if (key === votersKey) return "voters";
  if (key.startsWith(releaseKeyPrefix) || key.startsWith(boardReleaseKeyPrefix)) return "releases";
  if (key.startsWith(reservedKeyPrefix)) return "own";
  if (key.startsWith(programKeyPrefix)) return "programs";
  return key.startsWith(modelKeyPrefix) ? "models" : "settings";
}

export function isRestoredPart(text: unknown): text is RestoredPart {
  return (restoredParts as readonly unknown[]).includes(text);
}
