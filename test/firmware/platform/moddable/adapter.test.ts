import { X509Certificate } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { TlsOptions } from "../../../../firmware/platform/ports.ts";
import { makeAuthority } from "../../../../host-tools/keys/authority.ts";
import { type Contact, contactToBytes } from "../../../../protocols/provisioning/contact.ts";
import { TestRoot } from "../../../members.ts";
import { type Adapter, loadAdapter } from "./adapter.ts";

let adapter: Adapter;
beforeEach(async () => {
  adapter = await loadAdapter();
});

describe("the clock", () => {
  test("goes on when the 32-bit tick counter of a chip wraps", () => {
    adapter.world.ticks = 0x7ffffff0;
    const clock = new adapter.ChipClock();
    adapter.world.ticks = 0x80000010 | 0;
    expect(clock.nowMs()).toBe(0x20);
  });

  test("never goes back when the wall clock of a desktop is set back", () => {
    adapter.world.ticks = 1_790_000_000_000;
    const clock = new adapter.ChipClock();
    adapter.world.ticks += 500;
    expect(clock.nowMs()).toBe(500);
    adapter.world.ticks -= 60_000;
    expect(clock.nowMs()).toBe(500);
    adapter.world.ticks += 250;
    expect(clock.nowMs()).toBe(750);
  });

  test("calls a timer back once, and can cancel it before, after and twice", () => {
    const clock = new adapter.ChipClock();
    const calls: string[] = [];
    const early = clock.setTimer(10, () => calls.push("early"));
    const never = clock.setTimer(20, () => calls.push("never"));
    never.cancel();
    never.cancel();
    adapter.world.pass(100);
    early.cancel();
    expect(calls).toEqual(["early"]);
  });

  test("takes fractions, negative delays and delays beyond the SDK's", () => {
    const clock = new adapter.ChipClock();
    for (const delayMs of [0.2, -5, Number.POSITIVE_INFINITY]) clock.setTimer(delayMs, () => undefined);
    expect([...adapter.world.timers.values()].map(({ dueTicks }) => dueTicks)).toEqual([1, 0, 0x7fffffff]);
  });
});

