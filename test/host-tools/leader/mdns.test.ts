/** Hosts tell the network where they are, and a board that asks hears it: over real multicast on this computer's loopback interface. */
import { afterEach, describe, expect, test } from "vitest";
import { finderLimits } from "../../../firmware/board/host-finder.ts";
import { createLog } from "../../../host-tools/leader/log.ts";
import { announce, announcedOn, NoSuchInterface } from "../../../host-tools/leader/mdns.ts";
import { SimulatedNetwork } from "../../../host-tools/simulator/world/simulated-network.ts";
import {
  decodeMdnsAnswer,
  encodeMdnsQuestion,
  mdnsAddress,
  mdnsPort,
} from "../../../protocols/mdns/message.ts";
import { addPlace, coveyService, hostsInAnswer } from "../../../protocols/mdns/service.ts";
import type { HostAddress } from "../../../protocols/messages/host-address.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A swarm of its own for each test, whatever else runs on this computer. */
const swarm = `mdns-${process.pid}`;

async function told(host: string, port: number, of = swarm): Promise<() => Promise<void>> {
  const lines: string[] = [];
  const isTold = Promise.withResolvers<void>();
  const log = createLog("info", (line) => {
    lines.push(line);
    isTold.resolve();
  });
  const end = await announce({ swarm: of, host, port, interfaces: ["127.0.0.1"], log });
  ends.push(end);
  await isTold.promise;
  expect(lines.join()).toContain("to-be-found");
  return end;
}

/** As a board asks: once, from a port of its own. */
async function ask(waitMs = 700): Promise<{ hosts: HostAddress[]; longest: number }> {
  const network = new SimulatedNetwork();
  ends.push(() => network.powerOff());
  const hosts: HostAddress[] = [];
  let longest = 0;
  const socket = network.openUdp(0, {
    onData: (bytes) => {
      const answer = decodeMdnsAnswer(bytes);
      expect(answer.id).toBe(0x1234);
      longest = Math.max(longest, bytes.length);
      for (const place of hostsInAnswer(answer, swarm)) addPlace(hosts, place);
    },
  });
  socket.send(mdnsAddress, mdnsPort, encodeMdnsQuestion(0x1234, coveyService));
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  socket.close();
  return { hosts: hosts.sort((a, b) => a.port - b.port), longest };
}

describe("a host that is to be found", { timeout: 20_000 }, () => {
  test("is, beside others of its swarm and of another, in answers that a board has room for", async () => {
    await told("a", 7901);
    await told("b", 7902);
    await told("a", 7903, `${swarm}-other`);
    const { hosts, longest } = await ask();
    expect(hosts).toEqual([
      { name: "a", address: "127.0.0.1", port: 7901 },
      { name: "b", address: "127.0.0.1", port: 7902 },
    ]);
    expect(longest).toBeLessThanOrEqual(finderLimits.bytesMax);
  });

  test("with the longest names that a swarm may have is found as well", async () => {
    const name = "n".repeat(32);
    await told(name, 7904);
    const { hosts } = await ask();
    expect(hosts).toEqual([{ name, address: "127.0.0.1", port: 7904 }]);
  });

  test("is found no more once it has stopped", async () => {
    const end = await told("a", 7905);
    await end();
    expect((await ask()).hosts).toEqual([]);
  });
});

describe("where it is to be found", () => {
  test("is where it listens, and nowhere when that is this computer alone, unless asked", () => {
    expect(announcedOn(undefined, undefined)).toBeUndefined();
    expect(announcedOn("0.0.0.0", undefined)).toEqual([]);
    expect(announcedOn("192.0.2.7", undefined)).toEqual(["192.0.2.7"]);
    expect(announcedOn("0.0.0.0", ["none"])).toBeUndefined();
    expect(announcedOn(undefined, ["127.0.0.1"])).toEqual(["127.0.0.1"]);
  });

  test("is an interface of this computer", () => {
    expect(() => announcedOn(undefined, ["nowhere0"])).toThrow(NoSuchInterface);
    expect(() => announcedOn(undefined, ["203.0.113.200"])).toThrow(/--mdns-interface/);
  });
});
