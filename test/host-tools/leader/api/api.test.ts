import { request } from "node:http";
import { expect, test } from "vitest";
import { statusFeedLimits } from "../../../../host-tools/leader/api/status-feed.ts";
import type { LogEntry } from "../../../../host-tools/leader/api/types/log.ts";
import type { Status } from "../../../../host-tools/leader/api/types/status.ts";
import { eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";

const json = { "content-type": "application/json" };

/** With headers that `fetch` does not let one choose. */
function rawRequest(leader: LeaderUnderTest, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(leader.url + path, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on("error", reject)
      .end();
  });
}

test("status, settings and log have the shape that api/types states", async () => {
  const leader = await leaderUnderTest();
  await leader.put("fan.duty", 40);
  const status = JSON.parse((await leader.request("/api/status")).body) as Status;
  expect(Object.keys(status)).toEqual([
    ...["swarm", "isConfirmed", "leader", "hosts", "boards", "settings", "counters", "violations"],
  ]);
  expect(status).toMatchObject({ isConfirmed: true, hosts: [{ name: "a", role: "leader", link: "up" }] });
  expect(status.leader).toMatchObject({ role: "leader", pid: process.pid, httpPort: leader.httpPort });
  expect(status.leader.commitIndex).toBe(status.leader.appliedIndex);

  const settings = JSON.parse((await leader.request("/api/settings")).body);
  expect(settings).toEqual(status.settings);
  expect(JSON.parse((await leader.request("/api/settings/fan.duty")).body)).toEqual(settings["fan.duty"]);

  const log = JSON.parse((await leader.request("/api/log")).body) as LogEntry[];
  expect(log[0]).toMatchObject({ index: 1, kind: "membership", committed: true });
  expect(log.map(({ text }) => text)).toContain("fan.duty = 40");
  expect(log.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^program\/north-1 = \d+ bytes$/));
  const part = JSON.parse((await leader.request("/api/log?from=2&limit=3")).body) as LogEntry[];
  expect(part.map(({ index }) => index)).toEqual([2, 3, 4]);
  const last = JSON.parse((await leader.request("/api/log?limit=1")).body) as LogEntry[];
  expect(last.map(({ index }) => index)).toEqual([status.leader.lastIndex]);
  expect(JSON.parse((await leader.request("/api/log?from=9999")).body)).toEqual([]);
});

test("a setting beyond its limits is refused before it is proposed", async () => {
  const leader = await leaderUnderTest();
  await leader.put("fan.duty", 40);
  const { lastIndex } = leader.status().leader;
  expect(await leader.put("fan.duty", 140)).toEqual({
    status: 422,
    error: { code: "out-of-limits", message: "fan.duty takes 0 to 100 %; 140 is too high." },
  });
  expect(await leader.put("door.bell", 1)).toMatchObject({ status: 404, error: { code: "not-found" } });
  expect(await leader.put("fan.duty", "40")).toMatchObject({ status: 400, error: { code: "bad-request" } });
  expect(leader.status().leader.lastIndex).toBe(lastIndex);
});

const badBodies: [string, number, RequestInit][] = [
  ["no JSON", 400, { headers: json, body: "{value:" }],
  ["no value", 400, { headers: json, body: "{}" }],
  ["an array", 400, { headers: json, body: "[1]" }],
  ["an empty body", 400, { headers: json }],
  ["a body of another type", 415, { headers: { "content-type": "text/plain" }, body: '{"value":1}' }],
  ["a body that is too large", 413, { headers: json, body: JSON.stringify({ value: "x".repeat(5_000) }) }],
];

test.each(badBodies)("PUT with %s is answered %i with one sentence", async (_what, status, init) => {
  const leader = await leaderUnderTest();
  const answer = await leader.request("/api/settings/fan.duty", { method: "PUT", ...init });
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body).error).toMatchObject({
    code: "bad-request",
    message: expect.stringMatching(/^.+\.$/),
  });
});

const badQueries = [
  "/api/log?limit=0",
  "/api/log?limit=1001",
  "/api/log?from=-1",
  "/api/readings?limit=many",
  "/api/readings?format=xml",
  "/api/readings?from=yesterday",
  "/api/readings?to=99999999999999999",
];

test.each(badQueries)("GET %s is answered 400 and names the parameter", async (path) => {
  const leader = await leaderUnderTest();
  const answer = await leader.request(path);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body).error.message).toContain(/\?(\w+)/.exec(path)![1]);
});

test("readings are bounded by time, as milliseconds or ISO 8601", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  board.report(0, [{ metric: "temperature", takenMs: 0, value: 1, quality: 0 }]);
  await eventually(() => leader.status().boards[1]!.readings.length === 1);
  const count = async (query: string) =>
    JSON.parse((await leader.request(`/api/readings?${query}`)).body).length;
  expect(await count(`from=${Date.now() - 60_000}`)).toBe(1);
  expect(await count(`from=${new Date(Date.now() - 60_000).toISOString()}`)).toBe(1);
  expect(await count(`to=${Date.now() - 60_000}`)).toBe(0);
  expect(await count("board=north-1")).toBe(0);
  expect(await count("metric=temperature&board=north-2")).toBe(1);
});

