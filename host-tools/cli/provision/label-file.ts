/** Labels of boards that the ledger has, in a file. */
import { writeFileSync } from "node:fs";
import { labelSheet } from "../../provisioner/labels.ts";
import type { BoardEntry } from "../../provisioner/ledger.ts";
import type { Terminal } from "../terminal.ts";
import { openPlace, type ProvisionOptions, type SwarmPlace } from "./place.ts";
import { shown } from "./tell.ts";

/** Labels of all that the ledger has. */
export async function labelsOnly(terminal: Terminal, options: ProvisionOptions): Promise<number> {
  const place = await openPlace(terminal, options);
  const labels = writeLabels(terminal, options, place, () => true);
  terminal.result({ swarm: place.folder.swarm, file: options.labels, labels });
  return 0;
}

/** @returns the names that have one */
export function writeLabels(
  terminal: Terminal,
  { labels: file, dryRun }: ProvisionOptions,
  { ledger, folder }: SwarmPlace,
  isMeant: (entry: BoardEntry) => boolean,
): string[] {
  if (file === undefined || dryRun) return [];
  const entries = ledger.entries.filter((entry) => entry.state === "done" && isMeant(entry));
  if (entries.length === 0) {
    terminal.note("No board is provisioned yet, so there are no labels.");
    return [];
  }
  const { swarm } = folder;
  writeFileSync(
    file,
    labelSheet(entries.map(({ name, model, mac, identity }) => ({ swarm, name, model, mac, identity }))),
  );
  terminal.line(
    `${entries.length} ${entries.length === 1 ? "label is" : "labels are"} in ${shown(file)}; print at 100 % on A4.`,
  );
  return entries.map(({ name }) => name);
}