describe("the flash", () => {
  test("writes, reads and erases the partition", () => {
    const flash = new adapter.ChipFlash("log");
    flash.write(4096, new Uint8Array(16).fill(7));
    expect(flash.read(4094, 4)).toEqual(new Uint8Array([0xff, 0xff, 7, 7]));
    flash.eraseSector(1);
    expect(flash.read(4096, 1)).toEqual(new Uint8Array([0xff]));
    expect(flash.read(8192, 0)).toEqual(new Uint8Array(0));
    expect([flash.sizeBytes, flash.sectorBytes, flash.alignBytes]).toEqual([8192, 4096, 16]);
  });

  test("has a partition for kept blocks where the table has one", () => {
    expect(adapter.openSeries()?.sizeBytes).toBe(8192);
    adapter.world.partitions = ["log"];
    expect(adapter.openSeries()).toBeUndefined();
  });

  test.for([
    ["a write off its alignment", (flash) => flash.write(8, new Uint8Array(16))],
    ["a write of half a unit", (flash) => flash.write(0, new Uint8Array(8))],
    ["a write past the end", (flash) => flash.write(8192, new Uint8Array(16))],
    ["a read past the end", (flash) => flash.read(8190, 4)],
    ["a read before the start", (flash) => flash.read(-1, 4)],
    ["an erase past the end", (flash) => flash.eraseSector(2)],
  ] as [string, (flash: InstanceType<Adapter["ChipFlash"]>) => void][])("refuses %s", ([, act]) => {
    const flash = new adapter.ChipFlash("log");
    expect(() => act(flash)).toThrow(RangeError);
    expect(adapter.world.flash.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe("a connection", () => {
  const traffic = () => ({ receivedBytes: 0, sentBytes: 0 });

  function connect(host: string) {
    adapter.world.addresses.set("leader.local", "192.0.2.7");
    const heard: string[] = [];
    const bytes = traffic();
    const events = {
      onOpen: () => heard.push("open"),
      onData: (data: Uint8Array) => heard.push(`data ${data.length}`),
      onClose: (reason: string) => heard.push(`close: ${reason}`),
    };
    const connection = new adapter.SocketConnection(host, 7883, events, bytes);
    adapter.world.pass(0);
    return { connection, heard, bytes, events, socket: adapter.world.sockets[0]! };
  }

  test("finds the leader's address and opens when the socket takes bytes", () => {
    const { connection, heard, socket } = connect("leader.local");
    expect([socket.options.address, socket.options.port]).toEqual(["192.0.2.7", 7883]);
    expect(connection.write(new Uint8Array(1))).toBe(false);
    socket.makeRoom(1536);
    socket.makeRoom(1536);
    expect(heard).toEqual(["open"]);
  });

  test("sends a packet that is larger than the socket's room, whole and in order", () => {
    const { connection, socket } = connect("leader.local");
    socket.makeRoom(100);
    const packet = new Uint8Array(250).map((_, index) => index);
    expect(connection.write(packet)).toBe(true);
    packet.fill(0);
    expect(connection.write(new Uint8Array(1))).toBe(false);
    socket.makeRoom(100);
    socket.makeRoom(100);
    expect(socket.sent).toEqual(Array.from({ length: 250 }, (_, index) => index));
    expect(connection.write(new Uint8Array([9]))).toBe(true);
    expect(socket.sent.at(-1)).toBe(9);
  });

  test("hands a burst on in pieces, and stops when the receiver closes", () => {
    const { connection, heard, bytes, events, socket } = connect("leader.local");
    socket.makeRoom(100);
    socket.receive(1100);
    expect(heard).toEqual(["open", "data 512", "data 512", "data 76"]);
    expect(bytes.receivedBytes).toBe(1100);
    events.onData = () => {
      connection.close();
      return 0;
    };
    socket.receive(1100);
    expect([socket.isClosed, bytes.receivedBytes]).toEqual([true, 1612]);
  });

  test("tells once why it ended", () => {
    const { connection, heard, socket } = connect("leader.local");
    socket.options.onError();
    connection.close();
    expect(heard).toEqual(["close: the connection was refused"]);
  });

  test("tells that a host has no address", () => {
    const { heard } = connect("nowhere.local");
    expect(heard).toEqual(["close: can't find the address of nowhere.local"]);
  });

  test("says nothing after it was closed, even before it had an address", () => {
    const heard: string[] = [];
    const say = (what: string) => () => heard.push(what);
    const events = { onOpen: say("open"), onData: say("data"), onClose: say("close") };
    new adapter.SocketConnection("nowhere.local", 1, events, traffic()).close();
    adapter.world.pass(10);
    expect(heard).toEqual([]);
  });
});

describe("the Wi-Fi station", () => {
  function start() {
    const heard: boolean[] = [];
    const random = { fill: (into: Uint8Array) => into.fill(0) };
    const wifi = { ssid: "flock", password: "" };
    const it = new adapter.WifiStation(wifi, new adapter.ChipClock(), random);
    it.start((up) => heard.push(up));
    return { heard, it, station: adapter.world.stations[0]! };
  }

  test("is up when it has its addresses, and down when it loses them", () => {
    const { heard, station } = start();
    station.become(400);
    expect(heard).toEqual([]);
    station.become(500);
    station.become(200);
    expect(heard).toEqual([true, false]);
  });

  test("tries again after 1, 2, 4 ... and at most 60 seconds", () => {
    const { station } = start();
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const before = station.attempts;
      const from = adapter.world.ticks;
      station.become(200);
      while (station.attempts === before) adapter.world.pass(100);
      pauses.push((adapter.world.ticks - from) / 1000);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test("starts over from one second once it was up", () => {
    const { station } = start();
    for (const state of [200, 500, 200]) station.become(state);
    const before = station.attempts;
    adapter.world.pass(1_000);
    expect(station.attempts).toBe(before + 1);
  });

  test("gives up an attempt that gets no address in 20 seconds", () => {
    const { heard, station } = start();
    station.become(400);
    adapter.world.pass(21_000);
    expect([station.attempts, station.connection]).toEqual([2, 300]);
    station.become(500);
    expect(heard).toEqual([true]);
  });

  test("leaves for another network on a later turn, with short pauses again", () => {
    const { heard, it, station } = start();
    for (let round = 0; round < 4; round += 1) {
      station.become(200);
      adapter.world.pass(60_000);
    }
    station.become(500);
    const { attempts } = station;
    it.change({ ssid: "nest", password: "secret" });
    // What the one that it leaves still says is nothing to it.
    station.become(500);
    expect(heard).toEqual([true]);
    adapter.world.pass(1);
    expect(heard).toEqual([true, false]);
    expect(station.asked.at(-1)).toBe("nest");
    station.become(200);
    adapter.world.pass(1_000);
    expect(station.attempts).toBe(attempts + 2);
    station.become(500);
    expect(heard).toEqual([true, false, true]);
  });

  test("stays where it is when that is where it is to go", () => {
    const { heard, it, station } = start();
    station.become(500);
    it.change({ ssid: "flock", password: "" });
    adapter.world.pass(1_000);
    expect([heard, station.attempts]).toEqual([[true], 1]);
  });

  test("that was told of no network waits until it is told of one", () => {
    const random = { fill: (into: Uint8Array) => into.fill(0) };
    const it = new adapter.WifiStation(undefined, new adapter.ChipClock(), random);
    const count = adapter.world.stations.length;
    it.start(() => {});
    adapter.world.pass(60_000);
    expect(adapter.world.stations.length).toBe(count);
    it.change({ ssid: "nest", password: "" });
    adapter.world.pass(1);
    expect(adapter.world.stations.at(-1)!.asked).toEqual(["nest"]);
  });

  test("goes on when the SDK refuses to connect", () => {
    const { station } = start();
    station.refuses = true;
    station.become(200);
    adapter.world.pass(1_000);
    station.refuses = false;
    adapter.world.pass(2_000);
    expect([station.attempts, station.connection]).toEqual([3, 300]);
  });
});

describe("the outputs", () => {
  test("start and end at their safe values", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "lamp", kind: "digital", pin: 5, safeValue: 1 });
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 20 });
    outputs.write("lamp", 0);
    outputs.write("fan", 100);
    outputs.release("lamp");
    outputs.release("fan");
    outputs.release("fan");
    expect(adapter.world.pins).toEqual([
      "5 starts at 1",
      "4 is 205 of 1023",
      "5 is 0",
      "4 is 1023 of 1023",
      "5 is 1",
      "4 is 205 of 1023",
    ]);
  });

  test("stay at their safe values when they move to another pin", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "lamp", kind: "digital", pin: 5, safeValue: 0 });
    outputs.configure({ name: "lamp", kind: "digital", pin: 6, safeValue: 0 });
    expect(adapter.world.pins).toEqual(["5 starts at 0", "5 is 0", "6 starts at 0"]);
  });

  test("go on without a gap when their pin is configured again", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 20 });
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 10 });
    expect(adapter.world.pins).toEqual(["4 is 205 of 1023", "4 is 205 of 1023", "4 is 102 of 1023"]);
  });

  test.for([
    [0, "4 starts at 0"],
    [100, "4 starts at 1"],
  ] as const)("give their PWM channel back at a safe value of %i %%", ([safeValue, held]) => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue });
    outputs.release("fan");
    expect(adapter.world.pins.slice(-2)).toEqual(["4 is free", held]);
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 50 });
    expect(adapter.world.pins.slice(-2)).toEqual(["4 is free", "4 is 512 of 1023"]);
  });

  test("are made safe together before the board restarts", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "lamp", kind: "digital", pin: 5, safeValue: 0 });
    outputs.write("lamp", 1);
    outputs.makeSafe();
    expect(adapter.world.pins.at(-1)).toBe("5 is 0");
  });

  test("refuse a value out of range and a name that is not configured", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 0 });
    for (const value of [101, -1, Number.NaN]) expect(() => outputs.write("fan", value)).toThrow(RangeError);
    expect(() => outputs.write("lamp", 1)).toThrow("No pin is configured as lamp.");
  });
});

