/** The ports of a board in XS against the parent's half of the contract, both in this process. */
import { beforeEach, describe, expect, test } from "vitest";
import { arrivalBytesMax } from "../../../firmware/platform/desktop/calls.ts";
import type { Host } from "../../../firmware/platform/desktop/host.ts";
import { DesktopPorts } from "../../../firmware/platform/desktop/ports.ts";
import type { TcpEvents, UdpEvents } from "../../../firmware/platform/ports.ts";
import type { BoardWorld } from "../../../firmware/platform/virtual/world.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { CallAnswers } from "../../../host-tools/simulator/engines/call-answers.ts";
import { FlashModel } from "../storage/flash-model.ts";

const config = {
  swarm: "greenhouse",
  board: "north-1",
  model: "esp32c3-devkit",
  hosts: [{ name: "main", address: "127.0.0.1", port: 7883 }],
  credentials: {
    root: new Uint8Array(64).fill(1),
    signed: new Uint8Array(300).fill(2),
    privateKey: new Uint8Array(32).fill(3),
  },
};

let told: string[];
let arrivals: Uint8Array[];
let remote: TcpEvents;
let room: boolean;
let ports: DesktopPorts;
let remoteUdp: UdpEvents;
let network: (up: boolean) => void;
let nowMs: number;

beforeEach(() => {
  told = [];
  arrivals = [];
  room = true;
  nowMs = 0.9;
  const tell =
    (what: string) =>
    (...facts: unknown[]) =>
      void told.push(`${what} ${JSON.stringify(facts)}`);
  const world: BoardWorld = {
    random: { fill: (into) => into.fill(7) },
    ciphers: nodeCiphers,
    flash: FlashModel.blank(4, 4096),
    keeping: FlashModel.blank(6, 4096),
    network: {
      start: (onChange) => {
        network = onChange;
      },
      connect: (host, port, events) => {
        told.push(`connect ${host}:${port}`);
        remote = events;
        return {
          write: (bytes) => {
            if (room) told.push(`write ${bytes.join(" ")}`);
            return room;
          },
          close: () => void told.push("close"),
        };
      },
      openUdp: (port, events) => {
        if (port === 1) throw new RangeError("port 1 is taken");
        remoteUdp = events;
        return {
          send: (host, to, bytes) => void told.push(`send ${host}:${to} ${bytes.join(" ")}`),
          close: () => void told.push("close udp"),
        };
      },
    },
    sensors: { read: (sensor) => (sensor === "temperature" ? 21.5 : NaN) },
    actuators: { configure: tell("configure"), write: tell("write"), release: tell("release") },
    system: {
      config,
      startReason: "sleep",
      log: tell("log"),
      restart: tell("restart"),
      deepSleep: tell("sleep"),
    },
  };
  const answers = new CallAnswers(world, (message) => arrivals.push(message));
  const host: Host = {
    call: (request) => Uint8Array.from(answers.answer(Uint8Array.from(request))).buffer,
    now: () => nowMs,
    heapUsed: () => 1,
    heapPeak: () => 2,
    arena: () => 3,
    stackPeak: () => 4,
    collect: () => {},
    turn: () => Infinity,
  };
  ports = new DesktopPorts(host);
});

function deliver(): void {
  for (const message of arrivals.splice(0)) ports.network.onArrival(Uint8Array.from(message).buffer);
}

test("config, time, memory and chance", () => {
  expect(ports.system.config).toEqual(config);
  expect(ports.system.startReason).toBe("sleep");
  expect(ports.clock.nowMs()).toBe(0);
  const memory = { heapUsedBytes: 1, heapPeakBytes: 2, arenaBytes: 3, stackPeakSlots: 4 };
  expect(ports.system.memory()).toEqual(memory);
  const bytes = new Uint8Array(3);
  ports.random.fill(bytes);
  expect(bytes).toEqual(Uint8Array.of(7, 7, 7));
});

describe("the parent's ciphers", () => {
  const text = Uint8Array.from(Buffer.from("abc"));
  const key = new Uint8Array(16).fill(9);
  const nonce = new Uint8Array(13).fill(8);

  test("hash, and are random", () => {
    const { ciphers } = ports;
    expect(Buffer.from(ciphers.sha256(text)).toString("hex").slice(0, 16)).toBe("ba7816bf8f01cfea");
    expect(ciphers.hmacSha256(key, text)).toEqual(nodeCiphers.hmacSha256(key, text));
    const bytes = new Uint8Array(16);
    ciphers.random(bytes);
    expect(bytes).not.toEqual(new Uint8Array(16));
  });

  test.each([8, 16] as const)("seal and open with a tag of %i bytes", (tagBytes) => {
    const { ciphers } = ports;
    const sealed = ciphers.ccmSeal(key, nonce, tagBytes, text, key);
    expect(sealed).toEqual(nodeCiphers.ccmSeal(key, nonce, tagBytes, text, key));
    expect(ciphers.ccmOpen(key, nonce, tagBytes, text, sealed)).toEqual(key);
    expect(ciphers.ccmOpen(key, nonce, tagBytes, key, sealed)).toBeUndefined();
  });

  test("do curves", () => {
    const { ciphers } = ports;
    const [a, b] = [ciphers.generateKeyPair(), ciphers.generateKeyPair()];
    const secret = ciphers.sharedSecret(a.privateKey, b.publicKey.subarray(0, 32));
    expect(secret).toEqual(ciphers.sharedSecret(b.privateKey, a.publicKey.subarray(0, 32)));
    expect(ciphers.sharedSecret(a.privateKey, new Uint8Array(32).fill(0xff))).toBeUndefined();
    const signature = ciphers.sign(a.privateKey, text);
    expect(ciphers.verify(a.publicKey, text, signature)).toBe(true);
    expect(ciphers.verify(b.publicKey, text, signature)).toBe(false);
  });

  test("compare", () => {
    const { ciphers } = ports;
    expect(ciphers.isEqual(text, text.slice())).toBe(true);
    expect(ciphers.isEqual(text, Uint8Array.of(97, 98, 98))).toBe(false);
    expect(ciphers.isEqual(text, text.subarray(0, 2))).toBe(false);
    expect(ciphers.isEqual(text.subarray(0, 2), text)).toBe(false);
  });
});

