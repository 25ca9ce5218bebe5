import { expect, test } from "vitest";
import type { LogEntry } from "../../../../host-tools/leader/api/types/log.ts";
import type { StoredReading } from "../../../../host-tools/leader/api/types/readings.ts";
import type { RegistersStatus } from "../../../../host-tools/leader/api/types/registers.ts";
import type { Setting } from "../../../../host-tools/leader/api/types/settings.ts";
import type { Status } from "../../../../host-tools/leader/api/types/status.ts";
import { Permission } from "../../../../protocols/security/identity/scope.ts";
import { definition, eventually, leaderUnderTest } from "../leader-under-test.ts";
import { askAs, logIn, person } from "./people.ts";

const asking = { reach: { requireLogin: true } };
const { read, write } = Permission;

const put = { method: "PUT", body: '{"value":40}' };
const post = (body: object) => ({ method: "POST", body: JSON.stringify(body) });
const image = { method: "PUT", body: "firmware", headers: { "content-type": "application/octet-stream" } };
const promote = post({ action: "promote", names: ["south-1"], force: true });

/** Somebody who is to look after one greenhouse alone. */
const north = [
  { resource: "north-*", permissions: read },
  { resource: "fan.duty", permissions: read | write },
];

/** What everybody is answered, in this order: nobody, viewer, operator, north, admin. */
const routes: [string, RequestInit, number[]][] = [
  ["/", {}, [200, 200, 200, 200, 200]],
  ["/page/login.js", {}, [200, 200, 200, 200, 200]],
  ["/api/login", {}, [200, 200, 200, 200, 200]],
  ["/api/session", {}, [401, 200, 200, 200, 200]],
  ["/api/status", {}, [401, 200, 200, 200, 200]],
  ["/api/settings", {}, [401, 200, 200, 200, 200]],
  ["/api/settings/fan.duty", {}, [401, 200, 200, 200, 200]],
  ["/api/settings/door.lamp", {}, [401, 200, 200, 403, 200]],
  ["/api/settings/none", {}, [401, 404, 404, 403, 404]],
  ["/api/settings/covey%2Froster", {}, [401, 403, 403, 403, 404]],
  ["/api/members", {}, [401, 200, 200, 403, 200]],
  ["/api/log", {}, [401, 200, 200, 200, 200]],
  ["/api/readings", {}, [401, 200, 200, 200, 200]],
  ["/api/readings?board=north-1", {}, [401, 200, 200, 200, 200]],
  ["/api/readings?board=south-1&format=csv", {}, [401, 200, 200, 403, 200]],
  ["/api/audit", {}, [401, 403, 403, 403, 200]],
  ["/api/settings/fan.duty", put, [401, 403, 200, 200, 200]],
  ["/api/settings/door.lamp", { ...put, body: '{"value":true}' }, [401, 403, 200, 403, 200]],
  ["/api/settings/covey%2Fvoters", put, [401, 403, 403, 403, 404]],
  ["/api/settings/covey%2Faudit%2F00", { ...put, body: '{"value":"x"}' }, [401, 403, 403, 403, 404]],
  ["/api/settings/program%2Fnorth-1", { ...put, body: '{"value":"x"}' }, [401, 403, 404, 403, 404]],
  ["/api/members/voters", promote, [401, 403, 403, 403, 400]],
  ["/api/members/transfer", post({ to: "b" }), [401, 403, 403, 403, 400]],
  ["/api/roster", post({ statement: "AAAA" }), [401, 403, 403, 403, 400]],
  ["/api/releases", {}, [401, 200, 200, 200, 200]],
  ["/api/releases", post({ release: "AAAA" }), [401, 403, 403, 403, 400]],
  [`/api/images/${"0".repeat(64)}`, image, [401, 403, 403, 403, 400]],
  ["/api/settings/covey%2Frelease%2Fesp32c3-devkit", put, [401, 403, 403, 403, 404]],
  ["/api/settings/covey%2Fupdate%2Fnorth-1", put, [401, 403, 403, 403, 404]],
  ["/api/settings/covey%2Ffirmware", put, [401, 403, 403, 403, 404]],
  ["/api/alerts", {}, [401, 200, 200, 200, 200]],
  // Whoever may is told that there are none.
  ["/api/alerts/acknowledge", post({ alert: "too-hot" }), [401, 403, 404, 403, 404]],
  ["/api/alerts/test", post({}), [401, 403, 404, 403, 404]],
  ["/api/query?q=mean(temperature)%20over%201m", {}, [401, 404, 404, 404, 404]],
  ["/api/checkpoints", {}, [401, 403, 403, 403, 200]],
  ["/api/checkpoints", post({ name: "No Name" }), [401, 403, 403, 403, 400]],
  ["/api/checkpoints/delete", post({ name: "none" }), [401, 403, 403, 403, 404]],
  ["/api/checkpoints/diff?to=none", {}, [401, 403, 403, 403, 404]],
  ["/api/checkpoints/restore", { ...put, body: '{"name":"none","shown":""}' }, [401, 403, 403, 403, 404]],
  ["/api/checkpoints/copies", {}, [401, 403, 403, 403, 200]],
  ["/api/checkpoints/none/copy", {}, [401, 403, 403, 403, 404]],
  ["/api/registers", {}, [401, 200, 200, 200, 200]],
  ["/api/registers/emergency", {}, [401, 200, 200, 403, 200]],
  ["/api/registers/north-alarm", {}, [401, 200, 200, 200, 200]],
  ["/api/registers/emergency/changes", {}, [401, 200, 200, 403, 200]],
  // No board is there to ask.
  ["/api/registers/none/now", {}, [401, 404, 404, 403, 404]],
  ["/api/registers/emergency", { ...put, body: '{"value":3}' }, [401, 403, 400, 403, 400]],
  ["/api/registers/recover", post({ acceptLoss: true }), [401, 403, 403, 403, 400]],
  ["/api/logout", post({}), [200, 200, 200, 200, 200]],
];

