/** Somebody who is logged in at a host that does not lead: the rights go along to the leader, and nobody can claim any there. */
import { expect, test } from "vitest";
import { forwardedHeader } from "../../../../host-tools/leader/hosts/vouching.ts";
import { eventually } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { rootOf } from "../test-swarm.ts";
import { askAs, logIn, person } from "./people.ts";

async function twoHosts() {
  const several = new SeveralHosts(["a", "b"], []);
  await several.start("a");
  await several.start("b");
  const leader = await several.leader();
  const follower = leader === "a" ? "b" : "a";
  await eventually(() => several.host(follower).status().leader.commitIndex > 0);
  return { leader: several.host(leader).url, follower: several.host(follower).url };
}

const put = { method: "PUT", body: '{"value":40}' };

test("through a follower each may do what its scope allows, and no more", { timeout: 30_000 }, async () => {
  const { follower } = await twoHosts();
  const [vera, otto, ann] = [
    await logIn(follower, person("viewer", "vera")),
    await logIn(follower, person("operator", "otto")),
    await logIn(follower, person("admin", "ann")),
  ];
  const statement = Buffer.from(rootOf("greenhouse").revoke(1)).toString("base64url");
  const roster = { method: "POST", body: JSON.stringify({ statement }) };
  const routes: [string, RequestInit, number[]][] = [
    ["/api/status", {}, [200, 200, 200]],
    ["/api/settings/fan.duty", put, [403, 200, 200]],
    ["/api/audit", {}, [403, 403, 200]],
    ["/api/roster", roster, [403, 403, 200]],
  ];
  for (const [path, init, expected] of routes) {
    const statuses: number[] = [];
    for (const token of [vera, otto, ann]) statuses.push((await askAs(follower, token, path, init)).status);
    expect(statuses, path).toEqual(expected);
  }
});

test("nobody is believed to be a host that sends something on", { timeout: 30_000 }, async () => {
  const { leader, follower } = await twoHosts();
  const actor = Buffer.from(
    JSON.stringify({ name: "eve", role: "host", scope: [{ resource: "*", permissions: 15 }] }),
  );
  const proof = Buffer.alloc(32).toString("base64url");
  for (const url of [leader, follower]) {
    for (const name of ["a", "b", "c"]) {
      for (const header of [name, `${name};1;${actor.toString("base64url")};${proof}`]) {
        const headers = { [forwardedHeader]: header };
        expect((await askAs(url, undefined, "/api/settings/fan.duty", { ...put, headers })).status).toBe(401);
        expect((await askAs(url, undefined, "/api/status", { headers })).status).toBe(401);
      }
    }
  }
});
