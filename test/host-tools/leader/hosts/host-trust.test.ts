/** Who is no host, or not that one, or is in between: carried out on real connections. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { decodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { frameOf } from "../../../../host-tools/leader/hosts/frame-reader.ts";
import { frameFromWire } from "../../../../host-tools/leader/hosts/host-frame-codec.ts";
import type { HostFrame } from "../../../../host-tools/leader/hosts/host-frames.ts";
import { hostLinksLimits } from "../../../../host-tools/leader/hosts/host-links.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { kidOf } from "../../../../protocols/security/identity/credential.ts";
import { TestRoot } from "../../../members.ts";
import { eventually } from "../leader-under-test.ts";
import { between, framed, host, rawPeer, root, stranger, type Tamper, up } from "./linked-hosts.ts";

const gone = (board: string): HostFrame => ({ kind: "gone", board });
const none = "it proves no identity of this swarm that belongs";

test.each([
  ["whose identity another root signed", new TestRoot("greenhouse").issue("host", "b"), none],
  ["of another swarm of the same root", issuedFor("house"), none],
  [
    "with the identity of a board",
    root.issue("board", "north-1"),
    "north-1 has the identity of a board, not of a host",
  ],
  ["that swarm.ts does not name", root.issue("host", "z"), "this host's swarm.ts names no host z"],
  ["of the same name", root.issue("host", "a"), "a is this host itself: its identity is in use twice"],
])("somebody %s is refused before anything that it says is looked at", async (_, own, why) => {
  const a = await host("a");
  const other = rawPeer(a.links.port, own);
  await other.ended;
  await eventually(() => a.audited.length === 1);
  expect(a.audited).toEqual([`127.0.0.1: a connection between hosts: ${why}`]);
  expect(a.logged.join("")).toContain("host-refused");
  expect(a.links.traffic).toMatchObject({ refused: 1, garbage: 0, framesIn: 0, framesOut: 0 });
  expect(a.events).toEqual([]);
});

test("who has copied a host's identity, but not its key, gets no session", async () => {
  const a = await host("a");
  const thief = { ...root.issue("host", "b"), privateKey: root.issue("host", "b").privateKey };
  await rawPeer(a.links.port, thief).ended;
  await eventually(() => a.links.traffic.refused === 1);
  expect(a.links.traffic.framesIn).toBe(0);
});

test("a host that says in its hello that it is another one is refused, told why, and the refusal is audited", async () => {
  const a = await host("a");
  const other = rawPeer(a.links.port, root.issue("host", "c"));
  await other.isUp;
  other.stream.write(framed([0, 1, "greenhouse", "b", false, "http://127.0.0.1:1"]));
  await other.ended;
  const heard = other.received.map((payload) => frameFromWire(decodeCbor(payload)));
  expect(heard).toMatchObject([
    { kind: "hello", host: "a" },
    { kind: "refused", why: "c of greenhouse says that it is b of greenhouse" },
  ]);
  expect(a.links.traffic).toMatchObject({ refused: 1, garbage: 0 });
  expect(a.audited).toEqual([
    "c: a connection between hosts: c of greenhouse says that it is b of greenhouse",
  ]);
  expect(a.events).toEqual([]);
});

test("another host at the address of the one that is dialled is not taken for it", async () => {
  const c = await host("c");
  const b = await host("b", { a: c.links.port });
  await eventually(() => b.audited.length > 0);
  expect(b.audited[0]).toBe(
    "whoever answers for a: a connection between hosts: host c answers at the address of a",
  );
  expect(b.events).toEqual([]);
  expect(c.events).toEqual([]);
});

test("a revoked host is cut off at once and does not come back; the others go on under keys of the new epoch", async () => {
  const c = await host("c");
  const a = await host("a", { c: c.links.port });
  const b = await host("b", { a: a.links.port, c: c.links.port });
  await Promise.all([up(a, b), up(a, c), up(b, c)]);
  const statement = root.revoke(1, kidOf(nodeCiphers, c.member.signed));
  for (const { roster, links } of [a, b]) {
    expect(roster.take(statement)).toBe(true);
    links.rosterChanged();
    expect(links.isUp("c")).toBe(false);
  }
  await eventually(() => c.events.filter((event) => event.startsWith("down")).length === 2);
  for (let i = 0; i < 20; i++) {
    a.links.send("b", gone(`north-${i}`));
    b.links.send("a", gone(`south-${i}`));
    await sleep(20);
  }
  await eventually(() => a.frames.length === 20 && b.frames.length === 20);
  expect(a.events).toEqual(["up b", "up c", "down c"].sort(byEvents(a.events)));
  expect(b.links.isUp("c") || c.links.isUp("a")).toBe(false);
  // It tries again, in vain.
  await rawPeer(a.links.port, c.member).ended;
  await eventually(() => a.audited.length >= 2);
  expect(a.audited[0]).toBe("c: a connection between hosts: the swarm's root has revoked c");
  expect(a.audited.at(-1)).toBe(`127.0.0.1: a connection between hosts: ${none}`);
});

test("keys that have sealed enough are replaced while frames go both ways, and none of them is lost", async () => {
  const a = await host("a", {}, { recordsMax: 3 });
  const b = await host("b", { a: a.links.port }, { recordsMax: 3 });
  await up(a, b);
  for (let i = 0; i < 100; i++) {
    a.links.send("b", gone(`${i}`));
    b.links.send("a", gone(`${i}`));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const all = Array.from({ length: 100 }, (_, i) => gone(`${i}`));
  await eventually(() => a.frames.length === 100 && b.frames.length === 100);
  for (const { frames, links, events } of [a, b]) {
    expect(frames.map(({ frame }) => frame)).toEqual(all);
    expect(links.traffic.garbage).toBe(0);
    expect(events).toHaveLength(1);
  }
});

/** What somebody in between does with the third record of a direction; the others it passes on. */
const attacks: Record<string, (frame: Buffer, held: Buffer[]) => Buffer[]> = {
  replays: (frame) => [frame, frame],
  "leaves out": () => [],
  "holds back until the next has passed": (frame, held) => {
    held.push(frame);
    return [];
  },
  "changes the content of": (frame) => {
    const changed = Buffer.from(frame);
    changed[changed.length - 9]! ^= 1;
    return [changed];
  },
  "changes the number of": (frame) => {
    const changed = Buffer.from(frame);
    changed[5]! += 1;
    return [changed];
  },
  "puts garbage in place of": (frame) => [Buffer.alloc(frame.length, 0x83)],
  "puts a session's beginning before": (frame) => [Buffer.from([1, 2, 3]), frame],
  "puts an error of a handshake before": (frame) => [Buffer.from([0, 1, 0x61, 0x78]), frame],
};

