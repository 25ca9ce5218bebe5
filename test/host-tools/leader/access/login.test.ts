import { request } from "node:http";
import { expect, test } from "vitest";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { kidOf } from "../../../../protocols/security/identity/credential.ts";
import { TestRoot } from "../../../members.ts";
import { type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { memberOf, rootOf } from "../test-swarm.ts";
import { askAs, challengeOf, json, logIn, person, postLogin, proofOf } from "./people.ts";

const asking = { reach: { requireLogin: true } };

async function loginAt(leader: LeaderUnderTest, member = person("viewer", "vera")) {
  return postLogin(leader.url, proofOf(member, await challengeOf(leader.url), leader.url));
}

test("whoever proves to hold an identity of the swarm is logged in, by header or by cookie, until logging out", async () => {
  const leader = await leaderUnderTest(asking);
  const { status, headers, body } = await loginAt(leader);
  expect(status).toBe(200);
  expect(body).toMatchObject({ name: "vera", role: "viewer", isLocal: false });
  expect(Buffer.from(body.token!, "base64url")).toHaveLength(32);

  const cookie = headers.get("set-cookie")!;
  const [pair, ...attributes] = cookie.split("; ");
  expect(pair).toBe(`covey-greenhouse-a=${body.token}`);
  expect(attributes).toEqual(["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"]);

  const bearer = { authorization: `Bearer ${body.token}` };
  const byCookie = { cookie: `other=1; ${pair}` };
  for (const way of [bearer, byCookie]) {
    const answer = await leader.request("/api/session", { headers: way });
    expect(JSON.parse(answer.body)).toMatchObject({ name: "vera", role: "viewer" });
    expect(answer.body).not.toContain(body.token);
  }

  const out = await leader.request("/api/logout", {
    method: "POST",
    headers: { ...json, ...byCookie },
    body: "{}",
  });
  expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  for (const way of [bearer, byCookie]) {
    expect((await leader.request("/api/status", { headers: way })).status).toBe(401);
  }
});

test("without a login a host that asks for one shows its page and nothing else", async () => {
  const leader = await leaderUnderTest(asking);
  expect((await leader.request("/")).status).toBe(200);
  for (const path of [
    "status",
    "events",
    "settings",
    "settings/fan.duty",
    "members",
    "log",
    "readings",
    "audit",
    "session",
  ]) {
    const answer = await leader.request(`/api/${path}`);
    expect(answer.status, path).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(JSON.parse(answer.body).error).toEqual({
      code: "not-logged-in",
      message: expect.stringContaining("log in"),
    });
  }
  expect(await leader.put("fan.duty", 40)).toMatchObject({ status: 401, error: { code: "not-logged-in" } });
  expect(leader.status().settings["fan.duty"]!.value).toBe(20);
});

test("a host on this computer alone asks nobody, and says so", async () => {
  const leader = await leaderUnderTest();
  expect(JSON.parse((await leader.request("/api/session")).body)).toMatchObject({
    role: "admin",
    isLocal: true,
  });
  // Whoever logs in all the same has no more rights than the identity gives.
  const token = await logIn(leader.url, person("viewer", "vera"));
  expect(
    (await askAs(leader.url, token, "/api/settings/fan.duty", { method: "PUT", body: '{"value":40}' }))
      .status,
  ).toBe(403);
});

test("a login that somebody saw opens nothing a second time", async () => {
  const leader = await leaderUnderTest(asking);
  const login = proofOf(person("admin", "ann"), await challengeOf(leader.url), leader.url);
  expect((await postLogin(leader.url, login)).status).toBe(200);
  expect((await postLogin(leader.url, login)).status).toBe(401);
  // The same bytes in another spelling: the last character has two bits to spare.
  const last = login.challenge.at(-1)!;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const sibling = alphabet[alphabet.indexOf(last) ^ 1]!;
  const respelled = login.challenge.slice(0, -1) + sibling;
  expect(Buffer.from(respelled, "base64url")).toEqual(Buffer.from(login.challenge, "base64url"));
  expect((await postLogin(leader.url, { ...login, challenge: respelled })).status).toBe(401);
});

const elsewhere = "http://127.0.0.1:1";

const impostors: [string, (leader: LeaderUnderTest) => Promise<object>][] = [
  [
    "what a rogue host b gets that hands on this host's challenge",
    async ({ url }) => proofOf(person("admin", "ann"), { ...(await challengeOf(url)), host: "b" }, url),
  ],
  [
    "a signature for another address",
    async ({ url }) => proofOf(person("admin", "ann"), await challengeOf(url), elsewhere),
  ],
  [
    "a signature for another address, said to be for this one",
    async ({ url }) => proofOf(person("admin", "ann"), await challengeOf(url), elsewhere, { origin: url }),
  ],
  [
    "a signature for another swarm",
    async ({ url }) =>
      proofOf(person("admin", "ann"), { ...(await challengeOf(url)), swarm: "orchard" }, url),
  ],
  [
    "another's key",
    async ({ url }) => {
      const { signed } = person("admin", "ann");
      return proofOf(person("admin", "ann"), await challengeOf(url), url, {
        identity: Buffer.from(signed).toString("base64url"),
      });
    },
  ],
  [
    "an identity of another root",
    async ({ url }) => proofOf(new TestRoot("greenhouse").issue("admin", "eve"), await challengeOf(url), url),
  ],
  [
    "a host's identity",
    async ({ url }) => proofOf(memberOf("greenhouse", "host", "a"), await challengeOf(url), url),
  ],
  [
    "a board's identity",
    async ({ url }) => proofOf(memberOf("greenhouse", "board", "north-1"), await challengeOf(url), url),
  ],
  [
    "a signature of zeros",
    async ({ url }) =>
      proofOf(person("admin", "ann"), await challengeOf(url), url, {
        signature: Buffer.alloc(64).toString("base64url"),
      }),
  ],
  [
    "a challenge of its own making",
    async ({ url }) => {
      const challenge = Buffer.alloc(32, 7).toString("base64url");
      return proofOf(person("admin", "ann"), { ...(await challengeOf(url)), challenge }, url);
    },
  ],
];

test.each(impostors)("%s is no proof", async (_what, attempt) => {
  const leader = await leaderUnderTest(asking);
  const { status, body, headers } = await postLogin(leader.url, await attempt(leader));
  expect(status).toBe(401);
  expect(body.token).toBeUndefined();
  expect(headers.get("set-cookie")).toBeNull();
});

test.each([{}, { identity: 1 }, { identity: "x".repeat(1_000) }, { challenge: null }])(
  "a login of the wrong shape is answered 400: %j",
  async (wrong) => {
    const leader = await leaderUnderTest(asking);
    const login = proofOf(person("admin", "ann"), await challengeOf(leader.url), leader.url);
    const sent = Object.keys(wrong).length === 0 ? wrong : { ...login, ...wrong };
    expect(await postLogin(leader.url, sent)).toMatchObject({
      status: 400,
      body: { error: { code: "bad-request" } },
    });
  },
);

test("one whom the root revokes is out at once, in the middle of a session, and does not get in again", async () => {
  const leader = await leaderUnderTest(asking);
  const vera = person("viewer", "vera");
  const [ann, viewer] = [await logIn(leader.url, person("admin", "ann")), await logIn(leader.url, vera)];
  const watching = await fetch(`${leader.url}/api/events`, {
    headers: { authorization: `Bearer ${viewer}` },
  });
  expect(watching.status).toBe(200);
  const ended = (async () => {
    for await (const _ of watching.body!);
    return true;
  })();

  const statement = rootOf("greenhouse").revoke(1, kidOf(nodeCiphers, vera.signed));
  const body = JSON.stringify({ statement: Buffer.from(statement).toString("base64url") });
  const post = (token: string) => askAs(leader.url, token, "/api/roster", { method: "POST", body });
  expect((await post(viewer)).status).toBe(403);
  expect(await post(ann)).toEqual({ status: 200, body: { epoch: 1 } });

  expect((await askAs(leader.url, viewer, "/api/status")).status).toBe(401);
  expect(await ended).toBe(true);
  expect((await loginAt(leader, vera)).status).toBe(401);
  expect((await askAs(leader.url, ann, "/api/status")).status).toBe(200);
  // The same again is agreed on already; another one of that epoch is none that anybody may believe.
  expect(await post(ann)).toEqual({ status: 200, body: { epoch: 1 } });
  const other = Buffer.from(rootOf("greenhouse").revoke(1)).toString("base64url");
  const answer = await askAs(leader.url, ann, "/api/roster", {
    method: "POST",
    body: JSON.stringify({ statement: other }),
  });
  expect(answer).toMatchObject({ status: 409, body: { error: { code: "not-newer" } } });
});

test("a roster that the root did not sign is refused", async () => {
  const leader = await leaderUnderTest();
  const statement = new TestRoot("greenhouse").revoke(7);
  const body = JSON.stringify({ statement: Buffer.from(statement).toString("base64url") });
  expect(await askAs(leader.url, undefined, "/api/roster", { method: "POST", body })).toMatchObject({
    status: 400,
  });
  expect((await askAs(leader.url, undefined, "/api/roster", { method: "POST", body: "{}" })).status).toBe(
    400,
  );
});

test("a restart ends every session", async () => {
  const first = await leaderUnderTest(asking);
  const token = await logIn(first.url, person("admin", "ann"));
  await first.stop();
  const second = await leaderUnderTest({ ...asking, stateDir: first.stateDir, httpPort: first.httpPort });
  expect((await askAs(second.url, token, "/api/status")).status).toBe(401);
});

test("an address that fails again and again has to wait, and is told how long", async () => {
  const leader = await leaderUnderTest(asking);
  expect((await failOften(leader, 3)).statuses).toEqual([401, 401, 401]);
  const { last } = await failOften(leader, 1, 429);
  expect(Number(last.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(last.body.error).toEqual({ code: "too-many", message: expect.stringMatching(/try again in \d+ s/) });
  // Not even the right proof is looked at meanwhile.
  expect((await loginAt(leader)).status).toBe(429);
});

/** Fails so many times, and on until it is answered `wanted`. */
async function failOften(leader: LeaderUnderTest, times: number, wanted?: number) {
  const statuses: number[] = [];
  const eve = new TestRoot("greenhouse").issue("admin", "eve");
  for (;;) {
    const last = await loginAt(leader, eve);
    statuses.push(last.status);
    if (statuses.length >= times && (wanted === undefined || last.status === wanted))
      return { statuses, last };
  }
}

test("what is no login at all uses up nobody's attempts", async () => {
  const leader = await leaderUnderTest(asking);
  for (let i = 0; i < 100; i++) expect((await postLogin(leader.url, { identity: i })).status).toBe(400);
  expect((await loginAt(leader)).status).toBe(200);
});

test("one address that goes on and on keeps nobody else out", async () => {
  const leader = await leaderUnderTest(asking);
  const { statuses } = await failOften(leader, 100);
  // Three at once, and one after each pause: 1, 2, 4, 8 s.
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(7);
  // Another address of this computer.
  const login = proofOf(person("viewer", "vera"), await challengeOf(leader.url), leader.url);
  expect(await postFrom("127.0.0.2", leader.url, login)).toBe(200);
});

/** The status of a login that comes from that address. */
function postFrom(localAddress: string, url: string, login: object): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/api/login`, { method: "POST", headers: json, localAddress }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on("error", reject)
      .end(JSON.stringify(login));
  });
}