describe("what the board was built with and given", () => {
  const { root, signed, privateKey } = new TestRoot("greenhouse").issue("board", "north-1");
  const contact: Contact = {
    number: 0,
    wifi: { ssid: "flock", password: "secret" },
    hosts: [
      { name: "main", address: "leader.local", port: 7883 },
      { name: "spare", address: "192.0.2.8", port: 1883 },
    ],
    timeServer: "192.0.2.1",
  };
  const given = { root, identity: signed, key: privateKey, contact: contactToBytes(contact) };
  const valuesOf = (values: Readonly<Record<string, Uint8Array | undefined>>) => ({
    read: (key: string) => values[key],
  });

  beforeEach(() => {
    Object.assign(adapter.world.config, { model: "esp32c3-devkit", arenaBytes: 94_208 });
  });

  test("is its kind and memory from the image, all else from its small values", () => {
    expect(adapter.provisioned(valuesOf(given))).toEqual({
      board: {
        swarm: "greenhouse",
        board: "north-1",
        model: "esp32c3-devkit",
        hosts: contact.hosts,
        timeServer: "192.0.2.1",
        credentials: { root, signed, privateKey, authority: undefined },
      },
      wifi: contact.wifi,
      lacks: [],
      arenaBytes: 94_208,
    });
  });

  test("is the contact in use, where there are two", () => {
    const moved = { ...contact, number: 3, hosts: [] };
    const values = { ...given, "other-contact": contactToBytes(moved), "contact-use": Uint8Array.of(1, 1) };
    expect(adapter.provisioned(valuesOf(values)).board.hosts).toEqual([]);
  });

  test.for([
    [{ identity: undefined }, "The board has not got an identity; provision it with covey provision."],
    [
      { identity: new Uint8Array(7) },
      "The board can't use what it has for an identity: 7 bytes; provision it with covey provision.",
    ],
  ] as const)("has neither swarm nor name with %j, and says what it lacks", ([values, message]) => {
    const { board, lacks } = adapter.provisioned(valuesOf({ ...given, ...values }));
    expect([board.swarm, board.board]).toEqual(["", ""]);
    expect(lacks.map((each) => each.message)).toContain(message);
  });

  test("is refused without its kind, which is built in", () => {
    Object.assign(adapter.world.config, { model: undefined });
    const message = "The board does not know what kind of board it is; build it with model=...";
    expect(() => adapter.provisioned(valuesOf(given))).toThrow(message);
  });

  test.for([
    [
      "no root",
      { root: undefined },
      "The board has not got its swarm's root key; provision it with covey provision.",
    ],
    [
      "a root that is none",
      { root: new Uint8Array(65) },
      "The board can't use what it has for its swarm's root key: 65 bytes",
    ],
    ["no key", { key: undefined }, "The board has not got a private key"],
    [
      "a key that is none",
      { key: new Uint8Array(31) },
      "The board can't use what it has for a private key: 31 bytes",
    ],
    [
      "no contact",
      { contact: undefined },
      "The board has not got a contact; provision it with covey provision.",
    ],
    [
      "a contact that is none",
      { contact: new Uint8Array(3) },
      "The board can't use what it has for a contact: 3 bytes",
    ],
    [
      "a contact without Wi-Fi",
      { contact: contactToBytes({ ...contact, wifi: undefined }) },
      "The board was told of no Wi-Fi network; provision it with covey provision.",
    ],
  ] as const)("lacks what one sentence says with %s, and runs what is in its log", ([, values, message]) => {
    const { lacks, board } = adapter.provisioned(valuesOf({ ...given, ...values }));
    expect(lacks.map((lack) => lack.message)).toEqual([expect.stringContaining(message)]);
    expect(lacks[0]).toBeInstanceOf(adapter.ProvisioningError);
    expect(board.board).toBe("north-1");
  });
});