test.each(Object.keys(attacks))(
  "somebody in between who %s a record ends the connection: nothing of it is taken, and a new one comes",
  async (attack) => {
    let records = 0;
    let hasAttacked = false;
    const held: Buffer[] = [];
    const tamper: Tamper = (direction, frame) => {
      if (direction !== "there" || frame[0] !== 0x83) return [frame];
      if (++records === 3 && !hasAttacked) {
        hasAttacked = true;
        return attacks[attack]!(frame, held);
      }
      return [frame, ...held.splice(0)];
    };
    const a = await host("a");
    const port = await between(() => a.links.port, tamper);
    const b = await host("b", { a: port });
    await up(a, b);
    let said = 0;
    // A turn of the event loop each: a record each.
    while (!a.events.includes("down b")) {
      b.links.send("a", gone(`${said++}`));
      await sleep(5);
      expect(said).toBeLessThan(500);
    }
    expect(a.links.traffic.garbage).toBe(1);
    const heard = a.frames.map(({ frame }) => frame.kind === "gone" && Number(frame.board));
    // A beginning of what was said, without a gap and nothing twice.
    expect(heard).toEqual(heard.map((_, i) => i));
    expect(heard.length).toBeLessThanOrEqual(2);
    await up(a, b);
    expect(b.links.send("a", gone("after"))).toBe(true);
    await eventually(() => a.frames.some(({ frame }) => frame.kind === "gone" && frame.board === "after"));
  },
);

