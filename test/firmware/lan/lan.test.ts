import fc from "fast-check";
import { expect, test } from "vitest";
import { lanLimits } from "../../../firmware/lan/lan.ts";
import { DatagramKind, kindOf, lanGroup } from "../../../protocols/lan/datagrams.ts";
import { Random } from "../../simulation/raft/random.ts";
import { fairWeather, memberOf, root, VirtualLan, type Weather } from "./virtual-lan.ts";

const three = ["east", "north", "west"];
const seven = ["a", "b", "c", "d", "e", "f", "g"];
const hello = Uint8Array.of(1, 2, 3);

function lanOf(names: readonly string[], weather: Weather = fairWeather, isKept = true, seed = 1) {
  const world = new VirtualLan(new Random(seed).next, weather);
  return { world, boards: world.group(names, isKept) };
}

test("boards that keep sessions alive are up with all others at once, and hear each other every 2 s", () => {
  const { world, boards } = lanOf(seven);
  expect(world.until(() => boards.every((each) => each.isUpWithAll), 10_000)).toBeLessThan(3_000);
  world.run(60_000);
  for (const { lan, name } of boards) {
    for (const peer of seven) {
      if (peer !== name) expect(world.nowMs - lan.heardMs(peer)).toBeLessThanOrEqual(lanLimits.aliveMs + 5);
    }
  }
  // Each pair made one session, with a key pair a side.
  expect(world.handshakes).toBe(seven.length * (seven.length - 1));
});

test("without anything to say there is no session, and no datagram", () => {
  const { world, boards } = lanOf(three, fairWeather, false);
  world.run(60_000);
  expect(world.sent).toEqual([]);
  expect(boards.some(({ lan }) => three.some((peer) => lan.isUp(peer)))).toBe(false);
});

test.each([
  ["who begins", "east", "west"],
  ["who answers", "west", "east"],
])("a session is made when %s has something to send", (_, from, to) => {
  const { world, boards } = lanOf(three, fairWeather, false);
  const sender = boards.find(({ name }) => name === from)!;
  const receiver = boards.find(({ name }) => name === to)!;
  expect(sender.lan.send(to, hello)).toBe(false);
  expect(world.until(() => sender.lan.isUp(to), 5_000)).toBeLessThan(1_000);
  world.until(() => receiver.lan.isUp(from), 1_000);
  expect(sender.lan.send(to, hello)).toBe(true);
  world.run(10);
  expect(receiver.heard).toEqual([{ from, bytes: hello }]);
  // Whoever hears the question, and is to begin with whoever asks, does so too: at most all three pairs have one.
  expect(world.handshakes).toBeLessThanOrEqual(6);
  // And is forgotten when nothing was said for long.
  world.run(lanLimits.idleMs + 20_000);
  expect(sender.lan.isUp(to) || receiver.lan.isUp(from)).toBe(false);
});

test("a board without a group, or without a name of its own, has no socket", () => {
  const { world, boards } = lanOf(three);
  world.run(2_000);
  const [east] = boards;
  expect(east!.isOpen).toBe(true);
  east!.lan.setPeers([]);
  expect(east!.isOpen).toBe(false);
  expect(east!.lan.dueMs).toBe(Infinity);
  expect(east!.lan.send("west", hello)).toBe(false);
  const nobody = world.add("south", three, { ...memberOf("south"), signed: new Uint8Array(3) });
  nobody.lan.keepAlive(true);
  expect(nobody.isOpen).toBe(false);
});

test("what is too long for a datagram, and a message of nothing, is refused", () => {
  const { world, boards } = lanOf(three);
  world.run(3_000);
  const [east, , west] = boards;
  expect(() => east!.lan.send("west", new Uint8Array(lanLimits.messageBytesMax + 1))).toThrow(RangeError);
  expect(() => east!.lan.send("west", new Uint8Array(0))).toThrow(RangeError);
  expect(east!.lan.send("west", new Uint8Array(lanLimits.messageBytesMax))).toBe(true);
  world.run(10);
  expect(west!.heard[0]!.bytes.length).toBe(lanLimits.messageBytesMax);
  expect(() => east!.lan.setPeers([...seven, "h"])).toThrow(RangeError);
});

test.each(["east", "west"])("after a power cut of %s sessions are made anew", (name) => {
  const { world, boards } = lanOf(three);
  world.run(10_000);
  const board = boards.find((each) => each.name === name)!;
  board.powerOff();
  world.run(1_000);
  board.powerOn();
  board.lan.keepAlive(true);
  const atMs = world.nowMs;
  const isBack = () => boards.every((each) => each === board || each.lan.heardMs(name) > atMs);
  expect(world.until(() => board.isUpWithAll && isBack(), 30_000)).toBeLessThan(12_000);
  for (const other of boards) if (other !== board) other.lan.send(name, hello);
  world.run(50);
  expect(board.heard.map(({ from }) => from).sort()).toEqual(three.filter((each) => each !== name));
});

test("a board that moves to another address goes on with its sessions", () => {
  const { world, boards } = lanOf(three);
  world.run(5_000);
  const [east, , west] = boards;
  const { handshakes } = world;
  east!.lan.onNetworkChange(false);
  world.run(500);
  world.move(east!, "10.7.9.9");
  east!.lan.onNetworkChange(true);
  world.run(50);
  west!.lan.send("east", hello);
  world.run(50);
  expect(east!.heard).toEqual([{ from: "west", bytes: hello }]);
  // Both at once: they find each other again.
  for (const [i, each] of [east!, west!].entries()) {
    each.lan.onNetworkChange(false);
    world.move(each, `10.7.8.${i + 1}`);
    each.lan.onNetworkChange(true);
  }
  world.run(15_000);
  expect(world.nowMs - east!.lan.heardMs("west")).toBeLessThan(lanLimits.silentMs);
  expect(world.handshakes - handshakes).toBeLessThanOrEqual(4);
});

