/** The ordeal of voting boards on a copy of the sources in which something is changed. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Change } from "../raft/deliberate-faults/changed-sources.ts";
import type { ordeal } from "./ordeal.ts";

const project = fileURLToPath(new URL("../../../", import.meta.url));

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

/** Throws when the text to change is not there exactly once: then the sources have moved on, and the fault must follow. */
export async function changedOrdeal({ file, correct, broken }: Change): Promise<typeof ordeal> {
  const folder = mkdtempSync(join(tmpdir(), "covey-changed-"));
  try {
    for (const path of copied) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(project, path), join(folder, path), { recursive: true });
    }
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    symlinkSync(join(project, "node_modules"), join(folder, "node_modules"), "dir");
    const path = join(folder, file);
    const parts = readFileSync(path, "utf8").split(correct);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
    writeFileSync(path, parts.join(broken));
    const main = join(folder, "test/simulation/voting-boards/ordeal.ts");
    return (await import(/* @vite-ignore */ pathToFileURL(main).href)).ordeal;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
