/**
 * The root's latest statement beside a host's log. It outlives the log, which may be lost, or by now have an older statement in it that whoever broke
 * into a leader has put there: a host that starts anew is to know of no fewer revocations than before.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../storage/durable-file.ts";
import type { Log } from "../log.ts";
import type { Membership } from "./membership.ts";

/** Takes what the host's folder has, and `further` statements; keeps the latest there from now on. */
export function recallRoster(
  membership: Membership,
  directory: string,
  log: Log,
  further: Iterable<Uint8Array>,
): void {
  const path = join(directory, "roster");
  membership.take(readStatement(path));
  const kept = membership.statement;
  for (const statement of further) membership.take(statement);
  const keep = () => {
    try {
      writeDurably(path, Buffer.from(membership.statement!).toString("base64url"));
    } catch (error) {
      log.error("roster-not-kept", { reason: (error as Error).message });
    }
  };
  if (membership.statement !== kept) keep();
  membership.onEpoch(keep);
}

/** Unchecked: the root's signature says whether it is one. */
function readStatement(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(Buffer.from(readFileSync(path, "utf8"), "base64url"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
