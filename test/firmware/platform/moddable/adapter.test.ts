import { beforeEach, describe, expect, test } from "vitest";
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
    new adapter.WifiStation({ SSID: "flock" }, new adapter.ChipClock(), random).start((up) => heard.push(up));
    return { heard, station: adapter.world.stations[0]! };
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
      "5 is free",
      "4 is 205 of 1023",
      "4 is free",
    ]);
  });

  test("give an earlier pin back when they are configured again", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "lamp", kind: "digital", pin: 5, safeValue: 0 });
    outputs.configure({ name: "lamp", kind: "digital", pin: 6, safeValue: 0 });
    expect(adapter.world.pins).toEqual(["5 starts at 0", "5 is 0", "5 is free", "6 starts at 0"]);
  });

  test("refuse a value out of range and a name that is not configured", () => {
    const outputs = new adapter.ChipActuators();
    outputs.configure({ name: "fan", kind: "pwm", pin: 4, safeValue: 0 });
    for (const value of [101, -1, Number.NaN]) expect(() => outputs.write("fan", value)).toThrow(RangeError);
    expect(() => outputs.write("lamp", 1)).toThrow("No pin is configured as lamp.");
  });
});

describe("what the board was built with", () => {
  const complete = {
    swarm: "greenhouse",
    board: "north-1",
    model: "esp32c3-devkit",
    leaderHost: "leader.local",
    leaderPort: "7883",
    ssid: "flock",
    password: "",
    arenaBytes: 94_208,
  };

  test("is read from strings and numbers, as mcconfig passes both", () => {
    Object.assign(adapter.world.config, complete, { password: "secret", swarm: 7 });
    expect(adapter.provisioned()).toEqual({
      board: {
        swarm: "7",
        board: "north-1",
        model: "esp32c3-devkit",
        leaderHost: "leader.local",
        leaderPort: 7883,
      },
      wifi: { SSID: "flock", password: "secret" },
      arenaBytes: 94_208,
    });
  });

  test("has no password for an open network", () => {
    Object.assign(adapter.world.config, complete);
    expect(adapter.provisioned().wifi).toEqual({ SSID: "flock" });
  });

  test.for([
    ["board", "", "The board has no name; build it with board=... on mcconfig's command line."],
    ["leaderPort", "70000", "The board has no port of a leader, 1 to 65535; build it with leaderPort=..."],
    ["ssid", undefined, "The board has no Wi-Fi network; build it with ssid=..."],
  ] as const)("is refused in one sentence when %s is %j", ([key, value, message]) => {
    Object.assign(adapter.world.config, complete, { [key]: value });
    expect(() => adapter.provisioned()).toThrow(adapter.ProvisioningError);
    expect(() => adapter.provisioned()).toThrow(message);
  });
});
