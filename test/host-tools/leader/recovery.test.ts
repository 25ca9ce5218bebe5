/** Who may offer a lost host its log. */
import { expect, onTestFinished, test } from "vitest";
import { createLog } from "../../../host-tools/leader/log.ts";
import { Recovery } from "../../../host-tools/leader/recovery.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { kidOf } from "../../../protocols/security/identity/credential.ts";
import { definition, eventually, temporaryFolder } from "./leader-under-test.ts";
import { RawBoard } from "./raw-board.ts";
import { memberOf, rootOf } from "./test-swarm.ts";

async function recovering(stateDir: string, ...statements: Uint8Array[]): Promise<Recovery> {
  const recovery = await Recovery.open({
    ...{ definition, stateDir, statements, hostName: "a", mqttPort: 0, peerPort: 0, peers: new Map() },
    member: memberOf("greenhouse", "host", "a"),
    log: createLog("error", () => {}),
  });
  onTestFinished(() => recovery.close());
  return recovery;
}

async function offer(recovery: Recovery, name: string): Promise<number> {
  const board = new RawBoard({ swarm: "greenhouse", name, port: recovery.mqttPort });
  onTestFinished(() => board.cut());
  const { returnCode } = await board.connect();
  if (returnCode !== 0) return returnCode!;
  await board.subscribe();
  await board.secure();
  board.hello();
  await eventually(() => recovery.members.includes(board.memberId));
  return 0;
}

const revoked = ({ signed } = memberOf("greenhouse", "board", "north-2")) =>
  rootOf("greenhouse").revoke(1, kidOf(nodeCiphers, signed));

test("a board that the root has revoked offers no log, as far as the keys here or the host's folder say so", async () => {
  const stateDir = temporaryFolder();
  const first = await recovering(stateDir, revoked());
  expect(await offer(first, "north-2")).toBe(4);
  expect(await offer(first, "south-1")).toBe(0);
  await first.close();
  const second = await recovering(stateDir);
  expect(await offer(second, "north-2")).toBe(4);
});

test("a host that is revoked recovers nothing", async () => {
  const statement = revoked(memberOf("greenhouse", "host", "a"));
  await expect(recovering(temporaryFolder(), statement)).rejects.toMatchObject({
    name: "OwnIdentityRevoked",
  });
});
