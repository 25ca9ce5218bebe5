import type { BoardStore } from "../storage/board-store.ts";
import { FlashDamaged } from "../storage/flash-damaged.ts";
import type { BoardLog } from "./board-log.ts";

/**
 * Tells of an error that nobody expected, and notes what the next start must know of it; flash that does not take even that has told
 * all it can. Gives the reason for the restart.
 */
export function noteCrash(error: unknown, store: BoardStore, log: BoardLog): string {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : `${error}`;
  log.write("error", "crashed", "reason", reason);
  try {
    if (error instanceof FlashDamaged) store.condemn(error.message);
    else store.noteCrashes(store.crashes + 1);
  } catch {
    log.write("error", "crash-not-noted");
  }
  return reason;
}
