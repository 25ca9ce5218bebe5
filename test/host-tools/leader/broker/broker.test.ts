import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { startBroker } from "../../../../host-tools/leader/broker/broker.ts";
import { type BoardLink, brokerLimits } from "../../../../host-tools/leader/broker/broker-types.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import { reportToWire } from "../../../../protocols/messages/codec.ts";
import { eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { RawBoard } from "../raw-board.ts";

/** A healthy board that must not notice what the others do. */
async function withWitness(): Promise<{ leader: LeaderUnderTest; isUndisturbed: () => Promise<void> }> {
  const leader = await leaderUnderTest();
  const witness = await leader.join("north-1");
  await eventually(() => leader.status().leader.voters.length === 2);
  const isUndisturbed = async () => {
    expect((await leader.put("fan.duty", 33)).status).toBe(200);
    await eventually(() => witness.state.get("fan.duty") === 33);
    expect(leader.status().boards[0]).toMatchObject({ link: "up", role: "voter" });
    expect(leader.status().violations).toEqual([]);
  };
  return { leader, isUndisturbed };
}

function stranger(leader: LeaderUnderTest, name = "north-2"): RawBoard {
  const board = new RawBoard({ swarm: "greenhouse", name, port: leader.mqttPort });
  onTestFinished(() => board.cut());
  return board;
}

const garbage: Record<string, (board: RawBoard) => void> = {
  "bytes that are no MQTT": (board) => board.writeBytes(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
  "a packet before CONNECT": (board) => board.write({ cmd: "pingreq" }),
  "a header that claims 200 MB": (board) => board.writeBytes(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x5f])),
  "a length of five bytes": (board) => board.writeBytes(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])),
};

for (const [what, send] of Object.entries(garbage)) {
  test(`${what}: counted, closed, nothing else disturbed`, async () => {
    const { leader, isUndisturbed } = await withWitness();
    const board = stranger(leader);
    send(board);
    await board.closed;
    expect(leader.status().counters.garbage).toBe(1);
    expect(leader.logged.join("")).toContain("connection-garbage");
    await isUndisturbed();
  });
}

const up = "covey/greenhouse/up/north-2";
const malformed: Record<string, (board: RawBoard) => void> = {
  "a payload that is no CBOR": (board) => board.publishSealed("report", Buffer.from([0xff, 0x00, 0x13])),
  "CBOR of a kind that Covey does not use": (board) =>
    board.publishSealed("report", Buffer.from([0xa1, 0x01, 0x02])),
  "CBOR of another shape": (board) => board.publish("report", [1, "soon", 3]),
  "a message of another version": (board) => board.publish("health", [9, 0]),
  "no Raft message": (board) => board.publish("raft", [1, 77, "a", "b", 1]),
  "CBOR that claims 16 million items": (board) =>
    board.publishSealed("raft", Buffer.from([0x9a, 0, 0xff, 0xff, 0xff])),
  "an empty payload": (board) => board.publishSealed("report", new Uint8Array(0)),
  "a packet after garbage in one write": (board) => {
    board.writeBytes(Buffer.concat([Buffer.from([0xf0, 0x03, 1, 2, 3]), Buffer.from([0xc0, 0x00])]));
  },
};

for (const [what, send] of Object.entries(malformed)) {
  test(`a board that sends ${what}: counted, closed, nothing else disturbed`, async () => {
    const { leader, isUndisturbed } = await withWitness();
    const board = await leader.join("north-2");
    await eventually(() => leader.status().boards[1]!.link === "up");
    send(board);
    await board.closed;
    await eventually(() => leader.status().boards[1]!.link === "down");
    expect(leader.status().counters).toMatchObject({ garbage: 1, refused: 0 });
    await isUndisturbed();
  });
}

test("a client id that is no board of the swarm is refused by CONNACK", async () => {
  const { leader, isUndisturbed } = await withWitness();
  const board = stranger(leader);
  expect(await board.connect("west-9")).toMatchObject({ returnCode: 2 });
  await board.closed;
  expect(leader.status().counters).toMatchObject({ garbage: 0, refused: 1 });
  await isUndisturbed();
});

const refused: Record<string, (board: RawBoard) => void> = {
  "publishes as another board": (board) => {
    const report = reportToWire({ sentMs: 0, sequence: 0, readings: [], blocks: [] });
    board.publishBytes("covey/greenhouse/up/north-1/report", encodeCbor(report));
  },
  "publishes to a board": (board) =>
    board.publishBytes("covey/greenhouse/down/north-1/raft", new Uint8Array(1)),
  "publishes on a channel that is none": (board) =>
    board.publishBytes(`${up}/constructor`, new Uint8Array(1)),
  "asks for QoS 1": (board) =>
    board.publishBytes(`${up}/report`, new Uint8Array(1), { qos: 1, messageId: 1 }),
  "retains a message": (board) => board.publishBytes(`${up}/report`, new Uint8Array(1), { retain: true }),
  "speaks before its session is up": (board) => board.report(0, []),
};

