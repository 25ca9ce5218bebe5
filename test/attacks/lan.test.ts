/**
 * Whoever is on the network of the boards: hears and repeats all that they say, makes up datagrams under any address, and may have the identity of a member that
 * is not one of the group. Each board runs its own firmware for this (`firmware/lan/`); the wire is in the test's hands.
 */
import { expect, test } from "vitest";
import { handshakeLimits, lanLimits } from "../../firmware/lan/lan-limits.ts";
import type { MemberSecrets } from "../../host-tools/security/member-file.ts";
import {
  DatagramKind,
  decodeFirst,
  encodeAnnouncement,
  encodeFirst,
  encodeTagged,
  kindOf,
  lanGroup,
  tagEnd,
  tagOf,
} from "../../protocols/lan/datagrams.ts";
import { SessionInitiator } from "../../protocols/security/session/initiator.ts";
import {
  type Datagram,
  type LanBoard,
  memberOf,
  root,
  strangerOf,
  swarm,
  VirtualLan,
} from "../firmware/lan/virtual-lan.ts";
import { Random } from "../simulation/raft/random.ts";

const names = ["east", "north", "west"];
const mallory = "10.7.66.6";
const hello = Uint8Array.of(1, 2, 3);

function group() {
  const world = new VirtualLan(new Random(11).next);
  const boards = world.group(names);
  world.run(5_000);
  const [east, north, west] = boards as [LanBoard, LanBoard, LanBoard];
  expect(boards.every((each) => each.isUpWithAll)).toBe(true);
  return { world, boards, east, north, west };
}

const ofKind = ({ sent }: VirtualLan, kind: number) => sent.filter(({ bytes }) => kindOf(bytes) === kind);

/** Whether both still speak to each other. */
function expectTalk(world: VirtualLan, a: LanBoard, b: LanBoard): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const before = to.heard.length;
    expect(from.lan.send(to.name, hello), `${from.name} to ${to.name}`).toBe(true);
    world.run(20);
    expect(to.heard.length, `${from.name} to ${to.name}`).toBe(before + 1);
  }
}

test("replay: everything that was ever said, said again from anywhere, brings nothing and moves nobody", () => {
  const { world, boards, east, west } = group();
  for (let i = 0; i < 20; i++) {
    east.lan.send("west", Uint8Array.of(i + 1));
    world.run(50);
  }
  const heard = boards.map((each) => each.heard.length);
  const { handshakes } = world;
  for (const from of [mallory, east.address]) {
    for (const { bytes } of world.sent.slice()) {
      for (const { address } of boards) world.inject({ from, to: address, bytes });
      world.run(2);
    }
  }
  expect(boards.map((each) => each.heard.length)).toEqual(heard);
  expectTalk(world, east, west);
  // Message 1 of before begins a handshake that nobody can end; sessions that are up go on.
  expect(world.handshakes - handshakes).toBeLessThanOrEqual(2 * handshakeLimits.beginsMax);
  // And what is sent goes where it did.
  const to = ofKind(world, DatagramKind.record).at(-1)!.to;
  expect(boards.map(({ address }) => address)).toContain(to);
});

test("replay: a record that was held back and comes late from elsewhere is taken once, and what is answered goes where the board is", () => {
  const { world, east, west } = group();
  const held: Datagram[] = [];
  world.meddle = (datagram) => {
    if (kindOf(datagram.bytes) !== DatagramKind.record || datagram.from !== east.address) return undefined;
    held.push(datagram);
    return [];
  };
  east.lan.send("west", hello);
  world.meddle = () => undefined;
  expectTalk(world, east, west);
  world.inject({ ...held[0]!, from: mallory });
  world.run(5);
  expect(west.heard.length).toBe(2);
  west.lan.send("east", hello);
  expect(world.sent.at(-1)!.to).toBe(east.address);
});

