/** Links between hosts that are who they say, with what no host should send. */
import { expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { FrameReader, frameOf } from "../../../../host-tools/leader/hosts/frame-reader.ts";
import { frameFromWire, frameToWire } from "../../../../host-tools/leader/hosts/host-frame-codec.ts";
import type { HostFrame } from "../../../../host-tools/leader/hosts/host-frames.ts";
import { hostLinkLimits } from "../../../../host-tools/leader/hosts/host-link.ts";
import type { CborValue } from "../../../../protocols/cbor/value.ts";
import { eventually } from "../leader-under-test.ts";
import { framed, host, rawPeer, root, stranger, up } from "./linked-hosts.ts";

const hello = (changes: Partial<Record<"swarm" | "host", string>> = {}, version = 1): CborValue => {
  const { swarm = "greenhouse", host: name = "b" } = changes;
  return [0, version, swarm, name, false, "http://127.0.0.1:1"];
};
const gone = (board: string): HostFrame => ({ kind: "gone", board });

test("two hosts have one connection, whoever knows whose address, and it comes back", async () => {
  const a = await host("a");
  const b = await host("b", { a: a.links.port });
  await up(a, b);
  expect(a.links.send("b", gone("north-1"))).toBe(true);
  await eventually(() => b.frames.length === 1);
  expect(b.frames).toEqual([{ from: "a", frame: gone("north-1") }]);
  const { port } = a.links;
  await a.links.stop();
  await eventually(() => b.events.includes("down a"));
  expect(b.links.send("a", gone("north-1"))).toBe(false);
  const again = await host("a", {}, { port, member: a.member });
  await up(again, b);
  expect(b.events).toEqual(["up a", "down a", "up a"]);
});

test("the earlier host dials where the later one does not know it, and two connections become one", async () => {
  const b = await host("b");
  const a = await host("a", { b: b.links.port });
  await up(a, b);
  // The later host dials after all: its connection replaces the other's.
  const late = rawPeer(a.links.port, b.member);
  await late.isUp;
  late.stream.write(framed(hello()));
  await eventually(() => a.events.filter((event) => event === "up b").length === 2);
  expect(a.logged.join("")).toContain("replaced by a newer connection");
});

test("hosts that dial each other at once end with one connection, and the same one", async () => {
  const [first, second] = [await host("a"), await host("b")];
  const ports = [first.links.port, second.links.port];
  await Promise.all([first.links.stop(), second.links.stop()]);
  for (let round = 0; round < 5; round++) {
    const [a, b] = await Promise.all([
      host("a", { b: ports[1]! }, { port: ports[0]!, member: first.member }),
      host("b", { a: ports[0]! }, { port: ports[1]!, member: second.member }),
    ]);
    await up(a, b);
    expect(a.links.send("b", gone("north-1")) && b.links.send("a", gone("north-2"))).toBe(true);
    await eventually(() => a.frames.length === 1 && b.frames.length === 1);
    expect(a.links.peers.size + b.links.peers.size).toBe(2);
    await Promise.all([a.links.stop(), b.links.stop()]);
  }
});

test.each([
  ["bytes that are no CBOR", frameOf(new Uint8Array([0xff, 0xff]))],
  ["a frame that is too long", Buffer.from([0xff, 0xff, 0xff, 0xff])],
  ["no hello first", framed([5, "north-1"])],
  ["a hello of another version", framed(hello({}, 2))],
  ["a hello without a name", framed([0, 1, "greenhouse"])],
  ["a second hello", Buffer.concat([framed(hello()), framed(hello())])],
  ["a state that is none", Buffer.concat([framed(hello()), framed([2, 9, 1, 1, 1, null, null])])],
])("%s ends the connection and is counted", async (_, bytes) => {
  const a = await host("a");
  const other = rawPeer(a.links.port, root.issue("host", "b"));
  await other.isUp;
  other.stream.write(bytes);
  await other.ended;
  await eventually(() => a.links.traffic.garbage === 1);
  await eventually(() => !a.links.isUp("b"));
});

test("a frame of a kind that a newer host sends is passed over", async () => {
  const a = await host("a");
  const other = rawPeer(a.links.port, root.issue("host", "b"));
  await other.isUp;
  other.stream.write(Buffer.concat([framed(hello()), framed([99, "what"]), framed([5, "north-1", "more"])]));
  await eventually(() => a.frames.length === 1);
  expect(a.frames).toEqual([{ from: "b", frame: gone("north-1") }]);
});

test("a host that does not read costs bounded memory: what finds no room is dropped and counted", async () => {
  const a = await host("a");
  const other = rawPeer(a.links.port, root.issue("host", "b"));
  await other.isUp;
  other.stream.write(framed(hello()));
  await eventually(() => a.links.isUp("b"));
  other.socket.pause();
  const frame: HostFrame = { kind: "publication", payload: new Uint8Array(4_000) };
  let sent = 0;
  while (a.links.send("b", frame) && sent < 100_000) {
    // Now and then a turn of the event loop, in which it is sealed.
    if (++sent % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan((hostLinkLimits.unsentBytesMax * 2) / 4_000);
  expect(a.links.traffic.dropped).toBe(1);
});

test("whoever has proved nothing can make a host hold no more than a frame of a handshake", async () => {
  const a = await host("a");
  const other = stranger(a.links.port);
  other.write(Buffer.from([0, 0, 4, 1])); // 1,025 bytes
  await new Promise((resolve) => other.once("close", resolve));
  expect(a.links.traffic).toMatchObject({ garbage: 1, framesIn: 0 });
});

test("frames as long as any are in several records, and whole and in order at the other end", async () => {
  const a = await host("a");
  const b = await host("b", { a: a.links.port });
  await up(a, b);
  const message = (bytes: number) => new Uint8Array(bytes).fill(bytes % 251);
  const sizes = [1_048_500, 1, 65_000, 65_527, 65_535, 65_536, 131_070, 500_000, 12];
  for (const size of sizes) a.links.send("b", { kind: "raft", message: [message(size)] });
  a.links.broadcast(gone("north-1"));
  await eventually(() => b.frames.length === sizes.length + 1);
  const lengths = b.frames.flatMap(({ frame }) => {
    if (frame.kind !== "raft") return [];
    const [bytes] = frame.message as [Uint8Array];
    expect(bytes.every((byte) => byte === bytes.length % 251)).toBe(true);
    return [bytes.length];
  });
  expect(lengths).toEqual(sizes);
  expect(b.links.traffic.garbage).toBe(0);
});

test("frames survive any cut of the stream", () => {
  const frames: HostFrame[] = [
    { kind: "hello", swarm: "s", host: "a", hasLog: true, url: "http://127.0.0.1:7800" },
    {
      kind: "state",
      role: "leader",
      term: 3,
      commitIndex: 9,
      appliedIndex: 8,
      leaderId: "a.1",
      memberId: undefined,
      ready: ["gateway"],
      lingering: [],
    },
    { kind: "raft", message: [1, 5, "a.1", "b.1", 3] },
    { kind: "board", board: "north-1", hello: new Uint8Array([1, 2]) },
    gone("north-1"),
    { kind: "publication", payload: new Uint8Array(300).fill(7) },
    { kind: "telemetry", board: "north-1", channel: "health", payload: new Uint8Array([3]) },
    { kind: "refused", why: "because" },
  ];
  const stream = Buffer.concat(frames.map((frame) => frameOf(encodeCbor(frameToWire(frame)))));
  for (let size = 1; size <= stream.length; size = size * 2 + 1) {
    const read: (HostFrame | undefined)[] = [];
    const reader = new FrameReader(1_000, (payload) => read.push(frameFromWire(decodeCbor(payload))));
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    expect(read.map((frame) => plain(frame))).toEqual(frames.map((frame) => plain(frame)));
  }
});

/** Buffers as plain arrays of bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each) =>
      each instanceof Uint8Array ? [...each] : each?.type === "Buffer" ? each.data : each,
    ),
  );
}
