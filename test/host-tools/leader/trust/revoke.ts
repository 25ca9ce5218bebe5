/** The root's word, brought to a host as `covey keys revoke` does. */
import { expect } from "vitest";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { kidOf } from "../../../../protocols/security/identity/credential.ts";
import type { LeaderUnderTest } from "../leader-under-test.ts";
import { rootOf } from "../test-swarm.ts";

/** Resolves when it is agreed on. */
export async function revoke(
  host: LeaderUnderTest,
  epoch: number,
  ...members: readonly MemberSecrets[]
): Promise<void> {
  const references = members.map(({ signed }) => kidOf(nodeCiphers, signed));
  const statement = rootOf("greenhouse").revoke(epoch, ...references);
  const { status } = await host.request("/api/roster", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ statement: Buffer.from(statement).toString("base64url") }),
  });
  expect(status).toBe(200);
}
