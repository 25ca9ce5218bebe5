/** Who gets as far as a session. */
import { expect, onTestFinished, test } from "vitest";
import { ForeignIdentity } from "../../../../host-tools/leader/trust/membership.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { TestRoot } from "../../../members.ts";
import { eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { RawBoard, type RawBoardOptions } from "../raw-board.ts";
import { memberOf, rootOf } from "../test-swarm.ts";
import { revoke } from "./revoke.ts";

function client(leader: LeaderUnderTest, options: Partial<RawBoardOptions> = {}): RawBoard {
  const board = new RawBoard({ swarm: "greenhouse", name: "north-2", port: leader.mqttPort, ...options });
  onTestFinished(() => board.cut());
  return board;
}

const north2 = () => memberOf("greenhouse", "board", "north-2");

const strangers: Record<string, () => { username?: string; password?: Buffer }> = {
  "without a password": () => ({ username: "north-2" }),
  "with a password that is no identity": () => ({ username: "north-2", password: Buffer.from("secret") }),
  "with 4,000 bytes of password": () => ({ username: "north-2", password: Buffer.alloc(4_000, 0x84) }),
  "with an identity of another root": () =>
    withIdentity(new TestRoot("greenhouse").issue("board", "north-2")),
  "with an identity of another swarm of the same root": () => {
    const { keys } = rootOf("greenhouse");
    const other = new TestRoot("orchard");
    return withIdentity(Object.assign(other, { keys }).issue("board", "north-2"));
  },
  "with the identity of another board": () => withIdentity(memberOf("greenhouse", "board", "north-1")),
  "with the identity of a host of its name": () => withIdentity(memberOf("greenhouse", "host", "north-2")),
  "with an operator's identity of its name": () =>
    withIdentity(rootOf("greenhouse").issue("operator", "north-2")),
  "under another user name": () => ({ ...withIdentity(north2()), username: "north-1" }),
  "with its identity, one bit changed": () => {
    const { signed } = north2();
    const changed = Buffer.from(signed);
    changed[40]! ^= 1;
    return { username: "north-2", password: changed };
  },
};

function withIdentity({ signed }: MemberSecrets) {
  return { username: "north-2", password: Buffer.from(signed) };
}

test("whoever comes without an identity of the board is refused by CONNACK, counted, logged and audited", async () => {
  const leader = await leaderUnderTest();
  for (const [how, credentials] of Object.entries(strangers)) {
    const stranger = client(leader);
    expect(await stranger.connect("north-2", credentials()), how).toMatchObject({ returnCode: 4 });
    await stranger.closed;
  }
  const count = Object.keys(strangers).length;
  const { counters } = leader.status();
  expect(counters).toMatchObject({
    refused: count,
    garbage: 0,
    sessions: { strangers: count, handshakes: 0 },
  });
  expect(leader.logged.join("")).toContain("connection-refused");
  await eventually(() => leader.logged.some((line) => line.includes('what="connect as north-2"')));
  expect(leader.logged.join("")).toMatch(/refused who=127\.0\.0\.1/);
});

test("a board that was revoked before is refused, and so it is after the host has started anew", async () => {
  const leader = await leaderUnderTest();
  await revoke(leader, 1, north2());
  expect(await client(leader).connect()).toMatchObject({ returnCode: 4 });
  await leader.stop();
  const again = await leaderUnderTest({ stateDir: leader.stateDir });
  expect(await client(again).connect()).toMatchObject({ returnCode: 4 });
  // One that is not revoked comes.
  await again.join("south-1");
});

test("a host that has a revocation in its log lets nobody in on that, though it is not known to be committed", async () => {
  const leader = await leaderUnderTest();
  const voter = await leader.join("north-1");
  await eventually(() => leader.status().leader.voters.length === 2);
  await revoke(leader, 1, north2());
  await leader.stop();
  await voter.closed;
  // Its voter does not come: nothing is applied.
  const again = await leaderUnderTest({ stateDir: leader.stateDir });
  expect(again.status().leader.appliedIndex).toBe(0);
  expect(await client(again).connect()).toMatchObject({ returnCode: 4 });
});

test("whoever copied a board's identity gets no further than the handshake, and the board does not notice", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-2");
  await eventually(() => leader.status().boards[1]!.link === "up");
  // What went over the wire in the clear, and a key that is not the one in it.
  const thief = { ...rootOf("greenhouse").issue("board", "north-2"), signed: north2().signed };
  const impostor = client(leader, { member: { ...thief, identity: north2().identity } });
  expect(await impostor.connect()).toMatchObject({ returnCode: 0 });
  await impostor.subscribe();
  await expect(impostor.secure()).rejects.toThrow("closed before the session was up");
  expect(leader.status().counters.sessions).toMatchObject({ handshakes: 1, handshakesFailed: 1 });
  await eventually(() => leader.logged.some((line) => line.includes('what="handshake as north-2"')));
  // What is published to all does not go to one who has proved nothing.
  const { publicationWrites } = leader.status().counters;
  const listener = client(leader, { onPublication: (payload) => overheard.push(payload) });
  const overheard: Uint8Array[] = [];
  await listener.connect();
  await listener.subscribe();
  await leader.put("fan.duty", 44);
  await eventually(() => board.state.get("fan.duty") === 44);
  expect(leader.status().counters.publicationWrites).toBeGreaterThan(publicationWrites);
  expect(overheard).toEqual([]);
  board.health({ samplesIn: 7 });
  await eventually(() => leader.status().boards[1]!.samplesIn === 7);
  expect(leader.status().boards[1]).toMatchObject({ link: "up" });
});

test("an operator who connects with a board's identity, and proves its own, is refused", async () => {
  const leader = await leaderUnderTest();
  const operator = rootOf("greenhouse").issue("operator", "north-2");
  const board = client(leader, { member: operator });
  await board.connect("north-2", withIdentity(north2()));
  await board.subscribe();
  await expect(board.secure()).rejects.toThrow("closed before the session was up");
  expect(leader.status().counters.sessions).toMatchObject({ handshakes: 0, handshakesFailed: 1 });
});

test("a board whose identity was issued anew comes with either, until the old one is revoked", async () => {
  const leader = await leaderUnderTest();
  const renewed = rootOf("greenhouse").issue("board", "north-2");
  const first = await leader.join("north-2");
  const second = await leader.join("north-2", { member: renewed, memory: first.memory });
  await first.closed;
  await revoke(leader, 1, north2());
  second.health({ samplesIn: 3 });
  await eventually(() => leader.status().boards[1]!.samplesIn === 3);
  expect(await client(leader).connect()).toMatchObject({ returnCode: 4 });
});

test("a host starts with an identity of its own only: its name, its swarm, a host's role", async () => {
  const root = rootOf("greenhouse");
  for (const member of [
    root.issue("board", "a"),
    root.issue("host", "b"),
    root.issue("admin", "a"),
    new TestRoot("orchard").issue("host", "a"),
  ]) {
    const refusal = await leaderUnderTest({ member }).catch((error: Error) => error);
    expect(refusal).toBeInstanceOf(ForeignIdentity);
    const { role, name, swarm } = member.identity;
    expect((refusal as Error).message).toBe(
      `This identity is that of the ${role} ${name} of the swarm ${swarm}; host a of the swarm greenhouse needs its own. ` +
        "Issue it with covey keys issue a --role host, and give its file with --member.",
    );
  }
});
