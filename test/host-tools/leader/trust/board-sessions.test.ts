/** How a session comes up, goes on, and what becomes of those that never do. */
import { expect, onTestFinished, test } from "vitest";
import { type BoardConnection, brokerLimits } from "../../../../host-tools/leader/broker/broker-types.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import { boardSessionLimits } from "../../../../host-tools/leader/trust/board-session.ts";
import { BoardSessions } from "../../../../host-tools/leader/trust/board-sessions.ts";
import { Membership } from "../../../../host-tools/leader/trust/membership.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { Roster } from "../../../../protocols/security/identity/roster.ts";
import { FrameKind } from "../../../../protocols/security/session/frames.ts";
import { SessionInitiator } from "../../../../protocols/security/session/initiator.ts";
import { eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { RawBoard, type RawBoardOptions } from "../raw-board.ts";
import { memberOf, rootOf } from "../test-swarm.ts";

async function connected(leader: LeaderUnderTest, options: Partial<RawBoardOptions> = {}): Promise<RawBoard> {
  const board = new RawBoard({ swarm: "greenhouse", name: "north-2", port: leader.mqttPort, ...options });
  onTestFinished(() => board.cut());
  await board.connect();
  await board.subscribe();
  return board;
}

/** Kinds of the frames that a board sent. */
function kindsSent(board: RawBoard): number[] {
  return board.sent.filter(({ topic }) => topic.endsWith("/edhoc")).map(({ payload }) => payload[0]!);
}

test("a board refers to its identity, which the host knows from its CONNECT: 3 messages and the answer", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  expect(kindsSent(board)).toEqual([FrameKind.message1, FrameKind.message3]);
  expect(board.frames.map(([kind]) => kind)).toEqual([FrameKind.message2, FrameKind.message4]);
  expect(leader.status().counters.sessions).toMatchObject({
    handshakes: 1,
    refreshes: 0,
    handshakesFailed: 0,
  });
});

test("a board whose identity the host has forgotten since its CONNECT gives it by value, on the same connection", () => {
  const member = memberOf("greenhouse", "board", "north-2");
  const membership = new Membership(memberOf("greenhouse", "host", "a"), { swarm: "greenhouse", host: "a" });
  const sessions = new BoardSessions({
    ...{ membership, swarm: "greenhouse", boards: new Set(["north-2"]) },
    ...{ log: createLog("error", () => {}), audit: { refused: () => {} } },
    groupPayloads: () => [],
    onMessage: () => {},
    onDisconnect: () => {},
  });
  const admit = ({ signed }: MemberSecrets) =>
    sessions.admit({ clientId: "north-2", userName: "north-2", password: signed, address: "" });
  admit(member);
  // As many others as the host remembers come before the handshake.
  for (let i = 0; i < 512; i++) admit(rootOf("greenhouse").issue("board", "north-2"));
  const answers: Uint8Array[] = [];
  const connection: BoardConnection = {
    board: "north-2",
    address: "",
    send: (_, payload) => answers.push(payload) > 0,
    close: () => expect.unreachable(),
    closeAfter: () => expect.unreachable(),
    prove: () => {},
  };
  sessions.connected(connection);
  const roster = new Roster(nodeCiphers, member.root, "greenhouse", 8);
  const initiator = new SessionInitiator({ ciphers: nodeCiphers, own: member, roster, admits: () => true });
  const sent: number[] = [];
  for (let frame: Uint8Array | undefined = initiator.start(); frame !== undefined; ) {
    sent.push(frame[0]!);
    sessions.receive(connection, "edhoc", frame);
    frame = initiator.take(answers.shift()!).send;
  }
  const { message1, message3 } = FrameKind;
  expect(sent).toEqual([message1, message3, message1, message3]);
  expect(initiator.isUp).toBe(true);
  expect(sessions.counters).toMatchObject({ handshakes: 1, handshakesFailed: 0 });
});

