import * as dgram from "node:dgram";
import * as fs from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Answer, Arrival, arrivalBytesMax, Call } from "../../../firmware/platform/desktop/calls.ts";
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import { FlashFile, nor } from "../../../host-tools/simulator/chip/flash-file.ts";
import { CallAnswers } from "../../../host-tools/simulator/engines/call-answers.ts";
import { SimulatedWorld } from "../../../host-tools/simulator/world/simulated-world.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { reservedPort } from "../../reserved-port.ts";

const config = {
  swarm: "garden",
  board: "gate",
  model: "esp32c3-devkit",
  hosts: [{ name: "main", address: "127.0.0.1", port: 1 }],
  credentials: { root: new Uint8Array(64), signed: new Uint8Array(9), privateKey: new Uint8Array(32) },
};
let folder: string;
let world: SimulatedWorld;
let answers: CallAnswers;
let arrived: CborValue[][];
let told: string[];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-calls-"));
  arrived = [];
  told = [];
  world = new SimulatedWorld({
    config,
    flash: FlashFile.open(join(folder, "gate.flash"), { sizeBytes: 8192, ...nor }).flash,
    sensors: new Map([["humidity", { read: () => 61.5 }]]),
    onLog: (level, text) => told.push(`${level}: ${text}`),
    onOutput: ({ output, value }) => told.push(`${output} = ${value}`),
    onRestart: (reason) => told.push(`restart: ${reason}`),
    onDeepSleep: (durationMs) => told.push(`sleep: ${durationMs}`),
  });
  answers = new CallAnswers(world, (message) => arrived.push(decodeCbor(message) as CborValue[]));
});

afterEach(() => {
  world.powerOff();
  fs.rmSync(folder, { recursive: true });
});

const call = (...items: CborValue[]) => decodeCbor(answers.answer(encodeCbor(items)));
const result = (value: CborValue) => [Answer.result, value];

