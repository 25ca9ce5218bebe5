/** The computer's end of Improv and a board in XS at the other end of a cable. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BoardSettings } from "../../../../host-tools/provisioner/board-settings.ts";
import {
  boardInfo,
  giveIdentity,
  seenNetworks,
  sendWifi,
} from "../../../../host-tools/provisioner/improv/improv-link.ts";
import { SerialLink } from "../../../../host-tools/provisioner/improv/serial-link.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { XsEngine } from "../../../../host-tools/simulator/engines/xs-engine.ts";
import { contactFromBytes, contactToBytes } from "../../../../protocols/provisioning/contact.ts";
import { contactInUse } from "../../../../protocols/provisioning/contact-use.ts";
import { storedKeys } from "../../../../protocols/provisioning/stored.ts";
import { type ByteFault, type ConsoleFaults, ConsoleLine } from "../../../emulators/serial/console-line.ts";
import { TestRoot } from "../../../members.ts";
import { home, ImprovBoard } from "./simulated-boards.ts";

let engine: XsEngine;
let close: (() => Promise<void>)[] = [];

beforeAll(async () => {
  engine = await XsEngine.make(() => {});
}, 180_000);

afterEach(async () => {
  for (const each of close.reverse()) await each();
  close = [];
});

async function attached(faults: ConsoleFaults = {}, settings?: BoardSettings) {
  const line = await ConsoleLine.open(faults);
  const member = settings?.member as MemberSecrets | undefined;
  const board = new ImprovBoard({ serial: line }, member);
  if (settings !== undefined) board.values.set(storedKeys.contact, contactToBytes(settings.contact));
  const log: string[] = [];
  const link = await SerialLink.open({
    port: line.url,
    baud: 115_200,
    onLog: (bytes) => log.push(Buffer.from(bytes).toString()),
  });
  board.powerOn(engine);
  close.push(
    () => line.shut(),
    () => board.powerOff(),
    () => link.close(),
  );
  await expect.poll(() => line.isListening, { timeout: 10_000 }).toBe(true);
  return { line, board, link, log };
}

function settingsFor(name: string, role: "board" | "host" = "board"): BoardSettings {
  return {
    member: new TestRoot("garden").issue(role, name),
    contactKey: new Uint8Array(16).fill(7),
    contact: {
      number: 0,
      wifi: home,
      hosts: [{ name: "main", address: "192.0.2.7", port: 7883 }],
      timeServer: undefined,
    },
  };
}

describe("a board in XS on a cable", () => {
  test("tells what it is and what it sees, and is given a Wi-Fi", async () => {
    const { board, link, log } = await attached();
    expect(await boardInfo(link)).toMatchObject({ firmware: "Covey", hardware: "esp32c3-devkit", board: "" });
    expect((await seenNetworks(link)).map(({ ssid }) => ssid)).toEqual(["MyWirelessAP", "Café"]);
    await sendWifi(link, home);
    const contact = contactFromBytes(board.values.get(storedKeys.contact)!);
    expect(contact?.wifi).toEqual(home);
    // Its log came over the same wire, whole, and without the password.
    await expect.poll(() => log.join("")).toContain("info: improv-wifi joined=yes\n");
    expect(log.join("")).toBe(board.lines.map((line) => `${line}\n`).join(""));
    expect(log.join("")).not.toContain(home.password);
  });

  test("says that a password is wrong, keeps nothing of it, and takes the right one", {
    timeout: 90_000,
  }, async () => {
    const { board, link } = await attached();
    await expect(sendWifi(link, { ...home, password: "notthepassword" })).rejects.toMatchObject({
      code: "wrong-wifi",
      message: expect.stringContaining('can\'t join "MyWirelessAP": check its name and password'),
    });
    expect(board.values.size).toBe(0);
    await sendWifi(link, home);
    expect(board.values.has(storedKeys.contact)).toBe(true);
  });

  test("is given an identity, keeps it and starts anew", async () => {
    const { board, link, line } = await attached();
    const settings = settingsFor("north-1");
    expect(await giveIdentity(link, settings)).toBe("north-1");
    await expect.poll(() => board.restarts, { timeout: 5000 }).toEqual(["given an identity"]);
    const { root, signed, privateKey } = settings.member;
    expect(board.values.get(storedKeys.root)).toEqual(root);
    expect(board.values.get(storedKeys.signed)).toEqual(signed);
    expect(board.values.get(storedKeys.privateKey)).toEqual(privateKey);
    expect(contactFromBytes(board.values.get(storedKeys.contact)!)).toEqual(settings.contact);
    // The board's own words hold nothing of it.
    expect(board.lines.join("\n")).not.toContain(home.password);
    expect(line.listens).toBe(1);
  });

  test("refuses an identity that is a host's, or not signed by its root, or with another's key", async () => {
    const { board, link } = await attached();
    const right = settingsFor("north-1");
    const other = settingsFor("north-1").member;
    for (const member of [
      settingsFor("north-1", "host").member,
      { ...right.member, root: other.root },
      { ...right.member, privateKey: other.privateKey },
    ]) {
      await expect(giveIdentity(link, { ...right, member })).rejects.toMatchObject({
        code: "wrong-identity",
      });
    }
    expect(board.values.size).toBe(0);
    expect(board.restarts).toEqual([]);
    expect(await giveIdentity(link, right)).toBe("north-1");
  });

  test("is reached over a line that loses, doubles and turns one byte in 150", {
    timeout: 90_000,
  }, async () => {
    const { board, link } = await attached({ toBoard: oneIn(150, 1), toHost: oneIn(150, 2) });
    const settings = settingsFor("north-1");
    expect(await giveIdentity(link, settings)).toBe("north-1");
    expect(board.values.get(storedKeys.signed)).toEqual(settings.member.signed);
  });

  test("of a swarm that lost its Wi-Fi is given another, and keeps its hosts", {
    timeout: 30_000,
  }, async () => {
    const settings = settingsFor("north-1");
    const moved = { ...settings.contact, wifi: { ssid: "Gone", password: "longforgotten" } };
    const { board, link } = await attached({}, { ...settings, contact: moved });
    expect(await boardInfo(link)).toMatchObject({ board: "north-1" });
    // It has an identity, and no cable gives it another.
    await expect(giveIdentity(link, settingsFor("north-2"))).rejects.toMatchObject({ code: "has-identity" });
    await sendWifi(link, home);
    expect(contactInUse({ read: (key) => board.values.get(key) })).toMatchObject({
      wifi: home,
      hosts: settings.contact.hosts,
    });
    expect(board.lines.join("\n")).toContain("improv-wifi joined=yes");
  });

  test("that hears nothing is told of, with what to do", { timeout: 30_000 }, async () => {
    const { link } = await attached({ toBoard: () => [] });
    await expect(boardInfo(link)).rejects.toMatchObject({
      code: "silent",
      message: expect.stringContaining("press its reset button"),
    });
  });

  test("that is unplugged is told of at once", async () => {
    const { link, line } = await attached();
    const asked = seenNetworks(link);
    await line.shut();
    close.splice(0, 1);
    await expect(asked).rejects.toMatchObject({ code: "gone" });
  });
});

/** The same bytes every time. */
function oneIn(every: number, seed: number): ByteFault {
  let state = seed;
  return (byte) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    if ((state >> 8) % every !== 0) return [byte];
    return [[], [byte, byte], [byte ^ (1 << (state & 7))]][(state >> 4) % 3]!;
  };
}
