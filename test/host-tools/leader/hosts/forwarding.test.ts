/** Requests that a host sends on to the leader, and what somebody does who has seen them or would like to have sent them. */

import diagnostics from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import {
  type Authority,
  makeAuthority,
  makeHostCertificate,
  pem,
} from "../../../../host-tools/keys/authority.ts";
import type { LoginChallenge } from "../../../../host-tools/leader/api/types/access.ts";
import { forwardedHeader } from "../../../../host-tools/leader/hosts/vouching.ts";
import { fetchTrusting } from "../../../../host-tools/security/trusting-fetch.ts";
import { logIn, person, proofOf } from "../access/people.ts";
import { eventually } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { memberOf } from "../test-swarm.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly vouched: string;
}

/** The requests that hosts of this process send on from now on. */
function watchForwarded(): Seen[] {
  const seen: Seen[] = [];
  const take = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    const vouched = request.getHeader(forwardedHeader);
    if (vouched !== undefined)
      seen.push({ method: request.method, path: request.path, vouched: `${vouched}` });
  };
  diagnostics.subscribe("http.client.request.start", take);
  onTestFinished(() => void diagnostics.unsubscribe("http.client.request.start", take));
  return seen;
}

/** Hosts a and b, both voting; a leads. */
async function twoHosts(more?: ConstructorParameters<typeof SeveralHosts>[2]): Promise<SeveralHosts> {
  const swarm = await SeveralHosts.start(["a", "b"], [], more);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  return swarm;
}

const asking = () => ({ reach: { requireLogin: true } });
const json = { "content-type": "application/json" };
const duty = (swarm: SeveralHosts) => swarm.host("a").status().settings["fan.duty"]!.value;

test("a request that was sent on is refused when it comes again, from whomever", async () => {
  const swarm = await twoHosts(asking);
  const token = await logIn(swarm.host("b").url, person("operator", "ann"));
  const authorization = { authorization: `Bearer ${token}` };
  const seen = watchForwarded();
  expect(await swarm.set("b", "fan.duty", 41, authorization)).toMatchObject({ value: 41 });
  expect(await swarm.host("b").request("/api/status", { headers: authorization })).toMatchObject({
    status: 200,
  });
  expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "PUT /api/settings/fan.duty",
    "GET /api/status",
  ]);
  await swarm.set("a", "fan.duty", 42, {
    authorization: `Bearer ${await logIn(swarm.host("a").url, person("operator", "ann"))}`,
  });
  for (const { method, path, vouched } of seen) {
    const headers = { ...json, [forwardedHeader]: vouched };
    const init = method === "PUT" ? { method, headers, body: '{"value":41}' } : { headers };
    for (const host of ["a", "b"]) {
      expect(await swarm.host(host).request(path, init)).toMatchObject({ status: 401 });
    }
  }
  expect(duty(swarm)).toBe(42);
});

test.each([
  ["no proof at all", () => "b"],
  [
    "a proof of nothing",
    ([host, number, actor]: string[]) => `${host};${Number(number) + 1};${actor};${"A".repeat(43)}`,
  ],
  ["the proof of another request", (parts: string[]) => parts.join(";")],
  [
    "another actor than was vouched for",
    ([host, number, , proof]: string[]) => {
      const admin = { name: "eve", role: "admin", scope: [{ resource: "*", permissions: 15 }] };
      return `${host};${number};${Buffer.from(JSON.stringify(admin)).toString("base64url")};${proof}`;
    },
  ],
])(
  "who says that another host sent the request on, with %s, is refused even where nobody need log in",
  async (_, forge) => {
    const swarm = await twoHosts();
    const seen = watchForwarded();
    await swarm.set("b", "fan.duty", 41);
    const [{ vouched }] = seen as [Seen];
    const headers = { ...json, [forwardedHeader]: forge(vouched.split(";")) };
    const put = await swarm
      .host("a")
      .request("/api/settings/fan.duty", { method: "PUT", headers, body: '{"value":99}' });
    const post = await swarm
      .host("a")
      .request("/api/members/transfer", { method: "POST", headers, body: '{"to":"b"}' });
    const get = await swarm.host("a").request("/api/status", { headers });
    expect([put.status, post.status, get.status]).toEqual([401, 401, 401]);
    expect(put.body).toContain("No host of this swarm vouches for this request");
    expect(duty(swarm)).toBe(41);
    expect(await swarm.leader()).toBe("a");
  },
);

test("the leader decides by the rights of who asked, whichever host was asked", async () => {
  const swarm = await twoHosts(asking);
  const { url } = swarm.host("b");
  const [viewer, operator] = await Promise.all([
    logIn(url, person("viewer", "vera")),
    logIn(url, person("operator", "otto")),
  ]);
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  expect((await swarm.set("b", "fan.duty", 41, as(viewer))).error?.code).toBe("forbidden");
  expect(await swarm.set("b", "fan.duty", 41, as(operator))).toMatchObject({ value: 41 });
  const status = await swarm.host("b").request("/api/status", { headers: as(viewer) });
  expect(JSON.parse(status.body)).toMatchObject({ isConfirmed: true, leader: { role: "leader" } });
});

/** Hosts with HTTPS, each with a certificate of its authority. */
const secured = (authorityOf: (name: string) => Authority) => (name: string) => ({
  member: {
    ...memberOf("greenhouse", "host", name),
    tls: makeHostCertificate(authorityOf(name), name, [], Date.now()),
  },
  reach: { listen: "127.0.0.1" },
});

async function setOverTls(swarm: SeveralHosts, host: string, authority: Authority): Promise<Response> {
  const { url } = swarm.host(host);
  const trusting = fetchTrusting(pem(authority.certificate));
  const offered = await trusting(new URL("/api/login", url), { method: "GET", headers: {} });
  const offer = (await offered.json()) as LoginChallenge;
  const body = JSON.stringify(proofOf(person("operator", "ann"), offer, url));
  const login = await trusting(new URL("/api/login", url), { method: "POST", headers: json, body });
  const { token } = (await login.json()) as { token: string };
  return trusting(new URL("/api/settings/fan.duty", url), {
    method: "PUT",
    headers: { ...json, authorization: `Bearer ${token}` },
    body: '{"value":43}',
  });
}

test("a leader with HTTPS is asked over it, and believed only with a certificate of the swarm's authority", async () => {
  const authority = makeAuthority("greenhouse", Date.now());
  const swarm = await twoHosts(secured(() => authority));
  const answer = await setOverTls(swarm, "b", authority);
  expect([answer.status, duty(swarm)]).toEqual([200, 43]);
});

test("somebody else's certificate at the leader's address is told nothing", async () => {
  const [ours, theirs] = [makeAuthority("greenhouse", Date.now()), makeAuthority("greenhouse", Date.now())];
  const swarm = await twoHosts(secured((name) => (name === "a" ? theirs : ours)));
  const answer = await setOverTls(swarm, "b", ours);
  expect(answer.status).toBe(502);
  expect(await answer.text()).toContain("shows a certificate that this swarm's authority did not sign");
  expect(duty(swarm)).toBe(20);
});
