import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import type { StoredReading } from "../../../host-tools/leader/api/types/readings.ts";
import { eventually, leaderUnderTest, temporaryFolder } from "./leader-under-test.ts";

const warm = { metric: "temperature", takenMs: 5_000, value: 21.5, quality: 0 } as const;

test("a report is stored at the leader's time, shown, and exported as JSON and CSV", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  const before = Date.now();
  board.report(6_000, [warm, { metric: "temperature", takenMs: 6_000, value: Number.NaN, quality: 1 }]);
  await eventually(() => leader.status().boards[1]!.readings.length === 1);
  const after = Date.now();

  const stored = JSON.parse((await leader.request("/api/readings")).body) as StoredReading[];
  expect(stored).toMatchObject([
    { board: "north-2", metric: "temperature", value: 21.5, unit: "°C", quality: 0 },
    { board: "north-2", metric: "temperature", value: null, unit: "°C", quality: 1 },
  ]);
  // Taken a second before it was sent.
  expect(stored[0]!.atMs).toBeGreaterThanOrEqual(before - 1_000);
  expect(stored[0]!.atMs).toBeLessThanOrEqual(after - 1_000);

  const csv = await leader.request("/api/readings?format=csv&board=north-2");
  expect(csv.headers.get("content-type")).toContain("text/csv");
  const rows = parse(csv.body, { columns: true }) as Record<string, string>[];
  expect(rows.map(({ time, ...row }) => row)).toEqual([
    { board: "north-2", metric: "temperature", value: "21.5", unit: "°C", quality: "0" },
    { board: "north-2", metric: "temperature", value: "", unit: "°C", quality: "1" },
  ]);
  expect(Date.parse(rows[0]!.time!)).toBe(stored[0]!.atMs);
});

test("a metric is called what no board of swarm.ts calls one, such as what every object has: it has no unit", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  const metrics = ["constructor", "__proto__", "toString"];
  board.report(
    6_000,
    metrics.map((metric) => ({ ...warm, metric })),
  );
  await eventually(() => leader.status().boards[1]!.readings.length === metrics.length);
  const stored = JSON.parse((await leader.request("/api/readings")).body) as StoredReading[];
  expect(stored.map(({ metric, unit }) => [metric, unit])).toEqual(metrics.map((metric) => [metric, ""]));
  const csv = await leader.request("/api/readings?format=csv");
  const rows = parse(csv.body, { columns: true }) as Record<string, string>[];
  expect(rows.map(({ unit }) => unit)).toEqual(["", "", ""]);
});

test("a report that is repeated on a connection is taken once; after a reboot the count starts anew", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  board.report(6_000, [warm], 0);
  board.report(6_000, [warm], 0);
  board.report(7_000, [{ ...warm, takenMs: 7_000 }], 1);
  await eventually(() => leader.status().counters.readingsStored === 2);
  board.cut();
  await board.closed;
  const rebooted = await leader.join("north-2", { memory: board.memory });
  rebooted.report(100, [{ ...warm, takenMs: 50 }], 0);
  await eventually(() => leader.status().counters.readingsStored === 3);
});

test("readings outlive a restart", async () => {
  const stateDir = temporaryFolder();
  const first = await leaderUnderTest({ stateDir });
  const board = await first.join("north-2");
  board.report(6_000, [warm]);
  await eventually(() => first.status().boards[1]!.readings.length === 1);
  await first.stop();
  const second = await leaderUnderTest({ stateDir });
  expect(JSON.parse((await second.request("/api/readings")).body)).toMatchObject([{ value: 21.5 }]);
});

test("a damaged readings file is kept aside, said, and a new one started; agreement is not touched", async () => {
  const stateDir = temporaryFolder();
  const first = await leaderUnderTest({ stateDir });
  await first.put("fan.duty", 61);
  await first.stop();
  const file = join(stateDir, "host-a", "telemetry.sqlite");
  writeFileSync(file, "this is no database, but long enough to be looked at as one".repeat(100));

  const second = await leaderUnderTest({ stateDir });

  const kept = readdirSync(join(stateDir, "host-a")).find((name) =>
    name.startsWith("telemetry.sqlite.damaged-"),
  );
  expect(readFileSync(join(stateDir, "host-a", kept!), "utf8")).toContain("this is no database");
  expect(second.status().violations).toEqual([expect.stringContaining(kept!)]);
  expect(second.logged.join("")).toContain("database was damaged");
  const board = await second.join("north-2");
  board.report(6_000, [warm]);
  await eventually(() => second.status().counters.readingsStored === 1);
  expect(second.status().settings["fan.duty"]!.value).toBe(61);
});

test("a board that forgot what it had acknowledged is reported", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  await eventually(() => leader.status().boards[1]!.matchIndex > 0);
  board.cut();
  await board.closed;
  await leader.join("north-2");
  await eventually(() => leader.status().violations.length === 2);
  expect(leader.status().violations[1]).toMatch(/returned with a log up to 0 after it had acknowledged \d+/);
});

test("a board that applied more than it knew to be committed is reported", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  board.health({ appliedIndex: 9, commitIndex: 3 });
  await eventually(() => leader.status().violations.length === 1);
  expect(leader.status().violations).toEqual([
    "north-2 applied entry 9 while it knew only 3 to be committed.",
  ]);
});

test("readings of an hour without a leader keep their times, although they come late and in a hurry", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  board.health({ sentMs: 1_000 });
  board.cut();
  await board.closed;
  const again = await leader.join("north-2", { memory: board.memory });
  const before = Date.now();
  const hourMs = 3_600_000;
  again.health({ sentMs: hourMs });
  again.report(hourMs + 2, [{ ...warm, takenMs: 2_000 }], 1);
  again.report(hourMs + 2, [{ ...warm, takenMs: hourMs / 2 }], 2);
  await eventually(() => leader.status().counters.readingsStored === 2);
  const after = Date.now();
  const stored = JSON.parse((await leader.request("/api/readings")).body) as StoredReading[];
  for (const [i, agoMs] of [hourMs - 2_000, hourMs / 2].entries()) {
    const { atMs } = stored[i]!;
    expect(atMs).toBeGreaterThanOrEqual(before - agoMs - 2);
    expect(atMs).toBeLessThanOrEqual(after - agoMs);
  }
});

test("the time is told on the first health messages of a connection, then not for a minute, and anew after a reconnect", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  const before = Date.now();
  for (let sentMs = 1; sentMs <= 6; sentMs++) board.health({ sentMs, samplesIn: sentMs });
  await eventually(() => leader.status().boards[1]!.samplesIn === 6);
  await eventually(() => board.timesTold.length === 4);
  const after = Date.now();
  expect(board.timesTold.map(({ askedMs }) => askedMs)).toEqual([1, 2, 3, 4]);
  for (const { toldMs } of board.timesTold) {
    expect(toldMs).toBeGreaterThanOrEqual(before);
    expect(toldMs).toBeLessThanOrEqual(after);
  }
  board.cut();
  await board.closed;
  const again = await leader.join("north-2", { memory: board.memory });
  again.health({ sentMs: 7, wallMs: Date.now(), timeBoundMs: 12 });
  await eventually(() => again.timesTold.length === 1);
  expect(leader.status().boards[1]!.timeBoundMs).toBe(12);
});
