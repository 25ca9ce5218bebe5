/** Identities of a simulated swarm: issued at the first start, kept, and never given back to whoever was revoked. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { latestOf, membersOf } from "../../../host-tools/keys/ledger.ts";
import { revokeMembers } from "../../../host-tools/keys/revoke.ts";
import { readMemberFile } from "../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { SimulationError } from "../../../host-tools/simulator/simulation-error.ts";
import { SimulationKeys } from "../../../host-tools/simulator/simulation-keys.ts";
import { withBoards } from "../../../host-tools/simulator/swarm-size.ts";
import type { SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { loadSwarm } from "../../../host-tools/swarm-file/load.ts";
import { readIdentity } from "../../../protocols/security/identity/identity.ts";

const definition: SwarmDefinition = {
  ...(await loadSwarm(join(import.meta.dirname, "../../../examples/greenhouse"))),
  hosts: ["a", "b"],
};
const boards = Object.keys(definition.boards);
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-simulation-keys-"));
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

const prepare = (of = definition) => SimulationKeys.prepare(folder, of);
const keyFolder = () => KeyFolder.open(join(folder, "simulation-keys"));

it("every host and board has one of the same root, and the same at the next start", async () => {
  const keys = await prepare();
  const member = readMemberFile(keys.memberFile("b"));
  expect(member.identity).toMatchObject({ swarm: "greenhouse", name: "b", role: "host" });
  for (const board of boards) {
    const { root, signed } = keys.secretsOf(board);
    expect(root).toEqual(member.root);
    expect(readIdentity(nodeCiphers, root, signed)).toMatchObject({ name: board, role: "board" });
  }
  const again = await prepare();
  expect(again.secretsOf("door")).toEqual(keys.secretsOf("door"));
  expect(readMemberFile(again.memberFile("b"))).toEqual(member);
});

it("more boards have theirs in addition", async () => {
  const door = (await prepare()).secretsOf("door");
  const keys = await prepare(withBoards(definition, 50));
  expect(keys.secretsOf("door")).toEqual(door);
  expect(membersOf(keyFolder().ledger())).toHaveLength(52);
});

it("whoever was revoked stays so", async () => {
  const before = (await prepare()).secretsOf("door");
  const opened = keyFolder();
  revokeMembers(opened, await opened.unlock(), ["door"], "stolen", Date.now());
  expect((await prepare()).secretsOf("door")).toEqual(before);
  expect(latestOf(opened.ledger(), "door")!.revoked).toMatchObject({ why: "stolen" });
});

it("a lost file, or another role, is a new identity, and the earlier one is revoked", async () => {
  const before = (await prepare()).secretsOf("door");
  fs.rmSync(keyFolder().issuedPath("door"));
  const { [boards[0]!]: first, ...others } = definition.boards;
  expect(first).toBeDefined();
  const keys = await prepare({ ...definition, hosts: ["a", "b", boards[0]!], boards: others });
  expect(keys.secretsOf("door").signed).not.toEqual(before.signed);
  expect(readMemberFile(keys.memberFile(boards[0]!)).identity.role).toBe("host");
  const revoked = keyFolder()
    .ledger()
    .entries.filter((entry) => entry.revoked !== undefined);
  expect(revoked.map(({ name }) => name).sort()).toEqual(["door", boards[0]].sort());
});

it("keys that cannot be used end the start with what to do", async () => {
  await prepare();
  fs.writeFileSync(join(folder, "simulation-keys/ledger.json"), "{");
  await expect(prepare()).rejects.toThrow(SimulationError);
  await expect(prepare()).rejects.toThrow(/ledger\.json is torn/);
});
