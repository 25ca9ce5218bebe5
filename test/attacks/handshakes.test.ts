/** Whoever sits between boards and hosts, or knocks at a host's door, tries to get into a session, or to wear somebody out. */
import { createConnection, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { MemberSecrets } from "../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { concat } from "../../protocols/cbor/sequence.ts";
import { decodeMessage1, encodeMessage1 } from "../../protocols/security/edhoc/messages.ts";
import { Roster } from "../../protocols/security/identity/roster.ts";
import { encodeFrame, FrameKind } from "../../protocols/security/session/frames.ts";
import { SessionResponder } from "../../protocols/security/session/responder.ts";
import { RawBoard } from "../host-tools/leader/raw-board.ts";
import { memberOf } from "../host-tools/leader/test-swarm.ts";
import { TestRoot } from "../members.ts";
import { AttackedSwarm, sleep, swarmName } from "./attacked-swarm.ts";

let swarm: AttackedSwarm;
beforeAll(async () => {
  swarm = await AttackedSwarm.start();
}, 120_000);
afterAll(() => swarm?.end());
afterEach(() => {
  swarm.broker.meddle = () => undefined;
});

test("suite downgrade: a rewritten offer ends the handshake, and the next one takes the best suite", async () => {
  let rewritten = 0;
  const before = swarm.status.counters.sessions.handshakes;
  swarm.broker.meddle = (seen) => {
    if (seen.board !== "north-2" || seen.channel !== "edhoc" || seen.payload[0] !== FrameKind.message1) {
      return undefined;
    }
    rewritten++;
    const offer = decodeMessage1(new Uint8Array(seen.payload.subarray(1)));
    expect(offer.suites).toEqual([3]);
    const payload = encodeFrame(FrameKind.message1, encodeMessage1({ ...offer, suites: [2] }));
    return [{ topic: seen.topic, payload }];
  };
  await swarm.restart("north-2");
  await swarm.until("two offers rewritten", () => rewritten >= 2, 30_000);
  await sleep(300);
  expect(swarm.status.counters.sessions.handshakes).toBe(before);
  swarm.broker.meddle = () => undefined;
  await swarm.restart("north-2");
  await swarm.until("joined", ({ counters }) => counters.sessions.handshakes > before, 30_000);
  await swarm.agree(41, undefined, 30_000);
});

test("rogue leader: who has no key of the swarm's is no host to a board, whatever it shows", async () => {
  const strange = new TestRoot(swarmName).issue("host", "a");
  const { identity, signed } = memberOf(swarmName, "host", "a");
  const board = memberOf(swarmName, "board", "north-2");
  const impostors: Record<string, MemberSecrets> = {
    "an identity of another root": strange,
    "the host's identity without its key": { ...strange, identity, signed },
    "a board's identity": board,
    // Key-compromise impersonation: what was stolen from the board itself makes nobody a host to it.
    "the host's identity with the stolen key of the board": { ...board, identity, signed },
  };
  for (const [what, member] of Object.entries(impostors)) {
    const answered = await impersonate("north-2", member);
    expect(answered.ups, what).toBe(0);
    expect(answered.messages2, what).toBeGreaterThan(0);
  }
  swarm.broker.meddle = () => undefined;
  await swarm.restart("north-2");
  await swarm.agree(42, undefined, 30_000);
  expect(swarm.status.violations).toEqual([]);
});

test("off-curve points: neither side computes with one", async () => {
  const offCurve = offCurveX();
  const { handshakesFailed } = swarm.status.counters.sessions;
  let [toHost, toBoard] = [0, 0];
  swarm.broker.meddle = (seen) => {
    if (seen.board !== "north-2" || seen.channel !== "edhoc") return undefined;
    const body = new Uint8Array(seen.payload.subarray(1));
    if (seen.payload[0] === FrameKind.message1 && toHost < 1) {
      toHost++;
      const forged = encodeMessage1({ ...decodeMessage1(body), ephemeralX: offCurve });
      return [{ topic: seen.topic, payload: encodeFrame(FrameKind.message1, forged) }];
    }
    if (seen.payload[0] === FrameKind.message2 && toBoard < 1) {
      toBoard++;
      // A byte string with a head of two bytes: G_Y is what follows.
      return [
        {
          topic: seen.topic,
          payload: concat(seen.payload.subarray(0, 3), offCurve, seen.payload.subarray(35)),
        },
      ];
    }
    return undefined;
  };
  await swarm.restart("north-2");
  await swarm.until("both tried", () => toHost === 1 && toBoard === 1, 30_000);
  await swarm.until("the board says so", () =>
    swarm.said.some((line) => line.includes("north-2") && line.includes("not a point of the curve")),
  );
  await swarm.until(
    "refused",
    ({ counters }) => counters.sessions.handshakesFailed > handshakesFailed,
    30_000,
  );
  swarm.broker.meddle = () => undefined;
  await swarm.restart("north-2");
  await swarm.agree(43, undefined, 30_000);
});

test("s = 0: a signature of nothing admits nobody, and hangs nobody", async () => {
  const { signed } = memberOf(swarmName, "board", "north-2");
  const { strangers } = swarm.status.counters.sessions;
  for (const [r, s] of [
    [1, 0],
    [0, 0],
    [0, 1],
    [255, 255],
  ] as const) {
    const forged = signed.slice();
    forged.fill(r, -64, -32).fill(s, -32);
    const board = stranger("north-2", forged);
    expect((await board.connect()).returnCode).not.toBe(0);
    board.cut();
  }
  expect(swarm.status.counters.sessions.strangers).toBe(strangers + 4);
  await swarm.agree(44);
});

test("huge and malformed CBOR: wherever it comes, it costs a connection at most", async () => {
  const nasty = [
    Uint8Array.of(0x9b, 255, 255, 255, 255, 255, 255, 255, 255), // an array of 2^64 - 1 items
    Uint8Array.of(0x5a, 0x7f, 255, 255, 255), // a byte string of 2 GB
    new Uint8Array(4000).fill(0x81), // arrays within arrays
    new Uint8Array(4096).fill(0xbf), // maps without end
    Uint8Array.of(0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1),
    new Uint8Array(0),
  ];
  const memory = process.memoryUsage().heapUsed;
  const kinds = [undefined, FrameKind.message1, FrameKind.message3, FrameKind.refresh];
  const frames = nasty.flatMap((payload) =>
    kinds.map((kind) => (kind === undefined ? payload : encodeFrame(kind, payload))),
  );
  // To the host, with the identity of a board that was broken into, before and within a session.
  for (const frame of frames) {
    const board = stranger("north-2", memberOf(swarmName, "board", "north-2").signed);
    await board.connect();
    board.publishBytes(topic("up", "north-2", "edhoc"), frame);
    for (const channel of ["raft", "hello"]) board.publishBytes(topic("up", "north-2", channel), frame);
    board.cut();
  }
  for (const channel of ["raft", "report", "health", "hello"] as const) {
    for (const payload of nasty) {
      const board = await RawBoard.join({
        swarm: swarmName,
        name: "north-2",
        port: swarm.hosts.get("a")!.mqttPort,
      });
      board.publishSealed(channel, payload);
      board.publishBytes(board.topic(channel), payload);
      await sleep(10);
      board.cut();
    }
  }
  // To a board, from the broker.
  await swarm.restart("north-2");
  for (const payload of nasty) {
    for (const channel of ["raft", "time", "group", "edhoc"]) {
      await swarm.until("connected", () => swarm.broker.connectionOf("north-2") !== undefined, 30_000);
      swarm.broker.inject("down", "north-2", topic("down", "north-2", channel), payload);
      swarm.broker.inject("down", "north-2", `covey/${swarmName}/all/raft`, payload);
    }
  }
  await sleep(500);
  expect(swarm.boards.get("north-2")!.restarts).toBe(0);
  await swarm.restart("north-2");
  await swarm.agree(45, undefined, 60_000);
  expect(process.memoryUsage().heapUsed - memory).toBeLessThan(64 * 1024 * 1024);
}, 120_000);

test("half-open handshakes by the thousand: a board comes in all the same", async () => {
  const { signed } = memberOf(swarmName, "board", "north-2");
  const { mqttPort } = swarm.hosts.get("a")!;
  const sockets: Socket[] = [];
  const message1 = encodeFrame(
    FrameKind.message1,
    encodeMessage1({
      suites: [3],
      ephemeralX: nodeCiphers.generateKeyPair().publicKey.slice(0, 32),
      initiatorId: Uint8Array.of(0),
    }),
  );
  const { handshakes } = swarm.status.counters.sessions;
  for (let i = 0; i < 1000; i++) sockets.push(halfOpen(mqttPort, signed, message1));
  // Another computer than the flood's, as far as the host can tell.
  const { host } = { host: "127.0.0.2" };
  const joined = await RawBoard.join({
    swarm: swarmName,
    name: "north-2",
    port: mqttPort,
    localAddress: host,
    incarnation: "ffffffff",
  });
  expect(joined.initiator.isUp).toBe(true);
  joined.cut();
  swarm.broker.cut("north-1");
  await swarm.agree(46, undefined, 60_000);
  expect(swarm.status.counters.sessions.handshakes).toBeGreaterThan(handshakes);
  for (const socket of sockets) socket.destroy();
}, 120_000);

/** Answers a board in the host's place, at its handshake after a power cut. */
async function impersonate(
  board: string,
  member: MemberSecrets,
): Promise<{ ups: number; messages2: number }> {
  const answered = { ups: 0, messages2: 0 };
  const roster = new Roster(nodeCiphers, memberOf(swarmName, "board", board).root, swarmName, 8);
  const makeEnd = () =>
    new SessionResponder({ ciphers: nodeCiphers, own: member, roster, admits: () => true });
  const ends = new Map<number, SessionResponder>();
  swarm.broker.meddle = (seen) => {
    if (seen.board !== board || seen.channel !== "edhoc") return undefined;
    if (seen.direction === "down") return [];
    const end = ends.get(seen.connection) ?? makeEnd();
    ends.set(seen.connection, end);
    const { send, isUp } = end.take(new Uint8Array(seen.payload));
    if (isUp) answered.ups++;
    if (send?.[0] === FrameKind.message2) answered.messages2++;
    if (send !== undefined) swarm.broker.inject("down", board, topic("down", board, "edhoc"), send);
    return [];
  };
  await swarm.restart(board);
  await swarm.until("it was answered", () => answered.messages2 > 0);
  await sleep(300);
  return answered;
}

function topic(direction: "up" | "down", board: string, channel: string): string {
  return `covey/${swarmName}/${direction}/${board}/${channel}`;
}

function offCurveX(): Uint8Array {
  const { privateKey } = nodeCiphers.generateKeyPair();
  const x = new Uint8Array(32);
  do nodeCiphers.random(x);
  while (nodeCiphers.sharedSecret(privateKey, x) !== undefined);
  return x;
}

function stranger(name: string, signed: Uint8Array): RawBoard {
  const member = { ...memberOf(swarmName, "board", name), signed };
  return new RawBoard({ swarm: swarmName, name, port: swarm.hosts.get("a")!.mqttPort, member });
}

function halfOpen(port: number, signed: Uint8Array, message1: Uint8Array): Socket {
  const socket = createConnection({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  const [username, password] = ["north-2", Buffer.from(signed)];
  const connect = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId: "north-2",
    keepalive: 30,
  } as const;
  socket.write(generate({ ...connect, username, password }));
  const subscriptions = [{ topic: `covey/${swarmName}/down/north-2/#`, qos: 0 as const }];
  socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions }));
  const publish = {
    cmd: "publish",
    topic: topic("up", "north-2", "edhoc"),
    qos: 0,
    retain: false,
    dup: false,
  } as const;
  socket.write(generate({ ...publish, payload: Buffer.from(message1) }));
  return socket;
}