describe("small values", () => {
  test("are written only when they change", () => {
    const values = new adapter.ChipKeyValue("covey");
    expect(values.read("zone")).toBeUndefined();
    for (const value of [[1], [1], [1, 2], [1, 3]]) values.write("zone", new Uint8Array(value));
    expect(values.read("zone")).toEqual(new Uint8Array([1, 3]));
    expect(adapter.world.commits).toBe(3);
    values.delete("zone");
    expect(values.read("zone")).toBeUndefined();
  });

  test("are refused where NVS would fail with a number", () => {
    const values = new adapter.ChipKeyValue("covey");
    for (const key of ["", "sixteen-letters-"]) expect(() => values.read(key)).toThrow(RangeError);
    expect(() => values.write("zone", new Uint8Array(1025))).toThrow(RangeError);
  });
});

describe("the update slot", () => {
  test("is raw flash, of which the chip checks an image before it is selected", () => {
    const slot = new adapter.ChipUpdateSlot();
    expect([slot.region.sizeBytes, slot.region.sectorBytes, slot.region.alignBytes]).toEqual([
      8192, 4096, 16,
    ]);
    expect(() => slot.select()).toThrow("no image to start");
    slot.region.eraseSector(0);
    slot.region.write(0, new Uint8Array(16).fill(0xe9));
    slot.select();
    expect(adapter.world.updates).toEqual(["selected"]);
  });

  test("tells which firmware runs, and whether it is on trial", () => {
    const slot = new adapter.ChipUpdateSlot();
    expect([slot.isOnTrial, slot.running]).toEqual([false, new Uint8Array(32).fill(7)]);
  });
});