test("a board that reconnects refreshes its session: one frame each way, new keys, and the old records open nowhere", async () => {
  const leader = await leaderUnderTest();
  const first = await leader.join("north-2");
  const kept = first.initiator.session!;
  first.cut();
  await eventually(() => leader.status().boards[1]!.link === "down");
  const second = await leader.join("north-2", { memory: first.memory, kept });
  expect(kindsSent(second)).toEqual([FrameKind.refresh]);
  expect(second.frames.map(([kind]) => kind)).toEqual([FrameKind.refreshed]);
  await eventually(() => leader.status().boards[1]!.link === "up");
  expect(leader.status().counters.sessions).toMatchObject({ handshakes: 1, refreshes: 1 });
  for (const { topic, payload } of first.sent)
    if (!topic.endsWith("/edhoc")) second.publishBytes(topic, payload);
  const { sessions } = leader.status().counters;
  const old = first.sent.filter(({ topic }) => !topic.endsWith("/edhoc")).length;
  await eventually(
    () => refusedRecords(leader) === refusedRecords({ status: () => ({ counters: { sessions } }) }) + old,
  );
  expect(leader.status().boards[1]!.link).toBe("up");
});

test("a board that says that it is gone, by itself or in the broker's words, and greets again is there until it is cut off", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2", { answers: false });
  const isUp = () => leader.status().boards[1]!.link === "up";
  await eventually(isUp);
  board.publishBytes(board.topic("gone"), Uint8Array.of(0));
  await eventually(() => !isUp());
  board.hello();
  await eventually(isUp);
  board.cut();
  await eventually(() => !isUp());
});

test("a host that was started anew knows no session: the refresh becomes a handshake", async () => {
  const leader = await leaderUnderTest();
  const first = await leader.join("north-2");
  const kept = first.initiator.session!;
  await leader.stop();
  const again = await leaderUnderTest({ stateDir: leader.stateDir });
  const second = await again.join("north-2", { memory: first.memory, kept });
  expect(kindsSent(second)).toEqual([FrameKind.refresh, FrameKind.message1, FrameKind.message3]);
  expect(again.status().counters.sessions).toMatchObject({
    handshakes: 1,
    refreshes: 0,
    handshakesFailed: 0,
  });
});

test("a refresh that somebody repeats on a connection of its own is refused, and the board goes on", async () => {
  const leader = await leaderUnderTest();
  const first = await leader.join("north-2");
  // Connected before the refresh: what it might be refreshed from is older.
  const thief = await connected(leader);
  first.publishBytes(first.topic("edhoc"), first.initiator.refresh()!);
  await eventually(() => leader.status().counters.sessions.refreshes === 1);
  const refreshes = first.sent.filter(({ payload }) => payload[0] === FrameKind.refresh);
  for (const { topic, payload } of refreshes) thief.publishBytes(topic, payload);
  await eventually(() => thief.frames.length === refreshes.length);
  expect(thief.frames.map(([kind]) => kind)).toEqual([FrameKind.error]);
  expect(leader.status().counters.sessions.refreshes).toBe(1);
  first.health({ samplesIn: 9 });
  await eventually(() => leader.status().boards[1]!.samplesIn === 9);
});

test("a board refreshes on a living connection, and what it says goes on under the new keys", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  for (let round = 1; round <= 3; round++) {
    board.publishBytes(board.topic("edhoc"), board.initiator.refresh()!);
    board.health({ samplesIn: round });
    await eventually(() => leader.status().boards[1]!.samplesIn === round);
    await eventually(() => board.initiator.session!.refreshes === round);
  }
  expect(leader.status().counters.sessions).toMatchObject({ handshakes: 1, refreshes: 3, recordsForged: 0 });
  expect(board.unopened).toEqual([]);
});

test("a connection may begin five handshakes in ten seconds", async () => {
  const leader = await leaderUnderTest();
  const board = await connected(leader, { isHalfOpen: true });
  for (let i = 0; i < boardSessionLimits.attemptsMax; i++) {
    board.publishBytes(board.topic("edhoc"), board.initiator.start());
  }
  await eventually(() => board.frames.filter(([kind]) => kind === FrameKind.message2).length === 5);
  board.publishBytes(board.topic("edhoc"), board.initiator.start());
  await board.closed;
  expect(leader.logged.join("")).toContain("more than 5 handshakes in 10 s");
});