/** With registers, which boards agree on by themselves. */
const agreeing = {
  ...definition,
  registers: {
    boards: Object.keys(definition.boards),
    names: {
      emergency: { type: "boolean", initial: false },
      "north-alarm": { type: "boolean", initial: false },
    },
  },
} as const;

test("every route answers each role what its scope allows, and no more", async () => {
  const leader = await leaderUnderTest({ ...asking, definition: agreeing });
  const people = [
    undefined,
    await logIn(leader.url, person("viewer", "vera")),
    await logIn(leader.url, person("operator", "otto")),
    await logIn(leader.url, person("operator", "nora", north)),
    await logIn(leader.url, person("admin", "ann")),
  ];
  for (const [path, init, expected] of routes) {
    const statuses: number[] = [];
    for (const token of people) statuses.push((await askAs(leader.url, token, path, init)).status);
    expect(statuses, `${init.method ?? "GET"} ${path}`).toEqual(expected);
  }
});

test("a refusal names what is missing", async () => {
  const leader = await leaderUnderTest(asking);
  const vera = await logIn(leader.url, person("viewer", "vera"));
  const { body } = await askAs(leader.url, vera, "/api/settings/fan.duty", put);
  expect(body.error).toEqual({
    code: "forbidden",
    message: expect.stringContaining("vera (viewer) may not write fan.duty"),
  });
});

test("listings hold what one may read, and no trace of the rest", async () => {
  const leader = await leaderUnderTest({ ...asking, definition: agreeing });
  for (const name of ["north-1", "south-1"]) {
    const board = await leader.join(name);
    board.report(0, [{ metric: "temperature", takenMs: 0, value: 1, quality: 0 }]);
  }
  await eventually(() => leader.status().boards.filter(({ readings }) => readings.length > 0).length === 2);
  const token = await logIn(leader.url, person("viewer", "nora", north));
  const get = async <T>(path: string) => (await askAs(leader.url, token, path)).body as unknown as T;

  const status = await get<Status>("/api/status");
  expect(status.boards.map(({ id }) => id)).toEqual(["north-1", "north-2"]);
  expect(Object.keys(status.settings)).toEqual(["fan.duty"]);
  expect(Object.keys(await get<Record<string, Setting>>("/api/settings"))).toEqual(["fan.duty"]);
  expect(Object.keys(status.registers!)).toEqual(["north-alarm"]);
  expect(Object.keys((await get<RegistersStatus>("/api/registers")).registers)).toEqual(["north-alarm"]);
  const readings = await get<StoredReading[]>("/api/readings");
  expect(new Set(readings.map(({ board }) => board))).toEqual(new Set(["north-1"]));

  const log = await get<LogEntry[]>("/api/log");
  expect(log.map(({ index }) => index)).toEqual(log.map((_, i) => i + log[0]!.index));
  const told = log
    .filter(({ text }) => text !== "" && text !== "(not yours to read)")
    .map(({ text }) => text);
  expect(told).toEqual(["fan.duty = 20"]);

  const response = await fetch(`${leader.url}/api/events`, { headers: { authorization: `Bearer ${token}` } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n\n")) text += (await reader.read()).value;
  await reader.cancel();
  expect(text).toContain("north-1");
  expect(text).not.toContain("south-1");
  expect(text).not.toContain("door.lamp");
});