describe("a UDP socket", () => {
  function open() {
    const heard: string[] = [];
    const traffic = { receivedBytes: 0, sentBytes: 0 };
    const onData = (bytes: Uint8Array, address: string, port: number) =>
      heard.push(`${bytes.join(" ")} from ${address}:${port}`);
    const socket = new adapter.DatagramSocket(0, { onData }, traffic);
    adapter.world.addresses.set("pool.ntp.org", "192.0.2.9");
    return { socket, heard, traffic, datagrams: adapter.world.datagrams[0]! };
  }

  test("finds its host's address, and keeps the bytes until then", () => {
    const { socket, datagrams } = open();
    const bytes = new Uint8Array([1, 2]);
    socket.send("pool.ntp.org", 123, bytes);
    bytes.fill(0);
    adapter.world.pass(0);
    expect(datagrams.sent).toEqual(["1 2 to 192.0.2.9:123"]);
  });

  test("loses what the network does not take, what has no address, and what is too much", () => {
    const { socket, datagrams } = open();
    datagrams.refuses = true;
    socket.send("pool.ntp.org", 123, new Uint8Array(1));
    socket.send("nowhere", 123, new Uint8Array(1));
    adapter.world.pass(0);
    datagrams.refuses = false;
    for (let count = 0; count < 9; count += 1) socket.send("pool.ntp.org", 123, new Uint8Array(1));
    adapter.world.pass(0);
    expect(datagrams.sent.length).toBe(4);
  });

  test("sends to an address at once, as many as there are", () => {
    const { socket, datagrams } = open();
    for (let count = 0; count < 9; count += 1) socket.send("192.0.2.7", 7268, new Uint8Array(1));
    expect(datagrams.sent).toEqual(Array(9).fill("0 to 192.0.2.7:7268"));
  });

  test("joins a group where one is given, and is closed where it can't", () => {
    const { datagrams } = open();
    expect(datagrams.groups).toEqual([]);
    const traffic = { receivedBytes: 0, sentBytes: 0 };
    const join = (group: string) => new adapter.DatagramSocket(7268, { onData: () => {} }, traffic, group);
    join("239.255.83.80");
    expect(adapter.world.datagrams[1]!.groups).toEqual(["239.255.83.80"]);
    expect(() => join("192.0.2.1")).toThrow("invalid IP address");
    expect(adapter.world.datagrams.map(({ isClosed }) => isClosed)).toEqual([false, false, true]);
  });

  test("hands on what arrived together, and stops when it is closed", () => {
    const { socket, heard, datagrams, traffic } = open();
    datagrams.receive([1], [2, 3]);
    expect(heard).toEqual(["1 from 192.0.2.9:123", "2 3 from 192.0.2.9:123"]);
    expect(traffic.receivedBytes).toBe(3);
    socket.close();
    datagrams.receive([4]);
    expect(heard.length).toBe(2);
  });
});

