/** Alerts as a webhook's receiver on loopback is told of them by real hosts, over fail-over, restarts and outages. */
import { expect, test } from "vitest";
import type {
  AlertStatus,
  AlertsAnswer,
  AlertTested,
} from "../../../../host-tools/leader/api/types/alerts.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { definition, eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { Receiver, secret } from "./receiver.ts";

const boards = ["north-1", "north-2", "south-1"];

function alerting(webhooks: readonly string[], more: Partial<SwarmDefinition> = {}): SwarmDefinition {
  const hot = { kind: "threshold", metric: "temperature", when: "above", hysteresis: 1, boards } as const;
  return {
    ...definition,
    alerts: {
      "too-hot": { ...hot, threshold: 30, forMs: 0 },
      "warm-long": { ...hot, threshold: "fan.duty", forMs: 300 },
    },
    webhooks,
    ...more,
  };
}

let sequence = 0;
function report(board: RawBoard, value: number, quality: 0 | 2 = 0): void {
  sequence++;
  const takenMs = Math.floor(performance.now());
  board.report(takenMs, [{ metric: "temperature", takenMs, value, quality }], sequence);
}

async function post<T>(
  host: LeaderUnderTest,
  path: string,
  body: unknown,
): Promise<{ status: number; body: T }> {
  const headers = { "content-type": "application/json" };
  const answer = await host.request(path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, body: JSON.parse(answer.body) };
}

async function listed(host: LeaderUnderTest): Promise<AlertsAnswer> {
  return JSON.parse((await host.request("/api/alerts")).body);
}

const firing = (host: LeaderUnderTest) =>
  host.status().alerts!.map(({ alert, board }) => `${alert} ${board}`);
