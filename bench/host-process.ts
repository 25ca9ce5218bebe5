/** A host of the swarm `bench` as a process of its own, and what it costs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReadyLine } from "../host-tools/leader/main.ts";
import { type MemberSecrets, writeMemberFile } from "../host-tools/security/member-file.ts";
import type { SwarmDefinition } from "../host-tools/swarm-file/definition.ts";
import { processTree } from "./process-tree.ts";

export function cost(pid: number) {
  return processTree(pid).find((process) => process.pid === pid)!;
}

/** @param settings of the swarm; none if not said. */
export async function startHostProcess(
  folder: string,
  names: readonly string[],
  member: MemberSecrets,
  settings: SwarmDefinition["settings"] = {},
) {
  const program = { pipelines: [], outputs: [], rules: [] };
  const board = { model: "esp32c3-devkit", program, units: {}, simulate: {} };
  const definition: SwarmDefinition = {
    name: "bench",
    file: join(folder, "swarm.ts"),
    hosts: ["a"],
    voters: [],
    settings,
    boards: Object.fromEntries(names.map((name) => [name, board])),
  };
  const files = { definition: join(folder, "definition.json"), member: join(folder, "member.json") };
  writeFileSync(files.definition, JSON.stringify(definition));
  writeMemberFile(files.member, member);
  const main = fileURLToPath(new URL("../host-tools/leader/main.ts", import.meta.url));
  const ports = ["--mqtt-port", "0", "--http-port", "0", "--peer-port", "0"];
  const child = spawn(
    process.execPath,
    [
      ...[main, "--definition", files.definition, "--member", files.member],
      ...["--state", folder, "--name", "a", "--log-level", "error", "--parent", ...ports],
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const [line] = await once(child.stdout, "data");
  const ready = JSON.parse(String(line)) as ReadyLine;
  const stop = async () => {
    child.kill();
    await once(child, "close");
  };
  return { ready, stop };
}
