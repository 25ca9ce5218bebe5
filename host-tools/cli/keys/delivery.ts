/** The root's latest statement on its way to the running swarm. */
import type { Ledger, LedgerRoster } from "../../keys/ledger.ts";
import { markDelivered } from "../../keys/revoke.ts";
import { Failed } from "../failure.ts";
import { SwarmClient } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { KeyOptions, KeyPlace } from "./place.ts";

/** Sends it, also one that was held back or has been sent before. @throws {Failed} when the swarm does not take it */
export async function deliver(
  terminal: Terminal,
  { folder }: KeyPlace,
  options: KeyOptions,
): Promise<LedgerRoster> {
  const { roster } = folder.ledger();
  if (roster === undefined) {
    throw new Failed(
      "There is nothing to tell the swarm: nobody was revoked and nothing rotated.",
      "nothing-due",
    );
  }
  terminal.progress("Telling the swarm");
  try {
    const swarm = SwarmClient.find({ ...options, swarm: folder.swarm, authority: folder.authority });
    await swarm.post("/api/roster", { statement: roster.statement });
  } finally {
    terminal.endProgress();
  }
  markDelivered(folder, roster.epoch);
  terminal.line(`The swarm has agreed on epoch ${roster.epoch}.`);
  return roster;
}

/** What an earlier command could not tell the swarm it is told now, if it can be reached; else a note says that it does not know yet. */
export async function deliverDue(terminal: Terminal, place: KeyPlace, options: KeyOptions): Promise<void> {
  if (place.folder.ledger().roster?.delivery !== "due") return;
  try {
    await deliver(terminal, place, options);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    terminal.note(`${dueText(place.folder.ledger())} (${error.message})`);
  }
}

/** What the swarm does not know yet; undefined when it knows all. */
export function dueText({ roster }: Ledger): string | undefined {
  switch (roster?.delivery) {
    case "due":
      return `The swarm does not know of epoch ${roster.epoch} yet; covey keys push tells it.`;
    case "held":
      return `The swarm is not told of epoch ${roster.epoch} until you say so: covey keys push, once every member has its new file.`;
    default:
      return undefined;
  }
}
