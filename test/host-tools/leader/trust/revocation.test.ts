/** The root revokes somebody: what ends, what goes on, and who can read what from then on. */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rostersInLog } from "../../../../host-tools/leader/trust/rosters-in-log.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { GroupReceiver } from "../../../../protocols/security/group/group-records.ts";
import { rosterKey } from "../../../../protocols/security/identity/roster.ts";
import { eventually, leaderUnderTest } from "../leader-under-test.ts";
import { RawBoard } from "../raw-board.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { memberOf, rootOf } from "../test-swarm.ts";
import { revoke } from "./revoke.ts";

const north2 = () => memberOf("greenhouse", "board", "north-2");

test("a board that is revoked while it is connected is cut off at once, shown as gone, and does not come back", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  const other = await leader.join("south-1");
  await eventually(() => leader.status().boards.filter(({ link }) => link === "up").length === 2);
  const kept = board.initiator.session!;
  await revoke(leader, 1, north2());
  // The answer comes when it is agreed on, and so applied: there is no session any more.
  expect(leader.status().boards[1]).toMatchObject({ link: "down", hosts: [] });
  await board.closed;
  expect(leader.logged.join("")).toContain("board-revoked board=north-2 epoch=1");
  // Its session can't be refreshed, and it gets no connection to try.
  const again = new RawBoard({ swarm: "greenhouse", name: "north-2", port: leader.mqttPort, kept });
  onTestFinished(() => again.cut());
  expect(await again.connect()).toMatchObject({ returnCode: 4 });
  // The other one goes on, and so does a new identity of the same name.
  other.health({ samplesIn: 3 });
  await eventually(() => leader.status().boards[2]!.samplesIn === 3);
  await leader.join("north-2", { member: rootOf("greenhouse").issue("board", "north-2") });
  await eventually(() => leader.status().boards[1]!.link === "up");
});

test("whoever is revoked in the middle of its handshake gets no session", async () => {
  const leader = await leaderUnderTest();
  const board = new RawBoard({
    swarm: "greenhouse",
    name: "north-2",
    port: leader.mqttPort,
    isHalfOpen: true,
  });
  onTestFinished(() => board.cut());
  await board.connect();
  await board.subscribe();
  board.publishBytes(board.topic("edhoc"), board.initiator.start());
  await eventually(() => board.frames.length === 1);
  await revoke(leader, 1, north2());
  const { send } = board.initiator.take(board.frames[0]!);
  board.publishBytes(board.topic("edhoc"), send!);
  await eventually(() => leader.status().counters.sessions.handshakes === 0 && board.frames.length === 2);
  expect(board.initiator.take(board.frames[1]!)).not.toHaveProperty("isUp");
  expect(leader.status().counters.sessions.handshakes).toBe(0);
});

test("a new epoch gives the survivors a new key for publications, and the revoked one can't open what is published after", async () => {
  const leader = await leaderUnderTest();
  const revoked = await leader.join("north-2");
  const published: Uint8Array[] = [];
  const survivor = await leader.join("south-1", { onPublication: (payload) => published.push(payload) });
  await leader.put("fan.duty", 41);
  await eventually(() => survivor.state.get("fan.duty") === 41 && revoked.state.get("fan.duty") === 41);
  const before = survivor.senderKeys.length;
  await leader.put("fan.duty", 42);
  const receiver = new GroupReceiver(nodeCiphers, "covey/greenhouse/all/raft");
  for (const key of revoked.senderKeys) receiver.hold(key);
  await eventually(() => published.length > 0);
  expect(receiver.open(published.at(-1)!)).toHaveProperty("payload");

  await revoke(leader, 1, north2());
  await eventually(() => survivor.senderKeys.length === before + 1);
  expect(survivor.senderKeys.at(-1)).toMatchObject({ host: "a", epoch: 1 });
  expect(revoked.senderKeys.every(({ epoch }) => epoch === 0)).toBe(true);
  published.length = 0;
  await leader.put("fan.duty", 43);
  await eventually(() => survivor.state.get("fan.duty") === 43);
  expect(published.length).toBeGreaterThan(0);
  // All that the revoked one has ever known.
  for (const publication of published) expect(receiver.open(publication)).toEqual({ fault: "unknown-key" });
  const other = new GroupReceiver(nodeCiphers, "covey/greenhouse/all/raft");
  for (const key of survivor.senderKeys) other.hold(key);
  expect(other.open(published.at(-1)!)).toHaveProperty("payload");
});