describe("the time when an authority begins", () => {
  const nowMs = Date.UTC(2027, 1, 3, 4, 5, 6);
  const { certificate } = makeAuthority("greenhouse", nowMs);

  test("is the certificate's", () => {
    expect(adapter.certificateStartSeconds(certificate)).toBe(
      new X509Certificate(certificate).validFromDate.getTime() / 1000,
    );
  });

  test("is not found in what is no certificate", () => {
    for (let length = 0; length < certificate.length; length += 1) {
      const cut = certificate.subarray(0, length);
      try {
        expect(adapter.certificateStartSeconds(cut)).toBe(adapter.certificateStartSeconds(certificate));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
    expect(() => adapter.certificateStartSeconds(new Uint8Array(400))).toThrow("no certificate: byte 0");
  });
});

describe("TLS", () => {
  /** The SDK's session, as far as the adapter sees it: a handshake of one record of two bytes each way. */
  class Session {
    handshakeProcess = 0;
    alert: object | undefined;
    initiateHandshake(): void {}
    handshake(transport: {
      readable: number;
      read(into: Uint8Array): void;
      write(bytes: Uint8Array): void;
    }): boolean {
      if (this.handshakeProcess === 0) {
        transport.write(new Uint8Array([1, 1]));
        this.handshakeProcess = -1;
        return false;
      }
      if (transport.readable < 2) return false;
      const record = new Uint8Array(2);
      transport.read(record);
      transport.readable -= 2;
      if (record[0] === 7) throw new Error("untrusted");
      if (record[0] === 8) this.alert = { level: 2, description: 40 };
      return true;
    }
    read(transport: { readable: number; read(into: Uint8Array): void }): Uint8Array | undefined | null {
      if (transport.readable < 2) return undefined;
      const record = new Uint8Array(2);
      transport.read(record);
      transport.readable -= 2;
      if (record[0] === 7) throw new Error("bad record");
      return record[0] === 9 ? null : record;
    }
    write(transport: { write(bytes: Uint8Array): void }, bytes: Uint8Array): void {
      transport.write(bytes);
    }
  }

  function connect(tls: TlsOptions = {}) {
    const heard: string[] = [];
    const events = {
      onOpen: () => heard.push("open"),
      onData: (data: Uint8Array) => heard.push(`data ${data.join(" ")}`),
      onClose: (reason: string) => heard.push(reason),
    };
    const traffic = { receivedBytes: 0, sentBytes: 0 };
    adapter.world.addresses.set("leader.local", "192.0.2.7");
    const address = { host: "leader.local", port: 8883 };
    const connection = new adapter.SecureConnection(Session, address, tls, events, traffic);
    adapter.world.pass(0);
    const socket = adapter.world.sockets.at(-1)!;
    socket.makeRoom(100);
    return { connection, heard, socket };
  }

  const arrive = (socket: Adapter["world"]["sockets"][number], ...bytes: readonly number[]) =>
    socket.receiveBytes(bytes);

  test("opens after the handshake, also when it comes byte by byte", () => {
    const { connection, heard, socket } = connect();
    expect(socket.sent).toEqual([1, 1]);
    expect(connection.write(new Uint8Array([5]))).toBe(false);
    arrive(socket, 2);
    arrive(socket, 2);
    expect(heard).toEqual(["open"]);
    expect(connection.write(new Uint8Array([5]))).toBe(true);
    expect(socket.sent).toEqual([1, 1, 5]);
  });

  test("sets the clock to where the authority's certificate begins, before the handshake", () => {
    const nowMs = 1_900_000_000_000;
    const { socket } = connect({ authority: makeAuthority("greenhouse", nowMs).certificate });
    expect(adapter.world.clockSeconds).toBe(nowMs / 1000 - 24 * 3600 + 1);
    expect(socket.sent).toEqual([1, 1]);
  });

  test("an authority that is none ends the connection with that reason", () => {
    const { heard } = connect({ authority: new Uint8Array(9) });
    expect(heard).toEqual(["the TLS handshake failed: RangeError: The authority is no certificate: byte 0."]);
  });

  test("reads what comes with the handshake's end", () => {
    const { heard, socket } = connect();
    arrive(socket, 2, 2, 3, 3, 4);
    arrive(socket, 4);
    expect(heard).toEqual(["open", "data 3 3", "data 4 4"]);
  });

  test.for([
    ["a certificate that is not trusted", [7, 7], "the TLS handshake failed: Error: untrusted"],
    ["an alert", [8, 8], "the TLS handshake failed: Error: alert 40"],
  ] as const)("ends with a reason at %s", ([, bytes, reason]) => {
    const { connection, heard, socket } = connect();
    arrive(socket, ...bytes);
    expect(heard).toEqual([reason]);
    expect(socket.isClosed).toBe(true);
    expect(connection.write(new Uint8Array(1))).toBe(false);
  });

  test.for([
    ["a record that does not verify", [7, 7], "TLS: Error: bad record"],
    ["the other side's end", [9, 9], "the other side closed the connection"],
  ] as const)("ends once at %s", ([, bytes, reason]) => {
    const { heard, socket } = connect();
    arrive(socket, 2, 2, ...bytes, 3, 3);
    socket.options.onError();
    expect(heard).toEqual(["open", reason]);
  });
});

describe("the system", () => {
  test("makes the outputs safe and sleeps by the clock that goes on", () => {
    const done: string[] = [];
    const none = new Uint8Array(0);
    const credentials = { root: none, signed: none, privateKey: none };
    const hosts = [{ name: "h", address: "h", port: 1 }];
    const config = { swarm: "s", board: "b", model: "m", hosts, credentials };
    const system = new adapter.ChipSystem(config, 94_208, () => done.push("safe"));
    system.deepSleep(1_500);
    system.markValid();
    expect(done).toEqual(["safe"]);
    expect(adapter.world.idf).toEqual(["deep sleep 1500000", "valid"]);
    for (const durationMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => system.deepSleep(durationMs)).toThrow(RangeError);
    }
  });
});