for (const [what, send] of Object.entries(refused)) {
  test(`a board that ${what} is closed and counted as refused`, async () => {
    const { leader, isUndisturbed } = await withWitness();
    const board = stranger(leader);
    await board.connect();
    send(board);
    await board.closed;
    expect(leader.status().counters).toMatchObject({ garbage: 0, refused: 1 });
    await isUndisturbed();
  });
}

test("a board that speaks before its hello is closed and counted as refused", async () => {
  const { leader, isUndisturbed } = await withWitness();
  const board = await RawBoard.secured({ swarm: "greenhouse", name: "north-2", port: leader.mqttPort });
  board.report(0, []);
  await board.closed;
  expect(leader.status().counters).toMatchObject({ garbage: 0, refused: 1 });
  await isUndisturbed();
});

test("a board that says hello as another is refused", async () => {
  const { leader, isUndisturbed } = await withWitness();
  const impostor = await RawBoard.secured({ swarm: "greenhouse", name: "north-2", port: leader.mqttPort });
  impostor.publish("hello", [1, "north-1.0000000a", "esp32c3-devkit", "0.1.0", 0, 0, 0, 1]);
  await impostor.closed;
  expect(leader.status().counters.refused).toBe(1);
  await isUndisturbed();
});

test("a board may not subscribe to what goes to another", async () => {
  const { leader } = await withWitness();
  const board = stranger(leader);
  await board.connect();
  for (const topic of [
    "covey/greenhouse/down/north-1/#",
    "#",
    "covey/greenhouse/down/+/raft",
    "covey/greenhouse/all/#",
    // Nor to more of its own than there is: a broker keeps each topic.
    "covey/greenhouse/down/north-2/raft/1/2/3",
  ]) {
    expect((await board.subscribe([topic])).granted).toEqual([128]);
  }
});

test("a second connection of a board replaces the first, and only the second's words count", async () => {
  const { leader, isUndisturbed } = await withWitness();
  const first = await leader.join("north-2");
  await eventually(() => leader.status().boards[1]!.link === "up");
  const second = await leader.join("north-2", { memory: first.memory });
  await first.closed;
  await eventually(() => second.received.length > 0);
  expect(leader.status().boards[1]).toMatchObject({ link: "up" });
  expect(leader.status().counters.disconnects).toBe(1);
  await isUndisturbed();
});

test("a connection without a CONNECT is closed in time, and not counted as garbage", async () => {
  const { leader } = await withWitness();
  const started = performance.now();
  await stranger(leader).closed;
  expect(performance.now() - started).toBeLessThan(brokerLimits.connectMs + 1_500);
  expect(leader.status().counters.garbage).toBe(0);
});

test("connections beyond the limit are turned away while the swarm goes on", async () => {
  const { leader, isUndisturbed } = await withWitness();
  const sockets = Array.from({ length: 3 + brokerLimits.spareConnections + 10 }, () =>
    connect({ host: "127.0.0.1", port: leader.mqttPort }).on("error", () => {}),
  );
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  await eventually(() => sockets.filter((socket) => socket.closed).length >= 10);
  await isUndisturbed();
});

test("a board that does not read loses its connection before much waits for it", async () => {
  const lost: string[] = [];
  let link: BoardLink | undefined;
  const broker = await startBroker({
    swarm: "greenhouse",
    host: "127.0.0.1",
    port: 0,
    log: createLog("warn", (line) => lost.push(line)),
    clients: {
      boardsMax: 1,
      admit: () => {},
      connected: () => {},
      receive: (from) => {
        link = from;
      },
      disconnected: () => {},
    },
  });
  onTestFinished(() => broker.stop());
  const board = new RawBoard({ swarm: "greenhouse", name: "north-1", port: broker.port });
  onTestFinished(() => board.cut());
  await board.connect();
  await board.subscribe();
  board.hello();
  await eventually(() => link !== undefined);
  board.hang();
  const payload = new Uint8Array(4_000);
  // The operating system takes some megabytes before it refuses.
  for (let sent = 0; sent < 10_000 && link!.send("raft", payload); sent++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(link!.send("raft", payload)).toBe(false);
  expect(lost.join("")).toContain(`more than ${brokerLimits.unsentBytesMax} bytes wait unread`);
  expect(broker.counters.refused).toBe(1);
});

test("what crosses the wire is counted to the byte", async () => {
  const leader = await leaderUnderTest();
  const board = await RawBoard.secured({
    ...{ swarm: "greenhouse", name: "north-2", port: leader.mqttPort },
    answers: false,
  });
  onTestFinished(() => board.cut());
  const before = { ...leader.status().counters };
  board.hello();
  const { topic, payload } = board.sent.at(-1)!;
  await eventually(() => leader.status().boards[1]!.link === "up");
  const { counters } = leader.status();
  expect(topic).toBe(`${up}/hello`);
  expect(counters.messagesIn - before.messagesIn).toBe(1);
  expect(counters.payloadBytesIn - before.payloadBytesIn).toBe(payload.length);
  expect(counters.bytesIn - before.bytesIn).toBe(2 + 2 + topic.length + payload.length);
});