test("a record that is sent back to who sealed it ends the connection, though it has the number that is due", async () => {
  const own: Buffer[] = [];
  let back = 0;
  let isReflected = false;
  const tamper: Tamper = (direction, frame) => {
    if (frame[0] !== 0x83 || isReflected) return [frame];
    if (direction === "there") own.push(frame);
    else if (back++ === 2 && own[2] !== undefined) {
      isReflected = true;
      return [own[2]];
    }
    return [frame];
  };
  const a = await host("a");
  const port = await between(() => a.links.port, tamper);
  const b = await host("b", { a: port });
  await up(a, b);
  while (!b.events.includes("down a")) {
    b.links.send("a", gone("north-1"));
    await sleep(5);
    a.links.send("b", gone("north-2"));
  }
  expect(isReflected).toBe(true);
  expect(b.links.traffic.garbage).toBe(1);
  expect(b.logged.join("")).toContain("a record on the connection is forged");
});

test.each(["there 1", "back 2", "there 3", "back 4"])(
  "who changes frame %s of a handshake prevents the connection, and gets none",
  async (step) => {
    let changes = 0;
    const a = await host("a");
    const port = await between(
      () => a.links.port,
      (direction, frame) => {
        if (`${direction} ${frame[0]}` !== step) return [frame];
        const changed = Buffer.from(frame);
        changed[changed.length - 1 - changes++]! ^= 4;
        return [changed];
      },
    );
    for (let attempt = 0; attempt < 5; attempt++) {
      const other = rawPeer(port, root.issue("host", "b"));
      const outcome = await Promise.race([other.isUp.then(() => "up"), other.ended.then(() => "ended")]);
      expect(outcome).toBe("ended");
    }
    expect(changes).toBeGreaterThanOrEqual(5);
    expect(a.events).toEqual([]);
    expect(a.links.traffic.framesIn).toBe(0);
  },
);

test("a thousand connections that prove nothing keep no host out, and are few at any time", async () => {
  const a = await host("a");
  let isOver = false;
  let open = 0;
  let openMost = 0;
  const flood = (async () => {
    for (let i = 0; i < 1_000 && !isOver; i++) {
      const other = stranger(a.links.port);
      other.once("connect", () => (openMost = Math.max(openMost, ++open)));
      other.once("close", () => open--);
      if (i % 10 === 9) await sleep(5);
    }
    return true;
  })();
  const b = await host("b", { a: a.links.port });
  await up(a, b);
  isOver = true;
  await flood;
  await eventually(() => open <= hostLinksLimits.unprovedMax);
  expect(a.links.send("b", gone("north-1"))).toBe(true);
});

test("a handshake that never comes to its end is cut off after as many frames as one takes", async () => {
  const a = await host("a");
  const captured: Buffer[] = [];
  const port = await between(
    () => a.links.port,
    (direction, frame) => {
      if (direction === "there") captured.push(Buffer.from(frame));
      return [frame];
    },
  );
  await rawPeer(port, new TestRoot("greenhouse").issue("host", "b")).ended;
  const [message1] = captured;
  const other = stranger(a.links.port);
  let answers = 0;
  other.on("data", () => answers++);
  for (let i = 0; i < 50; i++) other.write(frameOf(message1!));
  await new Promise((resolve) => other.once("close", resolve));
  expect(answers).toBeLessThanOrEqual(4);
});

/** Under the root of the test, but for another swarm. */
function issuedFor(swarm: string) {
  const other = new TestRoot(swarm);
  Object.assign(other.keys, root.keys);
  return other.issue("host", "b");
}

/** In the order of what happened, as far as it did. */
function byEvents(events: readonly string[]) {
  return (one: string, other: string) => events.indexOf(one) - events.indexOf(other);
}
