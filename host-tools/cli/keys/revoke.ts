/** `covey keys revoke`, `rotate` and `push`: who belongs no more, and a new epoch. */
import { Failed, WrongInput } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { deliver, dueText } from "./delivery.ts";
import { handOut } from "./issue.ts";
import { type KeyOptions, type KeyPlace, openKeys, shownPath, unlock } from "./place.ts";

export async function revokeKeys(
  terminal: Terminal,
  options: KeyOptions,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) throw new WrongInput("Say who belongs no more: covey keys revoke north-1.");
  const place = await openKeys(terminal, options);
  const { refuseRevocation, revokeMembers } = await import("../../keys/revoke.ts");
  // Before the passphrase is asked for.
  refuseRevocation(place.folder.ledger(), names);
  const keys = await unlock(terminal, place.folder, options);
  const why = options.why ?? "no reason given";
  const { roster } = revokeMembers(place.folder, keys, names, why, Date.now());
  const whoText = `${names.join(", ")} ${names.length === 1 ? "is" : "are"} revoked in epoch ${roster!.epoch}`;
  await tell(terminal, place, options, whoText);
  terminal.result({ swarm: place.folder.swarm, revoked: names, epoch: roster!.epoch });
}

export async function rotateKeys(terminal: Terminal, options: KeyOptions): Promise<void> {
  const place = await openKeys(terminal, options);
  const { folder } = place;
  const { rotateAll, rotateEpoch } = await import("../../keys/revoke.ts");
  const keys = await unlock(terminal, folder, options);
  if (options.all !== true) {
    const { roster } = rotateEpoch(folder, keys);
    await tell(terminal, place, options, `Epoch ${roster!.epoch} begins: new group keys, fresh sessions`);
    terminal.result({ swarm: folder.swarm, epoch: roster!.epoch });
    return;
  }
  const { membersOf } = await import("../../keys/ledger.ts");
  const ledger = rotateAll(folder, keys, Date.now());
  const members = membersOf(ledger);
  const files = await handOut(place);
  for (const { name } of members) terminal.line(`${name}: ${shownPath(folder.issuedPath(name))}`);
  for (const { name, path } of files)
    terminal.line(`The host ${name} finds its own here: ${shownPath(path)}.`);
  terminal.line(
    "Take each file to its member, and start the hosts anew; the earlier identities count until the swarm is told.",
  );
  terminal.note(dueText(ledger)!);
  terminal.result({
    swarm: folder.swarm,
    epoch: ledger.roster!.epoch,
    issued: members.map((entry) => ({ ...entry, file: folder.issuedPath(entry.name) })),
  });
}

export async function pushKeys(terminal: Terminal, options: KeyOptions): Promise<void> {
  const place = await openKeys(terminal, options);
  const { epoch } = await deliver(terminal, place, options);
  terminal.result({ swarm: place.folder.swarm, epoch });
}

/** @throws {Failed} when the swarm could not be told: then it is not in force, though nothing is lost */
async function tell(terminal: Terminal, place: KeyPlace, options: KeyOptions, what: string): Promise<void> {
  const ledger = place.folder.ledger();
  terminal.line(`${what}.`);
  if (ledger.roster?.delivery === "held") {
    terminal.note(dueText(ledger)!);
    return;
  }
  try {
    await deliver(terminal, place, options);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw new Failed(
      `${what}, but the swarm could not be told, and goes on as before: ${error.message} The statement is kept; covey keys push sends it.`,
      "not-delivered",
    );
  }
}