test("splice: a record under another session's tag, or sent back to where it came from, does not open", () => {
  const { world, boards, east, north, west } = group();
  const records = ofKind(world, DatagramKind.record);
  const between = (a: LanBoard, b: LanBoard) =>
    records.filter(({ from, to }) => from === a.address && to === b.address).at(-1)!;
  const [toWest, toNorth] = [between(east, west), between(east, north)];
  const heardMs = boards.map(({ lan }) => names.map((name) => lan.heardMs(name)));
  for (const tag of [tagOf(toWest.bytes), tagOf(toNorth.bytes)]) {
    for (const { bytes } of records) {
      if (tagOf(bytes) === tag) continue;
      const spliced = encodeTagged(4, tag, bytes.subarray(tagEnd));
      for (const { address } of boards) world.inject({ from: east.address, to: address, bytes: spliced });
    }
  }
  world.run(0);
  expect(boards.map(({ lan }) => names.map((name) => lan.heardMs(name)))).toEqual(heardMs);
  // A bit that is not as it was.
  const fresh: Datagram[] = [];
  world.meddle = (datagram) => {
    if (kindOf(datagram.bytes) === DatagramKind.record) fresh.push(datagram);
    return [];
  };
  east.lan.send("west", hello);
  world.meddle = () => undefined;
  const [kept] = fresh;
  for (let at = tagEnd; at < kept!.bytes.length; at++) {
    world.inject({ ...kept!, bytes: kept!.bytes.map((each, i) => (i === at ? each ^ 1 : each)) });
  }
  world.run(5);
  expect(west.heard).toEqual([]);
  world.inject(kept!);
  world.run(5);
  expect(west.heard).toEqual([{ from: "east", bytes: hello }]);
});

test("spoofed name: announcements from elsewhere take no session away, and no message", () => {
  const { world, east, west } = group();
  for (let i = 0; i < 600; i++) {
    for (const name of names) {
      const bytes = encodeAnnouncement({ isAsking: i % 2 === 0, swarm, name });
      for (const { address } of [east, west]) world.inject({ from: mallory, to: address, bytes });
    }
    world.run(100);
    if (i % 50 === 0) expectTalk(world, east, west);
  }
  expectTalk(world, east, west);
  // Each board answers at most two questions a second of each name, and begins nothing with who is well.
  const answers = world.sent.filter(({ to }) => to === mallory);
  expect(answers.length).toBeLessThan(2 * 3 * 2 * 61);
  expect(world.handshakes).toBeLessThanOrEqual(6 + 4);
});

test("spoofed name: whoever says from the start that a member is elsewhere only delays the session with it", () => {
  const world = new VirtualLan(new Random(3).next);
  const boards = names.map((name) => world.add(name, names));
  for (const { lan } of boards) lan.keepAlive(true);
  // It is always the last to say so.
  world.meddle = (datagram) =>
    kindOf(datagram.bytes) <= DatagramKind.asking ? [{ ...datagram, from: mallory }] : undefined;
  const isUp = () => boards.every((each) => each.isUpWithAll);
  world.until(isUp, 60_000);
  expect(isUp()).toBe(true);
});

test.each<[string, () => MemberSecrets]>([
  ["a board of another swarm's root", () => strangerOf("east")],
  ["a host that is called so", () => root.issue("host", "east")],
  ["another board of the swarm", () => root.issue("board", "south")],
  ["a member of the group under another's name", () => memberOf("north")],
  [
    "the member's identity without its key",
    () => ({ ...root.issue("board", "east"), signed: memberOf("east").signed }),
  ],
  [
    "a board that may not speak for itself",
    () => root.issue("board", "east", [{ resource: "east", permissions: 1 }]),
  ],
  ["a revoked identity of the member", () => revoked],
])("impostor: %s gets no session under a member's name", (_, secretsOf) => {
  const { world, east, west } = group();
  const statement = root.revoke(1, world.ciphers.sha256(revoked.signed).slice(0, 8));
  for (const { trust, lan } of [east, west]) if (trust.takeRoster(statement)) lan.onRoster();
  world.run(20_000);
  east.powerOff();
  const secrets = secretsOf();
  world.run(10_000);
  const heard = west.lan.heardMs("east");
  for (let i = 0; i < 3; i++) {
    impersonate(world, secrets, "east", west);
    world.run(handshakeLimits.addressEveryMs + 1_000);
  }
  expect(west.lan.heardMs("east")).toBe(heard);
  expect(west.said.filter((line) => line.includes(mallory))).toEqual([]);
  east.powerOn();
  east.lan.keepAlive(true);
  world.run(30_000);
  expectTalk(world, east, west);
});

const revoked = root.issue("board", "east");

test("impostor: the harness gets in with the member's own secrets, which is what a stolen board can do", () => {
  const { world, east, west } = group();
  east.powerOff();
  world.run(10_000);
  impersonate(world, memberOf("east"), "east", west);
  world.run(1_000);
  expect(west.said.at(-1)).toContain(`with=east address=${mallory}`);
});

