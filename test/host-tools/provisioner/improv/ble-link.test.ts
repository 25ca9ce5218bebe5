/** noble, an emulated controller on a serial device, and a board in XS whose radio it reaches. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { BleLink, seenBoards } from "../../../../host-tools/provisioner/improv/ble-link.ts";
import {
  boardInfo,
  identify,
  seenNetworks,
  sendWifi,
} from "../../../../host-tools/provisioner/improv/improv-link.ts";
import { XsEngine } from "../../../../host-tools/simulator/engines/xs-engine.ts";
import { State } from "../../../../protocols/improv/rpc.ts";
import { contactFromBytes } from "../../../../protocols/provisioning/contact.ts";
import { storedKeys } from "../../../../protocols/provisioning/stored.ts";
import { HciPort } from "../../../emulators/hci/hci-port.ts";
import { EmulatedRadio } from "../../../emulators/hci/radio.ts";
import { home, NamelessBoard, type Surroundings } from "./simulated-boards.ts";

let engine: XsEngine;
let close: (() => Promise<void>)[] = [];

beforeAll(async () => {
  engine = await XsEngine.make(() => {});
}, 180_000);

afterEach(async () => {
  for (const each of close.reverse()) await each();
  close = [];
});

/** A board that is without Wi-Fi for half a minute, so that its radio is on. */
async function inReach(near: Surroundings = {}, radio = new EmulatedRadio()) {
  const board = new NamelessBoard({ bluetooth: radio, ...near });
  board.powerOn(engine);
  close.push(() => board.powerOff());
  const hci = await HciPort.open(radio);
  close.push(() => hci.remove());
  await expect.poll(() => radio.advertised, { timeout: 45_000 }).toBeDefined();
  const connect = async (onState?: (state: number) => void) => {
    const link = await BleLink.open({
      board: undefined,
      controller: hci.port,
      scanMs: 1_000,
      ...(onState && { onState }),
    });
    close.push(() => link.close());
    return link;
  };
  return { board, radio, hci, connect };
}

describe("a board in XS in the air", () => {
  test("is found, tells what it is and sees, and is given a Wi-Fi by noble", {
    timeout: 120_000,
  }, async () => {
    const { board, radio, hci, connect } = await inReach();
    const seen = await seenBoards({ controller: hci.port, scanMs: 1_000 });
    expect(seen).toEqual([
      { name: "esp32c3-devkit", address: "c0:01:02:03:04:05", rssi: -48, state: State.authorized },
    ]);
    const states: number[] = [];
    const link = await connect((state) => states.push(state));
    expect(await boardInfo(link)).toMatchObject({ firmware: "Covey", hardware: "esp32c3-devkit", board: "" });
    expect(await seenNetworks(link)).toEqual([
      { ssid: "MyWirelessAP", rssi: -48, security: "WPA2" },
      { ssid: "Café", rssi: -81, security: "NO" },
    ]);
    await expect(identify(link)).resolves.toBeUndefined();
    await sendWifi(link, home);
    expect(states).toEqual([State.authorized, State.provisioning, State.provisioned]);
    expect(contactFromBytes(board.values.get(storedKeys.contact)!)?.wifi).toEqual(home);
    expect(hci.controller.violations).toEqual([]);
    // In its Wi-Fi, the board switches its radio off.
    await expect.poll(() => radio.isServing, { timeout: 15_000 }).toBe(false);
    expect(board.lines.join("\n")).not.toContain(home.password);
  });
});
