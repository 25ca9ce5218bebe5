/** Members that were broken into, stolen, copied or revoked: what each can do in its own name, and in nobody else's. */
import { afterEach, expect, test } from "vitest";
import { encodeCbor } from "../../host-tools/codec/cbor.ts";
import { MemoryLog } from "../../host-tools/raft-shell/memory-log.ts";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { publicationTopic } from "../../protocols/messages/topics.ts";
import { publicationToWire } from "../../protocols/raft/codec.ts";
import { EntryKind, type Publication } from "../../protocols/raft/types.ts";
import { GroupReceiver, GroupSender } from "../../protocols/security/group/group-records.ts";
import { commandToWire } from "../../protocols/state/codec.ts";
import { RawBoard } from "../host-tools/leader/raw-board.ts";
import { memberOf } from "../host-tools/leader/test-swarm.ts";
import { AttackedSwarm, type SwarmPlan, sleep, swarmName } from "./attacked-swarm.ts";

const swarms: AttackedSwarm[] = [];
afterEach(() => Promise.all(swarms.splice(0).map((swarm) => swarm.end())), 60_000);

async function start(plan?: SwarmPlan): Promise<AttackedSwarm> {
  const swarm = await AttackedSwarm.start(plan);
  swarms.push(swarm);
  return swarm;
}

test("member forging the leader: who holds the group's key still can't put an entry into anybody's log", async () => {
  const swarm = await start({ boards: ["north-1", "north-2", "south-1"] });
  await swarm.agree(50);
  // South-1 was broken into: it has the key of the host's publications and knows the log.
  await swarm.boards.get("south-1")!.powerOff();
  const log = new MemoryLog();
  const spy = await RawBoard.join({
    swarm: swarmName,
    name: "south-1",
    port: swarm.hosts.get("a")!.mqttPort,
    memory: log,
    incarnation: "0bad0bad",
  });
  await swarm.until("the spy has the log", ({ leader }) => spy.appliedIndex >= leader.commitIndex);
  const [key] = spy.senderKeys.slice(-1);
  // Numbers far beyond the host's own, so that no window stops them.
  const sender = new GroupSender(nodeCiphers, key!, publicationTopic(swarmName));
  for (let i = 0; i < 500; i++) sender.seal(new Uint8Array(1));
  const { term } = swarm.status.leader;
  const prevLogIndex = log.lastIndex;
  const forged: Publication = {
    type: "publication",
    from: swarm.leaderId,
    term,
    prevLogIndex,
    prevLogTerm: log.entry(prevLogIndex).term,
    prevHash: log.hashAt(prevLogIndex)!,
    entries: [
      {
        index: prevLogIndex + 1,
        term,
        kind: EntryKind.put,
        data: encodeCbor(commandToWire({ key: "fan.duty", value: 99 })),
      },
    ],
  } as unknown as Publication;
  const refusedBy = () =>
    ["north-1", "north-2"].map((name) => swarm.boardStatus(name).device!.recordsRefused);
  const refused = refusedBy();
  for (const name of ["north-1", "north-2"]) {
    swarm.broker.inject(
      "down",
      name,
      publicationTopic(swarmName),
      sender.seal(encodeCbor(publicationToWire(forged))),
    );
  }
  await sleep(1_500);
  // It opened, as the key is the right one: what stops it is the chain of hashes.
  expect(refusedBy()).toEqual(refused);
  expect([swarm.fanOf("north-1"), swarm.fanOf("north-2")]).toEqual([50, 50]);
  await swarm.agree(51, ["north-1", "north-2"]);
  expect(swarm.status.violations).toEqual([]);
  spy.cut();
}, 90_000);

test("a board is nobody's leader: what it says in a host's name ends at the host that it is connected to", async () => {
  const swarm = await start();
  const { term } = swarm.status.leader;
  const memberId = swarm.leaderId;
  const traitor = await RawBoard.join({
    swarm: swarmName,
    name: "north-2",
    port: swarm.hosts.get("a")!.mqttPort,
    incarnation: "0bad0bad",
  });
  const victim = swarm.boardStatus("north-1").memberId!;
  const { messageToWire } = await import("../../protocols/raft/codec.ts");
  traitor.publish(
    "raft",
    messageToWire({
      type: "vote-request",
      from: memberId!,
      to: victim,
      term: term + 10,
      lastLogIndex: 1e6,
      lastLogTerm: term,
      purpose: "election",
    } as never),
  );
  await traitor.closed;
  await swarm.agree(52, ["north-1"]);
  expect(swarm.status.leader.term).toBe(term);
}, 90_000);

