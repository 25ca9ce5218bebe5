import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { SimulationError } from "../../../../host-tools/simulator/simulation-error.ts";
import { lanFromFile } from "../../../../host-tools/simulator/world/lan-file.ts";
import { SimulatedLan } from "../../../../host-tools/simulator/world/simulated-lan.ts";
import { SimulatedNetwork } from "../../../../host-tools/simulator/world/simulated-network.ts";
import { WifiAir } from "../../../../host-tools/simulator/world/wifi-air.ts";

const group = "239.255.83.80";
const port = 7268;
const off: (() => void)[] = [];
afterEach(() => {
  for (const end of off.splice(0)) end();
});

/** A board's socket in the group, and what it heard, `address text`. */
async function board(lan: SimulatedLan, name: string, air?: WifiAir) {
  const address = lan.addressOf(name);
  const network = new SimulatedNetwork(air, { lan, address });
  off.push(() => network.powerOff());
  const heard: string[] = [];
  if (air !== undefined) {
    const isUp = new Promise<void>((up) => network.start((now) => now && up()));
    network.changeWifi!({ ssid: name === "guest" ? "guests" : "house", password: "secret" });
    await isUp;
  }
  const socket = network.openUdp(
    port,
    { onData: (bytes, from, fromPort) => void heard.push(`${from}:${fromPort} ${Buffer.from(bytes)}`) },
    group,
  );
  await sleep(20);
  const say = async (to: string, text: string) => {
    socket.send(to, port, Buffer.from(text));
    await sleep(40);
  };
  return { address, heard, socket, network, say };
}

test("each board has an address of its own, which it keeps, and a group is everybody else", async () => {
  const lan = new SimulatedLan();
  const [a, b, c] = [await board(lan, "a"), await board(lan, "b"), await board(lan, "c")];
  expect(new Set([a.address, b.address, c.address]).size).toBe(3);
  expect(lan.addressOf("b")).toBe(b.address);
  await a.say(group, "all");
  await a.say(c.address, "one");
  await a.say("10.83.0.99", "nobody");
  expect(a.heard).toEqual([]);
  expect(b.heard).toEqual([`${a.address}:${port} all`]);
  expect(c.heard).toEqual([`${a.address}:${port} all`, `${a.address}:${port} one`]);
});

test("who is cut hears nobody and is heard by nobody, until it is no more", async () => {
  const lan = new SimulatedLan();
  const [a, b, c] = [await board(lan, "a"), await board(lan, "b"), await board(lan, "c")];
  lan.cut(["b"]);
  await a.say(group, "1");
  await b.say(a.address, "2");
  expect([a.heard, b.heard, c.heard]).toEqual([[], [], [`${a.address}:${port} 1`]]);
  lan.cut([]);
  await b.say(a.address, "3");
  expect(a.heard).toEqual([`${b.address}:${port} 3`]);
});

test("whoever is without power, or has closed its socket, hears nothing", async () => {
  const lan = new SimulatedLan();
  const [a, b, c] = [await board(lan, "a"), await board(lan, "b"), await board(lan, "c")];
  b.network.powerOff();
  c.socket.close();
  await a.say(group, "1");
  expect([b.heard, c.heard]).toEqual([[], []]);
  const again = await board(lan, "b");
  expect(again.address).toBe(b.address);
  await a.say(again.address, "2");
  expect(again.heard).toEqual([`${a.address}:${port} 2`]);
});

test("boards in different Wi-Fi networks do not hear each other", async () => {
  const lan = new SimulatedLan();
  const point = { password: "secret", rssi: -50, joinMs: 1 };
  const air = new WifiAir([
    { ...point, ssid: "house" },
    { ...point, ssid: "guests" },
  ]);
  const [a, b, guest] = [
    await board(lan, "a", air),
    await board(lan, "b", air),
    await board(lan, "guest", air),
  ];
  await a.say(group, "1");
  await a.say(guest.address, "2");
  expect(b.heard).toEqual([`${a.address}:${port} 1`]);
  expect(guest.heard).toEqual([]);
  air.replace([{ ...point, ssid: "guests" }]);
  await a.say(b.address, "3");
  expect(b.heard.length).toBe(1);
});

test("what somebody else on this computer sends comes from where it came from", async () => {
  const lan = new SimulatedLan();
  const a = await board(lan, "a");
  let real = 0;
  const open = lan.open.bind(lan);
  lan.open = (socket) => {
    real = socket.realPort;
    open(socket);
  };
  const b = await board(lan, "b");
  const stranger = createSocket("udp4");
  off.push(() => stranger.close());
  stranger.send("boo", real, "127.0.0.1");
  await sleep(60);
  expect(a.heard).toEqual([]);
  expect(b.heard[0]).toMatch(/^127\.0\.0\.1:\d+ boo$/);
});

test("a file says who is cut, and what is wrong with it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "covey-lan-"));
  off.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "lan.json");
  const load = (text: string) => {
    writeFileSync(file, text);
    return () => lanFromFile(file, ["a", "b"], () => {});
  };
  const lan = load('{ "cut": ["b"] }')();
  const [a, b] = [await board(lan, "a"), await board(lan, "b")];
  await a.say(b.address, "1");
  expect(b.heard).toEqual([]);
  writeFileSync(file, '{ "cut": [] }');
  await sleep(900);
  await a.say(b.address, "2");
  expect(b.heard).toEqual([`${a.address}:${port} 2`]);
  expect(load('{ "cut": ["c"] }')).toThrow(/no board of this swarm is called "c"/);
  expect(load("{}")).toThrow(SimulationError);
  expect(load("nonsense")).toThrow(/cannot be read as JSON/);
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