async function until(accept: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !accept(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(accept()).toBe(true);
}

describe("the calls of a board in XS", () => {
  it("tell it who it is and what flash it has", () => {
    expect(call(Call.config)).toEqual(
      result([
        ...["garden", "gate", "esp32c3-devkit", [["main", "127.0.0.1", 1]], null, null, 8192, 4096, 16],
        [Buffer.alloc(64), Buffer.alloc(9), Buffer.alloc(32)],
        [false, 0, false, 0],
      ]),
    );
  });

  it("give random bytes, as many as asked for, never the same", () => {
    const [, first] = call(Call.random, 16) as [number, Uint8Array];
    const [, second] = call(Call.random, 16) as [number, Uint8Array];
    expect(first).toHaveLength(16);
    expect(Buffer.compare(first, second)).not.toBe(0);
    expect(call(Call.random, 1e9)).toEqual([Answer.refusal, expect.any(String)]);
  });

  it("read, write and erase its flash, and refuse what flash cannot do", () => {
    const bytes = new Uint8Array(16).fill(7);
    expect(call(Call.flashWrite, 16, bytes)).toEqual(result(null));
    expect(call(Call.flashRead, 16, 16)).toEqual(result(Buffer.from(bytes)));
    expect(call(Call.flashWrite, 8, bytes)).toEqual([
      Answer.refusal,
      expect.stringContaining("multiples of 16"),
    ]);
    expect(call(Call.flashErase, 0)).toEqual(result(null));
    expect(call(Call.flashRead, 16, 16)).toEqual(result(Buffer.alloc(16, 0xff)));
  });

  it("read its sensors, NaN for one that gives nothing", () => {
    expect(call(Call.sensorRead, "humidity")).toEqual(result(61.5));
    expect(call(Call.sensorRead, "temperature")).toEqual(result(Number.NaN));
  });

  it("drive its outputs, the safe value first, within their range", () => {
    expect(call(Call.outputConfigure, "fan", "pwm", 4, 0)).toEqual(result(null));
    call(Call.outputWrite, "fan", 55.5);
    call(Call.outputWrite, "fan", 55.5);
    expect(call(Call.outputWrite, "fan", 101)).toEqual([Answer.refusal, expect.stringContaining("0 to 100")]);
    expect(call(Call.outputWrite, "lamp", 1)).toEqual([Answer.refusal, expect.stringContaining("lamp")]);
    call(Call.outputRelease, "fan");
    expect(told).toEqual(["fan = 0", "fan = 55.5", "fan = 0"]);
  });

  it("carry its log and its wish to restart", () => {
    call(Call.log, "warn", "low battery");
    call(Call.restart, "lost its memory");
    call(Call.deepSleep, 60_000);
    expect(told).toEqual(["warn: low battery", "restart: lost its memory", "sleep: 60000"]);
  });

  it("open real connections: sent bytes come back, in pieces that a board can hold", async () => {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;

    expect(call(Call.networkStart)).toEqual(result(null));
    await until(() => arrived.length === 1);
    expect(arrived.splice(0)).toEqual([[Arrival.networkUp]]);

    call(Call.tcpOpen, 1, "127.0.0.1", port);
    await until(() => arrived.length === 1);
    expect(arrived.splice(0)).toEqual([[Arrival.tcpOpened, 1]]);

    const sent = Buffer.from(Uint8Array.from({ length: 4000 }, (_, i) => i));
    expect(call(Call.tcpWrite, 1, sent)).toEqual(result(true));
    const received = () => arrived.map((message) => message[2] as Uint8Array);
    await until(() => received().reduce((sum, each) => sum + each.length, 0) === sent.length);
    expect(Buffer.concat(received())).toEqual(sent);
    for (const each of received()) expect(each.length).toBeLessThanOrEqual(arrivalBytesMax);
    arrived.splice(0);

    server.close();
    call(Call.tcpClose, 1);
    expect(call(Call.tcpWrite, 1, sent)).toEqual(result(false));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(arrived).toEqual([]);
  });

  it("say when a connection cannot be made, and when the send buffer is full", async () => {
    const port = await reservedPort();
    const silent = net.createServer({ pauseOnConnect: true }).listen(port, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    call(Call.tcpOpen, 1, "127.0.0.1", port);
    await until(() => arrived.length === 1);
    const chunk = new Uint8Array(4096);
    let accepted = 0;
    while (accepted < 100_000 && (call(Call.tcpWrite, 1, chunk) as [number, boolean])[1]) accepted++;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(100_000);
    call(Call.tcpClose, 1);
    silent.close();

    arrived.splice(0);
    call(Call.tcpOpen, 2, "127.0.0.1", port);
    await until(() => arrived.length === 1);
    expect(arrived).toEqual([[Arrival.tcpClosed, 2, "ECONNREFUSED"]]);
  });

  it("send and receive real datagrams, and none once the socket is closed", async () => {
    const server = dgram.createSocket("udp4");
    server.on("message", (bytes, { port, address }) => server.send(bytes.toReversed(), port, address));
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const { port } = server.address();
    expect(call(Call.udpOpen, 1, 0, null)).toEqual(result(null));
    call(Call.udpSend, 1, "127.0.0.1", port, Buffer.from([1, 2, 3]));
    await until(() => arrived.length === 1);
    expect(arrived.splice(0)).toEqual([[Arrival.udpData, 1, Buffer.from([3, 2, 1]), "127.0.0.1", port]]);
    call(Call.udpSend, 1, "127.0.0.1", port, Buffer.from([4]));
    call(Call.udpClose, 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.close();
    expect(arrived).toEqual([]);
    for (let socket = 2; socket < 6; socket++) call(Call.udpOpen, socket, 0, null);
    expect(call(Call.udpOpen, 6, 0, null)).toEqual([Answer.refusal, expect.stringContaining("UDP")]);
  });

  it("give the SHA-256 of bytes (FIPS 180-4)", () => {
    const [, hash] = call(Call.sha256, Buffer.from("abc")) as [number, Uint8Array];
    expect(Buffer.from(hash).toString("hex")).toMatch(/^ba7816bf8f01cfea.*20015ad$/);
  });

  it.each([
    ["an opcode that nobody knows", [99]],
    ["an argument of another kind", [Call.sensorRead, 7]],
    ["a missing argument", [Call.flashRead, 0]],
  ])("throw on %s", (_what, items) => {
    expect(() => call(...(items as CborValue[]))).toThrow(TypeError);
  });
});