test("stolen flash image: it speaks as its own board only, reads nothing of others, and nothing that is published after it was revoked", async () => {
  const swarm = await start({ boards: ["north-1", "north-2", "south-1"] });
  await swarm.agree(53);
  // All that the flash of south-1 holds, and all that went over the wire so far.
  const stolen = memberOf(swarmName, "board", "south-1");
  const recorded = [...swarm.broker.seen];
  const { mqttPort } = swarm.hosts.get("a")!;

  // As another board it does not even get to a handshake; with that board's public identity, not through one.
  const posing = new RawBoard({ swarm: swarmName, name: "north-1", port: mqttPort, member: stolen });
  expect((await posing.connect()).returnCode).not.toBe(0);
  posing.cut();
  const copied = {
    ...stolen,
    identity: memberOf(swarmName, "board", "north-1").identity,
    signed: memberOf(swarmName, "board", "north-1").signed,
  };
  await expect(
    RawBoard.secured({ swarm: swarmName, name: "north-1", port: mqttPort, member: copied }),
  ).rejects.toThrow(/closed/);

  // As itself it gets in, and is told the group's key; what other boards said within their sessions stays closed to it.
  await swarm.boards.get("south-1")!.powerOff();
  const thief = await RawBoard.join({
    swarm: swarmName,
    name: "south-1",
    port: mqttPort,
    incarnation: "0bad0bad",
  });
  await swarm.until("it is told the key", () => thief.senderKeys.length > 0);
  const records = recorded.filter(
    ({ board, channel }) => board !== "south-1" && ["raft", "report", "health", "hello"].includes(channel),
  );
  expect(records.length).toBeGreaterThan(20);
  for (const { topic, channel, payload } of records.filter((each) => !each.topic.endsWith("/all/raft"))) {
    expect(thief.initiator.open(topic, channel, new Uint8Array(payload))).not.toHaveProperty("payload");
  }
  // Nor do its own sessions of the past open: their keys came from ephemeral ones (forward secrecy).
  for (const { topic, channel, payload } of recorded.filter(
    ({ board, channel }) => board === "south-1" && channel === "report",
  )) {
    expect(thief.initiator.open(topic, channel, new Uint8Array(payload))).not.toHaveProperty("payload");
  }

  const group = new GroupReceiver(nodeCiphers, publicationTopic(swarmName));
  for (const key of thief.senderKeys) group.hold(key);
  const publications = () =>
    swarm.broker.seen.filter(
      ({ topic, board }) => topic === publicationTopic(swarmName) && board === "north-2",
    );
  const published = publications().length;
  await swarm.agree(54, ["north-1", "north-2"]);
  const readable = publications()
    .slice(published)
    .map(({ payload }) => group.open(new Uint8Array(payload)));
  expect(readable.some((opened) => "payload" in opened)).toBe(true);

  await swarm.revoke(1, stolen);
  await thief.closed;
  await swarm.until("survivors have the new epoch", ({ boards }) =>
    boards.filter(({ id }) => id !== "south-1").every(({ link }) => link === "up"),
  );
  const since = publications().length;
  await swarm.agree(55, ["north-1", "north-2"]);
  const later = publications().slice(since);
  expect(later.length).toBeGreaterThan(0);
  for (const { payload } of later)
    expect(group.open(new Uint8Array(payload))).toEqual({ fault: "unknown-key" });
  const again = new RawBoard({ swarm: swarmName, name: "south-1", port: mqttPort });
  expect((await again.connect()).returnCode).not.toBe(0);
  again.cut();
}, 120_000);

test("cloned board: two living devices with one identity are noticed and told", async () => {
  const swarm = await start();
  await swarm.agree(56);
  const clone = swarm.powerOn("north-2", memberOf(swarmName, "board", "north-2"), swarm.copyFlash("north-2"));
  try {
    await swarm.until("cloned", () => swarm.boardStatus("north-2").cloned, 60_000);
    expect(swarm.status.violations.join()).toMatch(/north-2.*copy/);
    expect(swarm.boardStatus("north-1").cloned).toBe(false);
  } finally {
    await clone.powerOff();
  }
}, 120_000);

test("stale leader after revocation: a host that comes back finds nobody who listens to it", async () => {
  const swarm = await start({ hosts: ["a", "b"], boards: ["north-1", "north-2"], voters: ["north-1"] });
  await swarm.agree(57);
  const leader = swarm.leaderId.split(".")[0]!;
  const other = leader === "a" ? "b" : "a";
  const old = memberOf(swarmName, "host", leader);
  // It is cut off from everybody, and leads on for a while, as far as it knows.
  await swarm.stopHost(leader);
  await swarm.until("another leads", ({ leader: { role } }) => role === "leader", 30_000);
  await swarm.revoke(1, old);
  await swarm.agree(58, undefined, 30_000);
  const { term } = swarm.status.leader;
  // Back with its disk as it was.
  await swarm.startHost(leader);
  const ghost = swarm.hosts.get(leader)!.running!;
  await sleep(5_000);
  expect(ghost.status().leader.role).not.toBe("leader");
  const running = swarm.hosts.get(other)!.running!.status();
  expect(running.leader.role).toBe("leader");
  expect(running.leader.term).toBe(term);
  await swarm.agree(59, undefined, 30_000);
  expect(ghost.status().boards.every(({ hosts }) => !hosts.includes(leader))).toBe(true);
}, 120_000);