test("flood: thousands of first messages end no session, cost a bounded number of keys, and delay a new one only", () => {
  const { world, boards, east, west } = group();
  const own = memberOf("east");
  const roster = east.trust.roster;
  const frame = new SessionInitiator({ ciphers: world.ciphers, own, roster, admits: () => true }).start();
  const { handshakes } = world;
  const forMs = 60_000;
  for (let i = 0; i < forMs / 10; i++) {
    const bytes = encodeFirst({ tag: i, swarm, from: i % 2 === 0 ? "east" : "north", to: "west", frame });
    world.inject({ from: `10.7.66.${i % 200}`, to: west.address, bytes });
    world.run(10);
    if (i % 500 === 0) expectTalk(world, east, west);
  }
  const begun = world.handshakes - handshakes;
  expect(begun).toBeGreaterThan(10);
  expect(begun).toBeLessThanOrEqual(handshakeLimits.beginsMax + forMs / handshakeLimits.beginEveryMs + 1);
  // One address alone keeps nobody out.
  east.powerOff();
  world.run(1_000);
  east.powerOn();
  east.lan.keepAlive(true);
  for (let i = 0; i < 6_000 && !boards.every((each) => each.isUpWithAll); i++) {
    const bytes = encodeFirst({ tag: i, swarm, from: "east", to: "west", frame });
    world.inject({ from: mallory, to: west.address, bytes });
    world.run(10);
  }
  expectTalk(world, east, west);
});

test("errors and answers made up by whoever hears a handshake end no session that is up", () => {
  const { world, boards, east, west } = group();
  world.meddle = (datagram) => {
    const kind = kindOf(datagram.bytes);
    if (kind !== DatagramKind.first && kind !== DatagramKind.handshake) return undefined;
    // An error under the same tag overtakes whatever is said.
    const { tag } = decodeFirst(datagram.bytes) ?? { tag: tagOf(datagram.bytes) };
    const error = encodeTagged(3, tag, Uint8Array.of(0, 1, 0x61, 0x78));
    return [{ ...datagram, bytes: error }, datagram];
  };
  const first = root.revoke(1);
  for (const { trust, lan } of boards) if (trust.takeRoster(first)) lan.onRoster();
  world.run(30_000);
  // The new epoch's sessions came up all the same: nobody believes an error.
  expect(east.said.filter((line) => line.includes("lan-session") && line.includes("epoch=1")).length).toBe(2);
  expectTalk(world, east, west);
});

test("whoever has no session here is answered with less than twice what it sent, twice a second", () => {
  const { world, west } = group();
  const from = world.sent.length;
  let sentBytes = 0;
  for (let i = 0; i < 1_000; i++) {
    const bytes = encodeTagged(4, i, new Uint8Array(30));
    sentBytes += bytes.length;
    world.inject({ from: mallory, to: west.address, bytes });
    world.run(10);
  }
  const answers = world.sent.slice(from).filter(({ to }) => to === mallory);
  expect(answers.length).toBeLessThanOrEqual(1 + 10_000 / lanLimits.answerEveryMs);
  expect(answers.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(sentBytes);
  expect(answers.every(({ to }) => to !== lanGroup)).toBe(true);
});

/** Goes through a handshake with `victim` as `name`, with these secrets, from Mallory's address; and says something where that works. */
function impersonate(world: VirtualLan, own: MemberSecrets, name: string, victim: LanBoard): void {
  const { ciphers } = world;
  const { roster } = victim.trust;
  const initiator = new SessionInitiator({ ciphers, own, roster, isByValue: true, admits: () => true });
  const tag = 0x0bad0000 + world.sent.length;
  const first = { tag, swarm, from: name, to: victim.name, frame: initiator.start() };
  const meddle = world.meddle;
  world.inject({ from: mallory, to: victim.address, bytes: encodeFirst(first) });
  const from = world.sent.length;
  world.run(5);
  world.meddle = meddle;
  for (const { to, bytes } of world.sent.slice(from)) {
    if (to !== mallory || kindOf(bytes) !== DatagramKind.handshake || tagOf(bytes) !== tag) continue;
    const { send } = initiator.take(bytes.subarray(tagEnd));
    if (send !== undefined)
      world.inject({ from: mallory, to: victim.address, bytes: encodeTagged(3, tag, send) });
  }
  world.run(5);
}
