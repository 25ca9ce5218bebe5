import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { beforeEach, describe, expect, test } from "vitest";
import type { MqttError } from "../../../protocols/mqtt/error.ts";
import { type MqttEvents, MqttSession } from "../../../protocols/mqtt/session.ts";

class Owner implements MqttEvents {
  readonly sent: number[] = [];
  readonly messages: [string, Uint8Array][] = [];
  ready = 0;
  failure: MqttError | undefined;
  room = true;

  send(bytes: Uint8Array): boolean {
    if (this.room) this.sent.push(bytes[0]! >> 4);
    return this.room;
  }
  onReady(): void {
    this.ready++;
  }
  onMessage(topic: string, payload: Uint8Array): void {
    this.messages.push([topic, payload.slice()]);
  }
  onFailure(error: MqttError): void {
    expect(this.failure).toBeUndefined();
    this.failure = error;
  }
}

const options = {
  clientId: "north-1",
  keepaliveSeconds: 10,
  will: { topic: "covey/s/up/north-1/gone", payload: new Uint8Array(0) },
  userName: "north-1",
  password: Uint8Array.of(1, 2, 3),
  filters: ["covey/s/down/north-1/#", "covey/s/all/raft"],
  packetBytesMax: 500,
  answerTimeoutMs: 3000,
};
const connack: Packet = { cmd: "connack", returnCode: 0, sessionPresent: false };
const suback: Packet = { cmd: "suback", messageId: 1, granted: [0, 0] };

let owner: Owner;
let session: MqttSession;
const server = (packet: Packet, nowMs: number) => session.receive(Uint8Array.from(generate(packet)), nowMs);

beforeEach(() => {
  owner = new Owner();
  session = new MqttSession(options, owner);
});

function join(): void {
  session.open(1000);
  server(connack, 1010);
  server(suback, 1020);
}

test("connects, subscribes, and is ready with the SUBACK", () => {
  session.open(1000);
  expect(owner.sent).toEqual([1]);
  server(connack, 1010);
  expect(owner.sent).toEqual([1, 8]);
  expect(session.publish("t", new Uint8Array(1), 1011)).toBe(false);
  server(suback, 1020);
  expect(owner.ready).toBe(1);
  expect(session.publish("t", new Uint8Array(1), 1021)).toBe(true);
  expect(owner.sent).toEqual([1, 8, 3]);
});

test("takes a PUBLISH between CONNACK and SUBACK", () => {
  session.open(1000);
  server(connack, 1010);
  server({ cmd: "publish", topic: "t", payload: "x", qos: 0, dup: false, retain: true }, 1015);
  expect(owner.messages).toEqual([["t", Uint8Array.of(120)]]);
  expect(owner.failure).toBeUndefined();
});

test("says nothing is due before it is opened and after it has failed", () => {
  expect(session.dueMs).toBe(Infinity);
  session.receive(Uint8Array.of(0xff, 0xff), 5);
  expect(owner.failure).toBeUndefined();
});

describe("time", () => {
  test("gives up a server that does not answer", () => {
    session.open(1000);
    server(connack, 2000);
    session.tick(3999);
    expect(owner.failure).toBeUndefined();
    expect(session.dueMs).toBe(4000);
    session.tick(4000);
    expect(owner.failure?.fault).toBe("timeout");
    expect(session.dueMs).toBe(Infinity);
  });

  test("[MQTT-3.1.2-23] pings when it has not sent anything for half the keepalive", () => {
    join();
    expect(session.dueMs).toBe(6010);
    server({ cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false }, 6009);
    session.tick(6010);
    expect(owner.sent.at(-1)).toBe(12);
    server({ cmd: "pingresp" }, 6020);
    expect(session.dueMs).toBe(11_010);
  });

  test("pings a silent server though it has much to say itself", () => {
    join();
    for (let nowMs = 1100; nowMs < 6020; nowMs += 100) session.publish("t", new Uint8Array(1), nowMs);
    session.tick(6020);
    expect(owner.sent.at(-1)).toBe(12);
    session.tick(9020);
    expect(owner.failure?.fault).toBe("timeout");
  });
});

describe("fails once, with the reason", () => {
  test.each<[string, Packet, string]>([
    ["when refused", { cmd: "connack", returnCode: 5, sessionPresent: false }, "refused"],
    [
      "[MQTT-3.2.0-1] when the first packet is no CONNACK",
      { cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false },
      "unexpected",
    ],
    ["on a SUBACK unasked", suback, "unexpected"],
    ["on a packet that only clients send", { cmd: "pingreq" }, "unexpected"],
  ])("%s", (_, packet, fault) => {
    session.open(0);
    server(packet, 1);
    expect(owner.failure?.fault).toBe(fault);
    server(connack, 2);
    expect(owner.sent).toEqual([1]);
  });

  test("when one of the subscriptions is refused", () => {
    session.open(0);
    server(connack, 1);
    server({ cmd: "suback", messageId: 1, granted: [0, 0x80] }, 2);
    expect(owner.failure).toMatchObject({
      fault: "refused",
      message: expect.stringContaining("covey/s/all/raft"),
    });
  });

  test("when the transport has no room for a ping", () => {
    join();
    owner.room = false;
    expect(session.publish("t", new Uint8Array(1), 1100)).toBe(false);
    expect(owner.failure).toBeUndefined();
    session.tick(session.dueMs);
    expect(owner.failure?.fault).toBe("congested");
  });

  test("on garbage, of whatever kind, and never throws", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 }), (pieces) => {
        owner = new Owner();
        session = new MqttSession(options, owner);
        join();
        for (const piece of pieces) session.receive(piece, 2000);
        if (owner.failure) expect(owner.failure.garbage).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test("drops what follows in the same bytes once its owner closes it", () => {
  class Closer extends Owner {
    override onMessage(topic: string, payload: Uint8Array): void {
      super.onMessage(topic, payload);
      session.close();
    }
  }
  owner = new Closer();
  session = new MqttSession(options, owner);
  join();
  const publish = generate({ cmd: "publish", topic: "t", payload: "x", qos: 0, dup: false, retain: false });
  session.receive(Uint8Array.from([...publish, ...publish]), 2000);
  expect(owner.messages).toHaveLength(1);
  expect(owner.sent.at(-1)).toBe(14);
});