test("flash, and its refusals", () => {
  expect([ports.flash.sizeBytes, ports.flash.sectorBytes, ports.flash.alignBytes]).toEqual([16384, 4096, 16]);
  ports.flash.write(4096, new Uint8Array(32).fill(5));
  expect(ports.flash.read(4095, 3)).toEqual(Uint8Array.of(0xff, 5, 5));
  ports.flash.eraseSector(1);
  expect(ports.flash.read(4096, 1)).toEqual(Uint8Array.of(0xff));
  expect(() => ports.flash.write(1, new Uint8Array(16))).toThrow(RangeError);
  expect(() => ports.flash.read(16384, 1)).toThrow("read outside");
});

test("sensors, outputs, log and restart", () => {
  expect(ports.sensors.read("temperature")).toBe(21.5);
  expect(ports.sensors.read("none")).toBeNaN();
  ports.actuators.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 0 });
  ports.actuators.write("fan", 33.3);
  ports.actuators.release("fan");
  ports.system.log("warn", "hot");
  ports.system.restart("tired");
  ports.system.deepSleep!(600_000);
  expect(told).toEqual([
    'configure [{"name":"fan","kind":"pwm","pin":4,"safeValue":0}]',
    'write ["fan",33.3]',
    'release ["fan"]',
    'log ["warn","hot"]',
    'restart ["tired"]',
    "sleep [600000]",
  ]);
});

describe("the network", () => {
  const heard: string[] = [];
  const events: TcpEvents = {
    onOpen: () => heard.push("open"),
    onData: (bytes) => heard.push(`data ${bytes.join(" ")}`),
    onClose: (reason) => heard.push(`closed ${reason}`),
  };
  beforeEach(() => {
    heard.length = 0;
  });

  test("goes up and down", () => {
    const seen: boolean[] = [];
    ports.network.start((up) => seen.push(up));
    network(true);
    network(false);
    deliver();
    expect(seen).toEqual([true, false]);
  });

  test("carries a connection's whole life", () => {
    const connection = ports.network.connect("127.0.0.1", 7883, events);
    remote.onOpen();
    remote.onData(Uint8Array.of(1, 2));
    expect(connection.write(Uint8Array.of(3))).toBe(true);
    room = false;
    expect(connection.write(Uint8Array.of(4))).toBe(false);
    remote.onClose("reset");
    deliver();
    expect(heard).toEqual(["open", "data 1 2", "closed reset"]);
    expect(told).toEqual(["connect 127.0.0.1:7883", "write 3"]);
    expect(connection.write(Uint8Array.of(5))).toBe(false);
  });

  test("says nothing of a connection that the board has closed", () => {
    const connection = ports.network.connect("127.0.0.1", 7883, events);
    remote.onData(Uint8Array.of(1));
    connection.close();
    connection.close();
    deliver();
    expect(heard).toEqual([]);
    expect(told.filter((line) => line === "close")).toHaveLength(1);
  });

  test("carries datagrams both ways, and none once the socket is closed", () => {
    const socket = ports.network.openUdp(0, {
      onData: (bytes, address, port) => heard.push(`${address}:${port} ${bytes.join(" ")}`),
    });
    socket.send("time.example", 123, Uint8Array.of(1, 2));
    remoteUdp.onData(Uint8Array.of(3), "192.0.2.1", 123);
    remoteUdp.onData(new Uint8Array(arrivalBytesMax + 1), "192.0.2.1", 123);
    deliver();
    expect(heard).toEqual(["192.0.2.1:123 3"]);
    remoteUdp.onData(Uint8Array.of(4), "192.0.2.1", 123);
    socket.close();
    socket.close();
    socket.send("time.example", 123, Uint8Array.of(5));
    deliver();
    expect(heard).toHaveLength(1);
    expect(told).toEqual(["send time.example:123 1 2", "close udp"]);
    expect(() => ports.network.openUdp(1, { onData() {} })).toThrow("port 1 is taken");
  });
});

test("the flash for kept blocks is another than the log's", () => {
  const keeping = ports.keeping!;
  expect([keeping.sizeBytes, keeping.sectorBytes, keeping.alignBytes]).toEqual([24_576, 4096, 16]);
  keeping.write(4096, new Uint8Array(16).fill(7));
  expect(keeping.read(4100, 2)).toEqual(Uint8Array.of(7, 7));
  expect(ports.flash.read(4100, 2)).toEqual(Uint8Array.of(255, 255));
  keeping.eraseSector(1);
  expect(keeping.read(4100, 2)).toEqual(Uint8Array.of(255, 255));
  expect(() => keeping.read(24_570, 16)).toThrow(RangeError);
});
