/** A board whose hosts are not where they ought to be asks the network, and believes who proves to be one. */
import { describe, expect, test } from "vitest";
import { finderLimits } from "../../../firmware/board/host-finder.ts";
import { linkLimits } from "../../../firmware/board/link.ts";
import { coveyService, serviceLimits } from "../../../protocols/mdns/service.ts";
import { contactToBytes } from "../../../protocols/provisioning/contact.ts";
import { storedKeys } from "../../../protocols/provisioning/stored.ts";
import { hostRecords, writeAnswer } from "../../protocols/mdns/dns-writer.ts";
import { contactOf, House, HouseBoard } from "./house.ts";

const { firstMs, answersMs, pauseMostMs } = finderLimits;
const here = [192, 0, 2, 7];
const nowhere = [192, 0, 2, 66];

/** A board that was told these hosts, and whose questions are answered like this. */
function lost(
  hosts: readonly { name: string; address: string; port: number }[],
): HouseBoard & { asked: number } {
  const house = new House();
  house.values.set(storedKeys.contact, contactToBytes(contactOf(0, { hosts })));
  const it = new HouseBoard(house, undefined, 0, { hosts });
  return Object.assign(it, { asked: 0 });
}

function answering(it: HouseBoard & { asked: number }, ...records: ReturnType<typeof hostRecords>[]): void {
  it.timeServer.onMulticast = (question, answer) => {
    it.asked++;
    const id = (question[0]! << 8) | question[1]!;
    for (const each of records) answer(writeAnswer(id, coveyService, each));
  };
}

const gone = [{ name: "main", address: "192.0.2.50", port: 7883 }];

describe("a board", () => {
  test("that was told of no host asks at once", () => {
    const it = lost([]);
    answering(it, hostRecords("greenhouse", "main", here, 7883));
    it.run(8_000);
    expect(it.isInContact).toBe(true);
    expect(it.asked).toBe(1);
  });

  test("whose host has another address finds it, and keeps what it was told", () => {
    const it = lost(gone);
    answering(it, hostRecords("greenhouse", "main", here, 7999));
    it.run(firstMs + answersMs + linkLimits.connectMs + linkLimits.pauseMostMs);
    expect(it.isInContact).toBe(true);
    expect(it.leader.connected).toEqual([7999]);
    expect(it.house.writes).toBe(0);
  });

  test("asks nobody while it has a host", () => {
    const it = lost(contactOf(0).hosts);
    answering(it);
    it.run(600_000);
    expect(it.asked).toBe(0);
  });

  test("asks less and less often while nobody answers, and has no socket open meanwhile", () => {
    const it = lost(gone);
    answering(it);
    it.run(3_600_000);
    expect(it.asked).toBeGreaterThan(3_600_000 / (pauseMostMs + answersMs) - 1);
    expect(it.asked).toBeLessThan(40);
    expect(it.timeServer.openSockets).toBe(0);
  });

  test("takes nothing from another swarm, from a host that it does not know, or with another question's number", () => {
    const it = lost(gone);
    it.timeServer.onMulticast = (question, answer) => {
      const id = (question[0]! << 8) | question[1]!;
      answer(writeAnswer(id, coveyService, hostRecords("cellar", "main", here, 7883)));
      answer(writeAnswer(id, coveyService, hostRecords("greenhouse", "other", here, 7883)));
      answer(writeAnswer(id ^ 1, coveyService, hostRecords("greenhouse", "main", here, 7883)));
      answer(Uint8Array.of(1, 2, 3));
    };
    it.run(300_000);
    expect(it.leader.connects).toBe(0);
  });

  test("that is lied to loses a bounded time, and believes who proves to be its host", () => {
    const it = lost(gone);
    const lies = Array.from({ length: 20 }, (_, i) =>
      hostRecords("greenhouse", "main", [...nowhere.slice(0, 3), 100 + i], 7883),
    );
    answering(it, hostRecords("greenhouse", "main", here, 7999), ...lies);
    // What it was told, the lie that has room beside the truth, the truth; each a connection that comes to nothing, and a pause.
    const places = 1 + serviceLimits.placesPerHostMax;
    it.run(firstMs + answersMs + places * (linkLimits.connectMs + linkLimits.pauseMostMs));
    expect(it.isInContact).toBe(true);
  });

  test("that is lied to first, and only, goes on with what it was told", () => {
    const it = lost(contactOf(0).hosts);
    it.leader.deafPorts.add(7883);
    const lies = Array.from({ length: 20 }, (_, i) =>
      hostRecords("greenhouse", "main", [...nowhere.slice(0, 3), 100 + i], 7883),
    );
    answering(it, ...lies);
    it.run(120_000);
    it.leader.deafPorts.clear();
    const { connectMs, pauseMostMs: longestMs } = linkLimits;
    it.run((1 + serviceLimits.placesPerHostMax) * (connectMs + longestMs));
    expect(it.isInContact).toBe(true);
  });

  test("is not taken in by a host that cannot prove its name", () => {
    const it = lost(gone);
    answering(it, hostRecords("greenhouse", "main", here, 7002));
    // At this port another host is at home.
    it.run(120_000);
    expect(it.isInContact).toBe(false);
    expect(it.leader.connects).toBeGreaterThan(0);
    expect(it.logged("link-lost").join()).toContain("not main");
  });
});