test("a connection without a session is closed in time", async () => {
  const leader = await leaderUnderTest();
  const board = await connected(leader);
  const started = performance.now();
  await board.closed;
  const tookMs = performance.now() - started;
  expect(tookMs).toBeGreaterThan(boardSessionLimits.upMs - 1_000);
  expect(tookMs).toBeLessThan(boardSessionLimits.upMs + 2_000);
  expect(leader.status().counters.sessions.unproven).toBe(1);
});

const garbage: Record<string, Uint8Array> = {
  nothing: new Uint8Array(0),
  "a frame of no kind": Uint8Array.of(9, 1, 2, 3),
  "an answer": Uint8Array.of(FrameKind.message2, 1, 2, 3),
  "a message 1 that is none": Uint8Array.of(FrameKind.message1, 0xff, 0xff),
  "a message 3 out of order": Uint8Array.of(FrameKind.message3, 0x41, 0),
  "more bytes than a frame has": new Uint8Array(2_000).fill(1),
};

for (const [what, frame] of Object.entries(garbage)) {
  test(`${what} on edhoc ends a connection that has no session, and does nothing to one that has`, async () => {
    const leader = await leaderUnderTest();
    const board = await leader.join("north-2");
    const other = await connected(leader, { name: "south-1" });
    other.publishBytes(other.topic("edhoc"), frame);
    await other.closed;
    expect(leader.status().counters.sessions.handshakesFailed).toBe(1);
    board.publishBytes(board.topic("edhoc"), frame);
    board.health({ samplesIn: 4 });
    await eventually(() => leader.status().boards[1]!.samplesIn === 4);
  });
}

test("half-open handshakes by the thousand hold a bounded number of connections, and a board gets in meanwhile", async () => {
  const leader = await leaderUnderTest();
  const witness = await leader.join("north-1");
  const placesMax = 3 + brokerLimits.spareConnections;
  const attackers: RawBoard[] = [];
  onTestFinished(() => attackers.forEach((attacker) => void attacker.cut()));
  let openMax = 0;
  for (let i = 0; i < 1_200; i++) {
    // Each gets through CONNECT with a copied identity, sends message 1 and stops.
    const attacker = new RawBoard({
      swarm: "greenhouse",
      name: "north-2",
      port: leader.mqttPort,
      localAddress: "127.0.0.9",
      isHalfOpen: true,
    });
    attackers.push(attacker);
    const halfOpen = attacker.connect().then(
      () => attacker.publishBytes(attacker.topic("edhoc"), attacker.initiator.start()),
      () => {},
    );
    if (i % 8 === 7) await halfOpen;
    if (i % 100 !== 99) continue;
    const { turnedAway, disconnects } = leader.status().counters;
    openMax = Math.max(openMax, i + 1 - turnedAway - disconnects);
    // In the middle of it.
    const name = i % 200 === 99 ? "north-2" : "south-1";
    const board = await leader.join(name);
    board.health({ samplesIn: i });
    await eventually(() => leader.status().boards.find(({ id }) => id === name)!.samplesIn === i);
    board.cut();
    await board.closed;
  }
  expect(leader.status().counters.turnedAway).toBeGreaterThan(1_200 - placesMax - 100);
  expect(openMax).toBeLessThanOrEqual(placesMax);
  witness.health({ samplesIn: 5 });
  await eventually(() => leader.status().boards[0]!.samplesIn === 5);
  expect(leader.status().boards[0]).toMatchObject({ link: "up" });
  // One of the witness and one each time that a board came.
  const { handshakes, handshakesFailed } = leader.status().counters.sessions;
  expect({ handshakes, handshakesFailed }).toEqual({ handshakes: 13, handshakesFailed: 0 });
}, 120_000);

function refusedRecords({ status }: { status(): { counters: { sessions: LeaderSessions } } }): number {
  const { recordsMalformed, recordsReplayed, recordsForged } = status().counters.sessions;
  return recordsMalformed + recordsReplayed + recordsForged;
}

type LeaderSessions = ReturnType<LeaderUnderTest["status"]>["counters"]["sessions"];
