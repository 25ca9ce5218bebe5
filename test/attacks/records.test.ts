/** A hostile broker plays with what boards and hosts have sealed. Nothing but delay may come of it. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import { AttackedSwarm, sleep, swarmName } from "./attacked-swarm.ts";
import type { Seen } from "./hostile-broker.ts";

let swarm: AttackedSwarm;
beforeAll(async () => {
  swarm = await AttackedSwarm.start();
}, 120_000);
afterAll(() => swarm?.end());
afterEach(() => {
  swarm.broker.meddle = () => undefined;
});

const sealed = ["raft", "report", "health", "time", "group", "hello"];
/** Forged or replayed: whoever took the number of a record that is known is told apart before anything is opened. */
const refusedUp = ({ counters }: Status) =>
  counters.sessions.recordsForged + counters.sessions.recordsReplayed;
const isRecord = ({ channel }: Seen) => sealed.includes(channel);

test("replay: what was said once counts once, at the moment and later", async () => {
  const { broker } = swarm;
  const before = swarm.status.counters.sessions.recordsReplayed;
  // Up to 20 on a connection: beyond 32 a connection is cut, which is no attack that succeeds either.
  let left = 20;
  broker.meddle = (seen) => {
    if (seen.direction !== "up" || seen.board !== "north-2" || !isRecord(seen) || left-- <= 0)
      return undefined;
    return [seen, seen];
  };
  await swarm.until("records replayed", ({ counters }) => counters.sessions.recordsReplayed >= before + 20);
  await swarm.agree(31);
  expect(swarm.status.violations).toEqual([]);
  expect(swarm.boardStatus("north-2").reconnects).toBe(0);
});

test("replay of another day: nothing of an earlier connection opens on a later one", async () => {
  const { broker } = swarm;
  const old = [...broker.of("up", "north-2", "hello"), ...broker.of("up", "north-2", "raft")].slice(-10);
  const downwards = broker.of("down", "north-2", "raft").slice(-10);
  expect(old.length + downwards.length).toBeGreaterThan(10);
  const joins = swarm.boardStatus("north-2").reconnects;
  broker.cut("north-2");
  await swarm.until("back again", () => swarm.boardStatus("north-2").reconnects > joins);
  const before = refusedUp(swarm.status);
  const refused = swarm.boardStatus("north-2").device!.recordsRefused;
  for (const { topic, payload } of old) broker.inject("up", "north-2", topic, payload);
  for (const { topic, payload } of downwards) broker.inject("down", "north-2", topic, payload);
  await swarm.until(
    "refused by both",
    (status) =>
      refusedUp(status) >= before + old.length &&
      swarm.boardStatus("north-2").device!.recordsRefused >= refused + downwards.length,
  );
  await swarm.agree(32);
  expect(swarm.status.violations).toEqual([]);
});

test("reorder: records in another order within the window do no harm", async () => {
  const { broker } = swarm;
  const held = new Map<string, Seen[]>();
  broker.meddle = (seen) => {
    if (!isRecord(seen) || seen.channel === "hello") return undefined;
    const key = `${seen.direction} ${seen.connection}`;
    const waiting = [seen, ...(held.get(key) ?? [])];
    held.set(key, waiting.length < 3 ? waiting : []);
    return waiting.length < 3 ? [] : waiting;
  };
  await swarm.agree(33, undefined, 30_000);
  expect(swarm.status.violations).toEqual([]);
});

test("reflection: nobody is deceived by his own words", async () => {
  const { broker } = swarm;
  const before = refusedUp(swarm.status);
  const refused = swarm.boardStatus("north-1").device!.recordsRefused;
  const [mine] = broker.of("up", "north-1", "raft").slice(-1);
  const [yours] = broker.of("down", "north-1", "raft").slice(-1);
  broker.inject("down", "north-1", yours!.topic, mine!.payload);
  broker.inject("up", "north-1", mine!.topic, yours!.payload);
  await swarm.until(
    "both refused",
    (status) => refusedUp(status) > before && swarm.boardStatus("north-1").device!.recordsRefused > refused,
  );
  await swarm.agree(34);
});

test("topic spoofing: what one board sealed says nothing in another's name", async () => {
  const { broker } = swarm;
  const topic = `covey/${swarmName}/up/north-1/report`;
  const before = refusedUp(swarm.status);
  const { handshakesFailed } = swarm.status.counters.sessions;
  const reports = swarm.boardStatus("north-1").reportsOut;
  // On the connection of north-1 itself, which only the broker can do.
  const [report] = broker.of("up", "north-2", "health").slice(-1);
  broker.inject("up", "north-1", topic, report!.payload);
  await swarm.until("refused", (status) => refusedUp(status) > before);
  // On its own connection, as a board that was broken into could.
  const { reconnects } = swarm.boardStatus("north-2");
  broker.inject("up", "north-2", topic, report!.payload);
  await swarm.until("cut off and back", () => swarm.boardStatus("north-2").reconnects > reconnects);
  expect(swarm.status.counters.sessions.handshakesFailed).toBe(handshakesFailed);
  expect(swarm.boardStatus("north-1").reportsOut).toBeGreaterThanOrEqual(reports);
  await swarm.agree(35);
});

test("cross-topic splice: a record of one channel is nothing on another", async () => {
  const { broker } = swarm;
  const before = refusedUp(swarm.status);
  const refused = swarm.boardStatus("north-1").device!.recordsRefused;
  let [up, down] = [false, false];
  broker.meddle = (seen) => {
    if (seen.board !== "north-1") return undefined;
    // Held back on its own channel, so that it is fresh on the other.
    if (!up && seen.direction === "up" && seen.channel === "health") {
      up = true;
      return [{ topic: seen.topic.replace("/health", "/report"), payload: seen.payload }];
    }
    if (!down && seen.direction === "down" && seen.channel === "raft") {
      down = true;
      return [{ topic: seen.topic.replace("/raft", "/time"), payload: seen.payload }];
    }
    return undefined;
  };
  await swarm.until(
    "both refused",
    (status) => refusedUp(status) > before && swarm.boardStatus("north-1").device!.recordsRefused > refused,
  );
  await swarm.agree(36);
});

test("a flood of forged records ends a connection, and the board comes back", async () => {
  const { broker } = swarm;
  const { reconnects } = swarm.boardStatus("north-2");
  const [record] = broker.of("up", "north-2", "health").slice(-1);
  for (let i = 0; i < 100; i++) broker.inject("up", "north-2", record!.topic, record!.payload);
  await swarm.until("cut off and back", () => swarm.boardStatus("north-2").reconnects > reconnects);
  await sleep(100);
  await swarm.agree(37);
  expect(swarm.status.violations).toEqual([]);
});
