/** Records on the wire, as somebody between board and broker could change, repeat or move them: none of it is taken. */
import { expect, test } from "vitest";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { boardSessionLimits } from "../../../../host-tools/leader/trust/board-session.ts";
import { reportToWire } from "../../../../protocols/messages/codec.ts";
import { Permission } from "../../../../protocols/security/identity/scope.ts";
import { eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";
import { rootOf } from "../test-swarm.ts";

const report = encodeCbor(
  reportToWire({
    sentMs: 5_000,
    sequence: 3,
    readings: [{ metric: "temperature", takenMs: 4_000, value: 66, quality: 0 }],
    blocks: [],
  }),
);

/** Of the board's last word on a channel. */
function lastSent(board: RawBoard, channel: string): Uint8Array {
  return board.sent.findLast(({ topic }) => topic.endsWith(`/${channel}`))!.payload;
}

function sessions(leader: LeaderUnderTest) {
  return leader.status().counters.sessions;
}

async function stillSpeaks(leader: LeaderUnderTest, board: RawBoard, samplesIn: number): Promise<void> {
  board.health({ samplesIn });
  await eventually(() => leader.status().boards[1]!.samplesIn === samplesIn);
}

test("a record that is repeated is counted and not taken", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2", { answers: false });
  board.publishSealed("report", report);
  await eventually(() => leader.status().counters.readingsStored === 1);
  for (let i = 0; i < 3; i++) board.publishBytes(board.topic("report"), lastSent(board, "report"));
  await eventually(() => sessions(leader).recordsReplayed === 3);
  await stillSpeaks(leader, board, 11);
  expect(leader.status().counters.readingsStored).toBe(1);
});

test("a record with any bit changed is counted and not taken", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2", { answers: false });
  await eventually(() => leader.status().boards[1]!.link === "up");
  const topic = board.topic("report");
  const sealed = board.initiator.seal(topic, "report", report)!;
  for (let i = 0; i < 24; i++) {
    const changed = sealed.slice();
    changed[Math.floor((i * sealed.length) / 24)]! ^= 1 << (i % 8);
    board.publishBytes(topic, changed);
  }
  await eventually(() => sessions(leader).recordsForged + sessions(leader).recordsMalformed === 24);
  expect(sessions(leader).recordsForged).toBeGreaterThan(12);
  board.publishBytes(topic, sealed);
  await eventually(() => leader.status().counters.readingsStored === 1);
});

test("a record moved to another channel of the same board does not open", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2", { answers: false });
  const asReport = board.initiator.seal(board.topic("report"), "report", report)!;
  board.publishBytes(board.topic("health"), asReport);
  board.publishBytes(board.topic("raft"), asReport);
  board.publishBytes(board.topic("hello"), asReport);
  await eventually(() => sessions(leader).recordsForged === 3);
  // Where it belongs it does.
  board.publishBytes(board.topic("report"), asReport);
  await eventually(() => leader.status().counters.readingsStored === 1);
  // Nor does one that says of itself that it is of another channel, or for another topic.
  board.publishBytes(board.topic("report"), board.initiator.seal(board.topic("report"), "health", report)!);
  board.publishBytes(board.topic("report"), board.initiator.seal(board.topic("health"), "report", report)!);
  await eventually(() => sessions(leader).recordsForged === 5);
  await stillSpeaks(leader, board, 12);
});

test("a record of one board does not open as another's, which has a session of its own", async () => {
  const leader = await leaderUnderTest();
  const north = await leader.join("north-2", { answers: false });
  const south = await leader.join("south-1", { answers: false });
  await eventually(() => leader.status().boards.filter(({ link }) => link === "up").length === 2);
  // As a broker that was broken into would put it: south's record, on the connection and the topic of north.
  north.publishBytes(north.topic("report"), south.initiator.seal(south.topic("report"), "report", report)!);
  north.publishBytes(north.topic("report"), south.initiator.seal(north.topic("report"), "report", report)!);
  await eventually(() => sessions(leader).recordsForged === 2);
  await stillSpeaks(leader, north, 13);
  expect(leader.status().counters.readingsStored).toBe(0);
});

test("what the host sealed for the board does not open when it is sent back to the host", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2", { answers: false });
  // As the other end would: the host's own records, reflected on each channel.
  await eventually(() => board.sealedIn.length > 0);
  const reflected = board.sealedIn.slice(0, 5);
  for (const record of reflected) board.publishBytes(board.topic("raft"), record);
  await eventually(
    () => sessions(leader).recordsForged + sessions(leader).recordsReplayed === reflected.length,
  );
  await stillSpeaks(leader, board, 14);
});

test("records that never open end the connection", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2", { answers: false });
  await eventually(() => leader.status().boards[1]!.link === "up");
  const useless = boardSessionLimits.uselessMax;
  for (let i = 0; i < useless; i++) board.publishBytes(board.topic("report"), report);
  await eventually(() => sessions(leader).recordsMalformed === useless);
  await stillSpeaks(leader, board, 15);
  board.publishBytes(board.topic("report"), report);
  await board.closed;
  expect(leader.status().counters.garbage).toBe(1);
  expect(leader.logged.join("")).toContain("33 messages of no use, the last one a malformed record");
});

test("a board that may not write under its own name is heard by nobody, and that is audited", async () => {
  const leader = await leaderUnderTest();
  const silent = [{ resource: "north-2", permissions: Permission.read }];
  const member = rootOf("greenhouse").issue("board", "north-2", silent);
  const board = await leader.join("north-2", { member, answers: false });
  await eventually(() => leader.status().boards[1]!.link === "up");
  board.publishSealed("report", report);
  board.health({ samplesIn: 16 });
  await eventually(() => sessions(leader).beyondScope === 2);
  expect(leader.status().boards[1]).toMatchObject({ samplesIn: 0, link: "up" });
  expect(leader.status().counters.readingsStored).toBe(0);
  await eventually(() => leader.logged.some((line) => line.includes("report beyond its scope")));
  expect(leader.logged.join("")).toMatch(/refused who=north-2 what="report beyond its scope"/);
});

test("a scope that allows writing under other names than its own lets a board speak for nobody", async () => {
  const leader = await leaderUnderTest();
  const scope = [{ resource: "south-*", permissions: Permission.read | Permission.write }];
  const member = rootOf("greenhouse").issue("board", "north-2", scope);
  const board = await leader.join("north-2", { member, answers: false });
  await eventually(() => leader.status().boards[1]!.link === "up");
  board.health({ samplesIn: 17 });
  await eventually(() => sessions(leader).beyondScope === 1);
  expect(leader.status().boards.map(({ samplesIn }) => samplesIn)).toEqual([0, 0, 0]);
});