test("boards at either host open what the leader publishes, before and after somebody was revoked, whichever leads", async () => {
  const hosts = await SeveralHosts.start(["a", "b"], ["north-1"]);
  const [voterAtA] = await hosts.join("north-1", ["a", "b"]);
  await eventually(() => voterAtA!.received.length > 0);
  const name = await hosts.leader();
  const south = await hosts.host("a").join("south-1");
  const north = await hosts.host("b").join("north-2");
  await eventually(() => new Set(south.senderKeys.map(({ host }) => host)).size === 2);
  await eventually(() => new Set(north.senderKeys.map(({ host }) => host)).size === 2);
  const isTaken = async (value: number) => {
    await hosts.set(name, "fan.duty", value);
    await eventually(() => south.state.get("fan.duty") === value && north.state.get("fan.duty") === value);
  };
  await isTaken(51);
  const [southBefore, northBefore] = [south, north].map(({ publications }) => publications.length);
  await revoke(hosts.host(name), 1, rootOf("greenhouse").issue("board", "nobody"));
  await eventually(() => south.senderKeys.filter(({ epoch }) => epoch === 1).length === 2);
  await eventually(() => north.senderKeys.filter(({ epoch }) => epoch === 1).length === 2);
  await isTaken(52);
  await isTaken(53);
  expect(south.publications.length).toBeGreaterThan(southBefore!);
  expect(north.publications.length).toBeGreaterThan(northBefore!);
  // At the host that does not lead, what is published before that one has heard of the new epoch itself; Raft repeats it.
  expect([...south.unopened, ...north.unopened].filter((fault) => fault !== "unknown-key")).toEqual([]);
  expect((name === "a" ? south : north).unopened).toEqual([]);
  await eventually(() => hosts.host("b").logged.join("").includes("roster epoch=1"));
  hosts.expectNoViolations();
});

test("a host whose log is lost, or has an older statement by now, knows of the revocations that it knew of", async () => {
  const leader = await leaderUnderTest();
  await revoke(leader, 1, north2());
  await leader.stop();
  // What it knows, and what the boards said, is its user's alone.
  expect(statSync(join(leader.stateDir, "host-a")).mode & 0o777).toBe(0o700);
  rmSync(join(leader.stateDir, "host-a", "raft"), { recursive: true });
  const again = await leaderUnderTest({ stateDir: leader.stateDir });
  expect(again.status().leader.appliedIndex).toBeLessThan(3);
  const board = new RawBoard({ swarm: "greenhouse", name: "north-2", port: again.mqttPort });
  onTestFinished(() => board.cut());
  expect(await board.connect()).toMatchObject({ returnCode: 4 });
  const other = await again.join("south-1");
  expect(other.senderKeys).toMatchObject([{ host: "a", epoch: 1 }]);
  // It has the others agree on what it knows.
  await eventually(() => other.state.get(rosterKey) instanceof Uint8Array);
});

test("a host that knows from its disk that it is revoked does not start", async () => {
  const failures: Error[] = [];
  const leader = await leaderUnderTest({ onFailure: (error) => failures.push(error) });
  await revoke(leader, 1, memberOf("greenhouse", "host", "a"));
  await eventually(() => failures.length > 0);
  await leader.stop();
  const refusal = await leaderUnderTest({ stateDir: leader.stateDir }).catch((error: Error) => error);
  expect(refusal).toMatchObject({ name: "OwnIdentityRevoked" });
});

test("what the root said counts from the start also where only a snapshot has it", () => {
  const statement = rootOf("greenhouse").revoke(1);
  const log = {
    state: new Map([[rosterKey, statement]]),
    status: () => ({ firstIndex: 9, lastIndex: 8 }),
    entries: () => [],
  };
  expect([...rostersInLog(log)]).toEqual([statement]);
});

test("a host that finds itself revoked says so and is of no more use", async () => {
  const failures: Error[] = [];
  const leader = await leaderUnderTest({ onFailure: (error) => failures.push(error) });
  const board = await leader.join("north-2");
  await revoke(leader, 1, memberOf("greenhouse", "host", "a"));
  await eventually(() => failures.length > 0);
  expect(failures[0]).toMatchObject({ name: "OwnIdentityRevoked" });
  expect(failures[0]!.message).toContain("The identity of host a was revoked (roster 1)");
  board.cut();
});