test("a cut of a minute leaves sessions as they are: the first message after it gets through", () => {
  const { world, boards } = lanOf(three);
  world.run(5_000);
  const { handshakes } = world;
  world.meddle = () => [];
  world.run(60_000);
  world.meddle = () => undefined;
  const [east, , west] = boards;
  expect(east!.lan.send("west", hello)).toBe(true);
  world.run(5);
  expect(west!.heard).toEqual([{ from: "east", bytes: hello }]);
  world.run(30_000);
  // Some may have been made anew, because who came back said so first.
  expect(world.handshakes - handshakes).toBeLessThanOrEqual(6);
});

test("a board that is gone for an hour costs the others a question now and then, and no key", () => {
  const { world, boards } = lanOf(three);
  world.run(5_000);
  boards[2]!.powerOff();
  world.run(60_000);
  const [sentBefore, { handshakes }] = [world.sent.length, world];
  const questionsBefore = questions(world);
  world.run(3_600_000);
  expect(world.handshakes).toBe(handshakes);
  expect(questions(world) - questionsBefore).toBeLessThan((2 * 3600) / 8);
  // What keeps sessions alive, each to two others, and answers to questions.
  expect(world.sent.length - sentBefore).toBeLessThan(2 * 2 * 1800 + 1800);
});

test("a new epoch has sessions made anew beside those that are, and a revoked board has none any more", () => {
  const { world, boards } = lanOf(three);
  world.run(5_000);
  const [east, north, west] = boards;
  const { handshakes } = world;
  const first = root.revoke(1);
  for (const { trust, lan } of boards) if (trust.takeRoster(first)) lan.onRoster();
  world.run(20_000);
  expect(world.handshakes - handshakes).toBe(6);
  expect(east!.said.filter((line) => line.includes("epoch=1")).length).toBeGreaterThanOrEqual(2);
  // East alone hears that west is out, and that ends it.
  const kid = memberOf("west");
  const second = root.revoke(2, world.ciphers.sha256(kid.signed).slice(0, 8));
  for (const board of [east!, north!]) {
    board.trust.takeRoster(second);
    board.lan.onRoster();
  }
  expect(east!.lan.isUp("west")).toBe(false);
  world.run(60_000);
  expect(east!.lan.isUp("west") || north!.lan.isUp("west")).toBe(false);
  expect(east!.lan.isUp("north")).toBe(true);
  west!.lan.send("east", hello);
  world.run(5_000);
  expect(east!.heard).toEqual([]);
});

test("sessions come up under loss, repeats and disorder; nothing is delivered twice; no key sees a nonce twice", () => {
  const seen = { slowestMs: 0, cuts: 0, sent: 0, heard: 0, sealed: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.constantFrom(3, 5), (seed, size) => {
      const rng = new Random(seed);
      const names = seven.slice(0, size);
      const weather = { loss: rng.next() * 0.3, twice: rng.next() * 0.3, delayMostMs: 1 + rng.next() * 400 };
      const { world, boards } = lanOf(names, weather, true, seed);
      let number = 0;
      const cut = () => {
        const board = boards[Math.floor(rng.next() * size)]!;
        board.powerOff();
        world.run(rng.next() * 8_000);
        board.powerOn();
        board.lan.keepAlive(true);
        seen.cuts++;
      };
      const say = () => {
        const [from, to] = [boards[Math.floor(rng.next() * size)]!, names[Math.floor(rng.next() * size)]!];
        const bytes = new Uint8Array(20);
        new DataView(bytes.buffer).setUint32(0, ++number);
        if (from.name !== to && from.lan.send(to, bytes)) seen.sent++;
      };
      for (let i = 0; i < 60; i++) {
        const what = rng.next();
        if (what < 0.08) cut();
        else if (what < 0.3) world.run(rng.next() * 3_000);
        else for (let n = 0; n < 5; n++) say();
      }
      for (const board of boards) if (rng.next() < 0.5) board.powerOff();
      for (const board of boards) {
        board.powerOn();
        board.lan.keepAlive(true);
      }
      const tookMs = world.until(() => boards.every((each) => each.isUpWithAll), 300_000);
      expect(boards.every((each) => each.isUpWithAll)).toBe(true);
      seen.slowestMs = Math.max(seen.slowestMs, tookMs);
      const delivered = boards.flatMap(({ name, heard }) =>
        heard.map(({ bytes }) => `${name} ${new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)}`),
      );
      expect(new Set(delivered).size).toBe(delivered.length);
      seen.heard += delivered.length;
      seen.sealed += world.sealed.size;
    }),
    { numRuns: 40, seed: 42 },
  );
  expect(seen.cuts).toBeGreaterThan(100);
  expect(seen.heard).toBeGreaterThan(1_000);
  expect(seen.heard).toBeLessThan(seen.sent);
  expect(seen.sealed).toBeGreaterThan(seen.sent);
}, 120_000);

function questions(world: VirtualLan): number {
  return world.sent.filter(({ to, bytes }) => to === lanGroup && kindOf(bytes) === DatagramKind.asking)
    .length;
}
