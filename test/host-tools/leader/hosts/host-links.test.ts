/** Links between hosts on real sockets, with what no host should send. */
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { FrameReader, frameOf } from "../../../../host-tools/leader/hosts/frame-reader.ts";
import {
  frameFromWire,
  frameToWire,
  type HostFrame,
} from "../../../../host-tools/leader/hosts/host-frames.ts";
import { hostLinkLimits } from "../../../../host-tools/leader/hosts/host-link.ts";
import { HostLinks, type PeerAddress } from "../../../../host-tools/leader/hosts/host-links.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import type { CborValue } from "../../../../protocols/cbor/value.ts";
import { eventually } from "../leader-under-test.ts";

interface Host {
  readonly links: HostLinks;
  readonly frames: { readonly from: string; readonly frame: HostFrame }[];
  readonly events: string[];
  readonly logged: string[];
}

async function host(name: string, peers: Record<string, number> = {}, port = 0): Promise<Host> {
  const frames: Host["frames"] = [];
  const events: string[] = [];
  const logged: string[] = [];
  const addresses = new Map<string, PeerAddress>(
    Object.entries(peers).map(([peer, at]) => [peer, { address: "127.0.0.1", port: at }]),
  );
  const links = new HostLinks({
    swarm: "greenhouse",
    hostName: name,
    hostNames: ["a", "b", "c"],
    peers: addresses,
    listenAddress: "127.0.0.1",
    port,
    log: createLog("debug", (line) => logged.push(line)),
    hello: () => ({ hasLog: false, url: `http://127.0.0.1/${name}` }),
    onUp: (peer) => events.push(`up ${peer.host}`),
    onDown: (peer) => events.push(`down ${peer}`),
    onFrame: (from, frame) => frames.push({ from, frame }),
  });
  await links.start();
  onTestFinished(() => links.stop());
  return { links, frames, events, logged };
}

/** Somebody who connects, sends bytes, and reads what comes. */
function stranger(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket.on("error", () => {}).resume();
}

const hello = (changes: Partial<Record<"swarm" | "host", string>> = {}, version = 1): CborValue => {
  const { swarm = "greenhouse", host: name = "b" } = changes;
  return [0, version, swarm, name, false, "http://127.0.0.1:1"];
};
const framed = (value: CborValue) => frameOf(encodeCbor(value));
const gone = (board: string): HostFrame => ({ kind: "gone", board });

test("two hosts have one connection, whoever knows whose address, and it comes back", async () => {
  const a = await host("a");
  const b = await host("b", { a: a.links.port });
  await eventually(() => a.links.isUp("b") && b.links.isUp("a"));
  expect(a.links.send("b", gone("north-1"))).toBe(true);
  await eventually(() => b.frames.length === 1);
  expect(b.frames).toEqual([{ from: "a", frame: gone("north-1") }]);
  const { port } = a.links;
  await a.links.stop();
  await eventually(() => b.events.includes("down a"));
  expect(b.links.send("a", gone("north-1"))).toBe(false);
  const again = await host("a", {}, port);
  await eventually(() => again.links.isUp("b") && b.links.isUp("a"));
  expect(b.events).toEqual(["up a", "down a", "up a"]);
});

test("the earlier host dials where the later one does not know it, and two connections become one", async () => {
  const b = await host("b");
  const a = await host("a", { b: b.links.port });
  await eventually(() => a.links.isUp("b") && b.links.isUp("a"));
  // The later host dials after all: its connection replaces the other's.
  const late = stranger(a.links.port);
  late.write(framed(hello()));
  await eventually(() => a.events.filter((event) => event === "up b").length === 2);
  expect(a.logged.join("")).toContain("replaced by a newer connection");
});

test.each([
  ["of another swarm", hello({ swarm: "house" }), "this is a host of the swarm greenhouse, not house"],
  ["that swarm.ts does not name", hello({ host: "z" }), "greenhouse has no host z in this host's swarm.ts"],
  ["of the same name", hello({ host: "a" }), "host a runs already, here"],
])("a host %s is refused, told why, and counted", async (_, said, why) => {
  const a = await host("a");
  const other = stranger(a.links.port);
  const heard: HostFrame[] = [];
  const reader = new FrameReader(65_536, (payload) => heard.push(frameFromWire(decodeCbor(payload))!));
  other.on("data", (chunk) => reader.push(chunk));
  other.write(framed(said));
  await new Promise((resolve) => other.once("close", resolve));
  expect(heard).toMatchObject([
    { kind: "hello", host: "a" },
    { kind: "refused", why },
  ]);
  expect(a.links.traffic).toMatchObject({ refused: 1, garbage: 0 });
  expect(a.events).toEqual([]);
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
  const other = stranger(a.links.port);
  other.write(bytes);
  await new Promise((resolve) => other.once("close", resolve));
  await eventually(() => a.links.traffic.garbage === 1);
  await eventually(() => !a.links.isUp("b"));
});

test("a frame of a kind that a newer host sends is passed over", async () => {
  const a = await host("a");
  const other = stranger(a.links.port);
  other.write(Buffer.concat([framed(hello()), framed([99, "what"]), framed([5, "north-1", "more"])]));
  await eventually(() => a.frames.length === 1);
  expect(a.frames).toEqual([{ from: "b", frame: gone("north-1") }]);
});

test("a host that does not read costs bounded memory: what finds no room is dropped and counted", async () => {
  const a = await host("a");
  const other = stranger(a.links.port);
  other.write(framed(hello()));
  await eventually(() => a.links.isUp("b"));
  other.pause();
  const frame: HostFrame = { kind: "publication", payload: new Uint8Array(4_000) };
  let sent = 0;
  while (a.links.send("b", frame) && sent < 100_000) sent++;
  expect(sent).toBeLessThan((hostLinkLimits.unsentBytesMax * 2) / 4_000);
  expect(a.links.traffic.dropped).toBe(1);
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
    },
    { kind: "raft", message: [1, 5, "a.1", "b.1", 3] },
    { kind: "board", board: "north-1", hello: new Uint8Array([1, 2]) },
    gone("north-1"),
    { kind: "publication", payload: new Uint8Array(300).fill(7) },
    { kind: "telemetry", board: "north-1", channel: "health", payload: new Uint8Array([3]) },
    { kind: "refused", why: "because" },
  ];
  const stream = Buffer.concat(frames.map((frame) => framed(frameToWire(frame))));
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