test("an unknown path is answered 404 as JSON", async () => {
  const leader = await leaderUnderTest();
  for (const path of ["/api/none", "/page/../leader.ts", "/page/tsconfig.json", "/constructor"]) {
    const answer = await leader.request(path);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body).error.code).toBe("not-found");
  }
});

test("only local names are answered: a foreign name that points here is refused", async () => {
  const leader = await leaderUnderTest();
  const { httpPort } = leader;
  for (const host of [`localhost:${httpPort}`, `127.0.0.1:${httpPort}`, `[::1]:${httpPort}`]) {
    expect(await rawRequest(leader, "/api/status", { host })).toBe(200);
  }
  for (const host of [
    "evil.example",
    `evil.example:${httpPort}`,
    "localhost.evil.example",
    "127.0.0.1.nip.io",
  ]) {
    expect(await rawRequest(leader, "/api/status", { host })).toBe(403);
  }
});

test("a page from elsewhere is refused by its origin", async () => {
  const leader = await leaderUnderTest();
  const put = (origin: string) =>
    leader.request("/api/settings/fan.duty", {
      method: "PUT",
      headers: { ...json, origin },
      body: '{"value":40}',
    });
  expect((await put("http://evil.example")).status).toBe(403);
  expect((await put(`http://127.0.0.1:${leader.httpPort + 1}`)).status).toBe(403);
  expect((await put(leader.url)).status).toBe(200);
});

test("the page and its parts are served under a strict policy, and once only", async () => {
  const leader = await leaderUnderTest();
  const page = await leader.request("/");
  expect(page.headers.get("content-type")).toContain("text/html");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
  expect(page.body).not.toMatch(/<script>|style=|onclick=/);
  const named = [...page.body.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map((match) => match[1]!);
  const imported = (await leader.request("/page/page.js")).body.matchAll(/from "\.\/([^"]+)"/g);
  for (const path of [...named, ...[...imported].map((match) => `/page/${match[1]}`)]) {
    expect((await leader.request(path)).status, path).toBe(200);
  }
  const etag = page.headers.get("etag")!;
  expect((await leader.request("/", { headers: { "if-none-match": etag } })).status).toBe(304);
});

/** Reads events until `count` have come. */
async function readEvents(response: Response, count: number): Promise<{ atMs: number; status: Status }[]> {
  const events: { atMs: number; status: Status }[] = [];
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [event, data] = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      expect(event).toBe("event: status");
      events.push({ atMs: performance.now(), status: JSON.parse(data!.replace("data: ", "")) });
    }
    if (events.length >= count) break;
  }
  return events;
}

test("events push the status when it changes, at most four a second, and are silent when it does not", async () => {
  const leader = await leaderUnderTest();
  await leader.put("fan.duty", 1);
  const abort = new AbortController();
  const response = await fetch(`${leader.url}/api/events`, { signal: abort.signal });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reading = readEvents(response, 4);
  for (let value = 2; value <= 40; value++) {
    await leader.put("fan.duty", value);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const events = await reading;
  for (let i = 2; i < events.length; i++) {
    expect(events[i]!.atMs - events[i - 1]!.atMs).toBeGreaterThan(statusFeedLimits.periodMs - 60);
  }
  const values = events.map(({ status }) => status.settings["fan.duty"]!.value as number);
  expect(values).toEqual([...values].sort((a, b) => a - b));
  abort.abort();
});

test("watchers beyond the limit are refused, and one that leaves makes room", async () => {
  const leader = await leaderUnderTest();
  const aborts: AbortController[] = [];
  const watch = async () => {
    const abort = new AbortController();
    aborts.push(abort);
    return (await fetch(`${leader.url}/api/events`, { signal: abort.signal })).status;
  };
  for (let i = 0; i < statusFeedLimits.watchersMax; i++) expect(await watch()).toBe(200);
  expect(await watch()).toBe(503);
  aborts[0]!.abort();
  let status = 503;
  for (let i = 0; i < 50 && status === 503; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    status = await watch();
  }
  expect(status).toBe(200);
  for (const abort of aborts) abort.abort();
});

test("without a majority a set is refused in time, and says that the outcome is not known", {
  timeout: 20_000,
}, async () => {
  const leader = await leaderUnderTest();
  const north = await leader.join("north-1");
  await eventually(() => leader.status().leader.voters.length === 2);
  north.cut();
  await north.closed;
  const { status, error } = await leader.put("fan.duty", 77);
  expect(status).toBe(504);
  expect(error).toMatchObject({ code: "timeout", message: expect.stringContaining("may still happen") });
  await leader.join("north-1", { memory: north.memory });
  await eventually(() => leader.status().settings["fan.duty"]!.value === 77);
});