/** Long enough for whatever might be told twice to be told twice. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 2_500));

test("what is beyond its threshold reaches the webhook, the log and the status once, signed, and so does that it is over", async () => {
  const receiver = await Receiver.start();
  const host = await leaderUnderTest({ definition: alerting([receiver.url]), webhookSecret: secret });
  const board = await host.join("north-1");
  await eventually(() => host.status().isConfirmed || host.status().leader.commitIndex > 3);
  report(board, 90, 2);
  report(board, 31.26);
  report(board, 32);
  await eventually(() => receiver.told.length >= 2);
  expect(firing(host).sort()).toEqual(["too-hot north-1", "warm-long north-1"]);
  const [first] = receiver.told.filter(({ data }) => data.alert === "too-hot");
  expect(first).toMatchObject({
    type: "alert.firing",
    isSigned: true,
    data: {
      swarm: "greenhouse",
      board: "north-1",
      value: 31.26,
      unit: "°C",
      condition: "temperature above 30 °C",
    },
  });
  await aWhile();
  expect(receiver.told).toHaveLength(2);

  report(board, 29.5);
  await aWhile();
  expect(firing(host)).toHaveLength(2);
  report(board, 12);
  await eventually(() => receiver.told.length === 4);
  expect(firing(host)).toEqual([]);
  const over = receiver.told.find(
    ({ type, data }) => type === "alert.recovered" && data.alert === "too-hot",
  )!;
  expect(over).toMatchObject({ isSigned: true, data: { lastValue: 12, since: first!.data.since } });
  expect(over.id).toBe(first!.id.replace("firing", "recovered"));
  await aWhile();
  expect(new Set(receiver.ids).size).toBe(4);
  expect(receiver.told).toHaveLength(4);

  const said = (what: string) =>
    host.logged.filter((line) => line.includes(what) && line.includes("too-hot"));
  expect(said("alert-firing")).toHaveLength(1);
  expect(said("alert-recovered")).toHaveLength(1);
  const log = (await host.request("/api/log?limit=1000")).body;
  expect(log.match(/covey\/alerts\/too-hot\/north-1 = \\"firing \d+ 31.26\\"/g)).toHaveLength(1);
  expect((await listed(host)).alerts.map(({ phase }) => phase)).toEqual(["recovered", "recovered"]);
}, 30_000);

test("a receiver that is down, or refuses, is told when it takes it; one that works is not kept waiting", async () => {
  const [late, prompt] = [await Receiver.start(), await Receiver.start()];
  const webhooks = [late.url, prompt.url];
  const host = await leaderUnderTest({ definition: alerting(webhooks), webhookSecret: secret });
  const board = await host.join("north-1");
  await late.stop();
  report(board, 31);
  await eventually(() => prompt.told.length >= 1);
  await eventually(() => host.logged.some((line) => line.includes("alert-not-told")));
  expect((await listed(host)).webhooks.map(({ problem }) => problem)).toEqual(["ECONNREFUSED", undefined]);
  late.status = 503;
  await late.start();
  report(board, 10);
  await eventually(() => prompt.ids.some((id) => id.endsWith("recovered")));
  late.status = 200;
  // It is told of all, in order, though it is over.
  await eventually(() => late.told.length === prompt.told.length, 15_000);
  const kinds = (receiver: Receiver) =>
    receiver.told.filter(({ data }) => data.alert === "too-hot").map(({ type }) => type);
  expect(kinds(late)).toEqual(["alert.firing", "alert.recovered"]);
  expect(kinds(prompt)).toEqual(kinds(late));
}, 40_000);

test("an acknowledgement is agreed on, survives a restart of the host, and nothing is told again by it", async () => {
  const receiver = await Receiver.start();
  const options = { definition: alerting([receiver.url]), webhookSecret: secret };
  const host = await leaderUnderTest(options);
  const board = await host.join("north-1");
  report(board, 31);
  await eventually(() => receiver.told.length >= 2);
  const nobody = await post<{ error: { message: string } }>(host, "/api/alerts/acknowledge", {
    alert: "too-hot",
    board: "north-2",
  });
  expect(nobody).toMatchObject({
    status: 404,
    body: { error: { message: "too-hot does not fire on north-2; covey alerts shows what does." } },
  });
  const seen = await post<AlertStatus[]>(host, "/api/alerts/acknowledge", { alert: "too-hot" });
  expect(seen.body).toMatchObject([{ alert: "too-hot", board: "north-1", acknowledgedBy: "local" }]);
  board.cut();
  await host.stop();

  const again = await leaderUnderTest({ ...options, stateDir: host.stateDir });
  await again.join("north-1", { memory: board.memory });
  await eventually(() => again.status().alerts?.length === 2);
  expect(again.status().alerts!.find(({ alert }) => alert === "too-hot")!.acknowledgedBy).toBe("local");
  await aWhile();
  expect(receiver.told).toHaveLength(2);
  // A restart is no news.
  expect(again.logged.filter((line) => line.includes("alert-firing"))).toEqual([]);
}, 30_000);

test("a leader that dies in the middle of telling is followed by one that goes on: each notice arrives once", async () => {
  const receiver = await Receiver.start();
  const names = ["a", "b"];
  const swarmWith = alerting([receiver.url], { hosts: names, voters: boards });
  const swarm = await SeveralHosts.start(names, boards, () => ({
    definition: swarmWith,
    webhookSecret: secret,
  }));
  await swarm.leader();
  const joined = new Map<string, RawBoard[]>();
  for (const name of boards) joined.set(name, await swarm.join(name, names));
  await eventually(() => swarm.host("a").status().leader.voters.length === 5, 15_000);
  const leader = await swarm.leader();
  const survivor = leader === "a" ? "b" : "a";
  // Agreed on, and not told: the receiver is away.
  await receiver.stop();
  const at = (host: string, board: string) => joined.get(board)![names.indexOf(host)]!;
  report(at(leader, "north-1"), 31);
  await eventually(() => swarm.host(survivor).logged.some((line) => line.includes("alert-firing")), 10_000);
  await swarm.stop(leader);
  await receiver.start();
  await eventually(() => receiver.ids.some((id) => id.startsWith("too-hot_north-1")), 20_000);
  // And one that was pending goes on where it was.
  report(at(survivor, "north-2"), 31);
  await eventually(() => receiver.ids.some((id) => id.startsWith("too-hot_north-2")), 10_000);
  report(at(survivor, "north-1"), 10);
  await eventually(() => receiver.ids.some((id) => id.endsWith("recovered")), 10_000);
  await swarm.start(leader);
  await aWhile();
  expect(receiver.ids.length).toBe(new Set(receiver.ids).size);
  const ofNorth = receiver.ids.filter((id) => id.startsWith("too-hot_north-1"));
  expect(ofNorth.map((id) => id.split("_").at(-1))).toEqual(["firing", "recovered"]);
  swarm.expectNoViolations();
}, 90_000);

test("a board that says nothing is told of, and that it is back", async () => {
  const receiver = await Receiver.start();
  const alerts = { silent: { kind: "silent", forMs: 1_500, boards: ["south-1"] } } as const;
  const definition = alerting([receiver.url], { alerts });
  const host = await leaderUnderTest({ definition, webhookSecret: secret });
  await eventually(() => receiver.told.length === 1, 10_000);
  expect(receiver.told[0]).toMatchObject({ data: { alert: "silent", board: "south-1", unit: "s" } });
  const board = await host.join("south-1");
  await eventually(() => receiver.told.length === 2, 10_000);
  expect(receiver.told[1]!.type).toBe("alert.recovered");
  board.cut();
  await eventually(() => receiver.told.length === 3, 10_000);
  expect(new Set(receiver.ids).size).toBe(3);
}, 40_000);

test("another threshold is judged at once, by the setting that it is", async () => {
  const host = await leaderUnderTest({ definition: alerting([]) });
  const board = await host.join("north-2");
  report(board, 15);
  await aWhile();
  expect(firing(host)).not.toContain("warm-long north-2");
  await host.put("fan.duty", 10);
  await eventually(() => firing(host).includes("warm-long north-2"));
  await host.put("fan.duty", 20);
  await eventually(() => !firing(host).includes("warm-long north-2"));
}, 20_000);

test("an alert that swarm.ts says no more leaves nothing behind; a swarm without alerts has none of it", async () => {
  const first = await leaderUnderTest({ definition: alerting([]) });
  const board = await first.join("north-1");
  report(board, 31);
  await eventually(() => firing(first).includes("too-hot north-1"));
  board.cut();
  await first.stop();
  const { alerts, ...without } = alerting([]);
  const again = await leaderUnderTest({ definition: without, stateDir: first.stateDir });
  await eventually(() => again.logged.some((line) => line.includes("covey/alerts/too-hot/north-1")));
  expect(again.status().alerts).toBeUndefined();
  const refused = await post<{ error: { message: string } }>(again, "/api/alerts/acknowledge", {
    alert: "too-hot",
  });
  expect(refused).toMatchObject({
    status: 404,
    body: { error: { message: expect.stringContaining("no alerts") } },
  });
}, 20_000);

test("the webhooks are tested, each with what came of it, and not told where else to go", async () => {
  const [taking, refusing] = [await Receiver.start(), await Receiver.start()];
  refusing.status = 302;
  const definition = alerting([taking.url, refusing.url]);
  const host = await leaderUnderTest({ definition, webhookSecret: secret });
  await eventually(() => host.status().leader.role === "leader");
  const tested = await post<AlertTested[]>(host, "/api/alerts/test", {});
  expect(tested.body).toEqual([
    { place: new URL(taking.url).origin },
    { place: new URL(refusing.url).origin, problem: "it answered 302" },
  ]);
  expect(taking.told[0]).toMatchObject({ type: "alert.test", isSigned: true });
});
