import { expect, test } from "vitest";
import { type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { json, logIn, person, rawRequest } from "./people.ts";

const asking = { reach: { requireLogin: true } };
const setting = "/api/settings/fan.duty";

/** As the browser of somebody who is logged in sends it, whoever's page asked. */
async function withCookie(leader: LeaderUnderTest): Promise<Record<string, string>> {
  const token = await logIn(leader.url, person("operator", "otto"));
  return { ...json, host: new URL(leader.url).host, cookie: `covey-greenhouse-a=${token}` };
}

test("a page from elsewhere sets nothing, logs nobody in or out, and reads nothing", async () => {
  const leader = await leaderUnderTest(asking);
  const browser = await withCookie(leader);
  const put = (more: object) =>
    rawRequest(leader.url, setting, { ...browser, ...more }, { method: "PUT", body: '{"value":77}' });
  const foreign = [
    "http://evil.example",
    `http://127.0.0.1:${leader.httpPort + 1}`,
    `https://127.0.0.1:${leader.httpPort}`,
    "null",
    "",
  ];
  for (const origin of foreign) {
    expect(await put({ origin }), origin).toBe(403);
    for (const path of ["/api/login", "/api/logout", "/api/roster", "/api/members/voters"]) {
      const post = { method: "POST", body: "{}" };
      expect(await rawRequest(leader.url, path, { ...browser, origin }, post), path).toBe(403);
    }
    expect(await rawRequest(leader.url, "/api/status", { ...browser, origin })).toBe(403);
  }
  expect(leader.status().settings["fan.duty"]!.value).toBe(20);
  expect(await put({ origin: leader.url })).toBe(200);
});

test("what a form can send without asking is refused by its type", async () => {
  const leader = await leaderUnderTest(asking);
  const browser = await withCookie(leader);
  const forms = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""];
  for (const type of forms) {
    const headers = { ...browser, "content-type": type };
    expect(await rawRequest(leader.url, setting, headers, { method: "PUT", body: '{"value":77}' })).toBe(415);
    for (const path of ["/api/login", "/api/logout", "/api/roster", "/api/members/transfer"]) {
      expect(await rawRequest(leader.url, path, headers, { method: "POST", body: "{}" }), path).toBe(415);
    }
  }
  // Another method for the same thing.
  for (const method of ["POST", "GET"]) {
    const status = await rawRequest(leader.url, `${setting}?value=77&_method=PUT`, browser, { method });
    expect(status).toBe(method === "GET" ? 200 : 404);
  }
  expect(leader.status().settings["fan.duty"]!.value).toBe(20);
});

test("a foreign name that resolves to this address is refused, logged in or not", async () => {
  const leader = await leaderUnderTest(asking);
  const browser = await withCookie(leader);
  for (const host of ["evil.example", `evil.example:${leader.httpPort}`, "127.0.0.1.nip.io", "0.0.0.0"]) {
    expect(await rawRequest(leader.url, "/api/status", { ...browser, host }), host).toBe(403);
    expect(await rawRequest(leader.url, "/", { host }), host).toBe(403);
  }
});

test("behind a proxy that speaks HTTPS the public name is answered, asks who is there, and keeps its cookie to HTTPS", async () => {
  const leader = await leaderUnderTest({ reach: { publicNames: ["covey.example"] } });
  const host = "covey.example";
  expect(await rawRequest(leader.url, "/", { host })).toBe(200);
  expect(await rawRequest(leader.url, "/api/status", { host })).toBe(401);
  const out = (origin: string) =>
    rawRequest(leader.url, "/api/logout", { ...json, host, origin }, { method: "POST", body: "{}" });
  expect(await out("https://covey.example")).toBe(200);
  expect(await out("http://covey.example")).toBe(403);
});
