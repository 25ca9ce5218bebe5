/** noble, an emulated controller on a serial device, and boards in XS whose radios it reaches. */
import { beforeAll, describe, expect, type TestContext, test } from "vitest";
import { BleLink, seenBoards } from "../../../../host-tools/provisioner/improv/ble-link.ts";
import {
  boardInfo,
  giveIdentity,
  identify,
  seenNetworks,
  sendWifi,
} from "../../../../host-tools/provisioner/improv/improv-link.ts";
import { XsEngine } from "../../../../host-tools/simulator/engines/xs-engine.ts";
import { withSum } from "../../../../protocols/improv/ble.ts";
import { Command, ErrorState, encodeCommand, encodeWifi, State } from "../../../../protocols/improv/rpc.ts";
import { contactFromBytes } from "../../../../protocols/provisioning/contact.ts";
import { storedKeys } from "../../../../protocols/provisioning/stored.ts";
import { HciPort } from "../../../emulators/hci/hci-port.ts";
import { EmulatedRadio } from "../../../emulators/hci/radio.ts";
import { home, ImprovBoard, type Surroundings } from "./simulated-boards.ts";

/** Most of it is the half minute for which a board waits before it switches its radio on, so they wait together. */
const timeout = 120_000;

let engine: XsEngine;

beforeAll(async () => {
  engine = await XsEngine.make(() => {});
}, 180_000);

/** A board that has been without Wi-Fi for half a minute. */
async function inReach({ onTestFinished }: TestContext, near: Surroundings = {}) {
  const radio = new EmulatedRadio();
  const board = new ImprovBoard({ bluetooth: radio, ...near });
  board.powerOn(engine);
  onTestFinished(() => board.powerOff());
  const hci = await HciPort.open(radio);
  onTestFinished(() => hci.remove());
  await until(() => radio.advertised !== undefined);
  const connect = async (onState?: (state: number) => void) => {
    const link = await BleLink.open({
      board: undefined,
      controller: hci.port,
      scanMs: 1_000,
      ...(onState && { onState }),
    });
    onTestFinished(() => link.close());
    return link;
  };
  return { board, radio, hci, connect };
}

describe.concurrent("a board in XS in the air", () => {
  test("is found, tells what it is and sees, and is given a Wi-Fi by noble", { timeout }, async (context) => {
    const lit: boolean[] = [];
    const { board, radio, hci, connect } = await inReach(context, {
      light: { switch: (isOn) => lit.push(isOn) },
    });
    const seen = await seenBoards({ controller: hci.port, scanMs: 1_000 });
    const address = "c0:01:02:03:04:05";
    expect(seen).toEqual([{ name: "esp32c3-devkit", address, rssi: -48, state: State.authorized }]);
    const states: number[] = [];
    const link = await connect((state) => states.push(state));
    expect(await boardInfo(link)).toMatchObject({ firmware: "Covey", hardware: "esp32c3-devkit", board: "" });
    expect(await seenNetworks(link)).toEqual([
      { ssid: "MyWirelessAP", rssi: -48, security: "WPA2" },
      { ssid: "Café", rssi: -81, security: "NO" },
    ]);
    await identify(link);
    await until(() => lit.length >= 6);
    expect(lit.slice(0, 6)).toEqual([true, false, true, false, true, false]);
    await sendWifi(link, home);
    expect(states).toEqual([State.authorized, State.provisioning, State.provisioned]);
    expect(contactFromBytes(board.values.get(storedKeys.contact)!)?.wifi).toEqual(home);
    expect(hci.controller.violations).toEqual([]);
    // In its Wi-Fi, the board switches its radio off.
    await until(() => !radio.isServing);
    expect(board.lines.join("\n")).not.toContain(home.password);
  });

  test("says that a password is wrong, and takes the right one over the same connection", {
    timeout,
  }, async (context) => {
    const { board, connect } = await inReach(context);
    const link = await connect();
    await expect(sendWifi(link, { ...home, password: "notthepassword" })).rejects.toMatchObject({
      code: "wrong-wifi",
    });
    expect(board.values.size).toBe(0);
    await until(() => link.state === State.authorized);
    await sendWifi(link, home);
    expect(board.values.has(storedKeys.contact)).toBe(true);
  });

  test("with a button takes nothing until it is pressed, nor an identity ever", {
    timeout,
  }, async (context) => {
    let isPressed = true;
    const { board, connect } = await inReach(context, { button: { isPressed: () => isPressed } });
    const link = await connect();
    // Held since before: that is nobody who wants to say something.
    expect(link.state).toBe(State.authorizationRequired);
    await expect(sendWifi(link, home)).rejects.toMatchObject({
      code: "not-authorized",
      message: expect.stringContaining("press its button"),
    });
    const settings = {
      member: undefined as never,
      contactKey: new Uint8Array(16),
      contact: undefined as never,
    };
    await expect(giveIdentity(link, settings)).rejects.toMatchObject({ code: "not-known" });
    isPressed = false;
    const authorized = link.authorized();
    setTimeout(() => {
      isPressed = true;
    }, 500);
    await authorized;
    await sendWifi(link, home);
    expect(board.values.has(storedKeys.contact)).toBe(true);
  });

  test("bears commands in pieces, torn ones and none at all", { timeout }, async (context) => {
    const { radio } = await inReach(context);
    const answers: number[][] = [];
    const send = radio.connect({ send: (pdu) => answers.push([...pdu]), lost: () => {} })!;
    // Two attributes of the name's service before that of ours: each value has three with it, and the command two.
    const handles = { state: 6, error: 9, command: 12, result: 14 };
    for (const handle of [handles.state, handles.error, handles.result])
      send(Uint8Array.of(0x12, handle + 1, 0, 1, 0));
    const write = (bytes: Uint8Array) => send(Uint8Array.of(0x12, handles.command, 0, ...bytes));
    const notified = async (handle: number) => {
      await until(() => answers.some(([code, at]) => code === 0x1b && at === handle));
      const found = answers.find(([code, at]) => code === 0x1b && at === handle)!.slice(3);
      answers.length = 0;
      return found;
    };
    const command = withSum(encodeCommand(Command.deviceInfo, new Uint8Array(0)));
    for (const byte of command) write(Uint8Array.of(byte));
    expect((await notified(handles.result)).slice(0, 1)).toEqual([Command.deviceInfo]);
    write(Uint8Array.of(command[0]!, command[1]!, command[2]! ^ 1));
    expect(await notified(handles.error)).toEqual([ErrorState.invalid]);
    // Half a command, and its sender goes: the next one's is whole.
    const wifi = withSum(encodeCommand(Command.sendWifi, encodeWifi(home)));
    write(wifi.subarray(0, 20));
    radio.cut();
    const again: number[][] = [];
    const sendAgain = radio.connect({ send: (pdu) => again.push([...pdu]), lost: () => {} })!;
    sendAgain(Uint8Array.of(0x12, handles.result + 1, 0, 1, 0));
    for (const byte of command) sendAgain(Uint8Array.of(0x52, handles.command, 0, byte));
    await until(() => again.some(([code]) => code === 0x1b));
  });

  test("that goes out of reach in the midst of it is told of at once", { timeout }, async (context) => {
    const { radio, connect } = await inReach(context);
    const link = await connect((state) => {
      if (state === State.provisioning) radio.cut();
    });
    await expect(sendWifi(link, home)).rejects.toMatchObject({ code: "gone" });
  });

  test("is not found where there is none, and a controller that is not there is told of", {
    timeout,
  }, async (context) => {
    const hci = await HciPort.open(new EmulatedRadio());
    context.onTestFinished(() => hci.remove());
    const options = { board: undefined, controller: hci.port, scanMs: 300 };
    await expect(BleLink.open(options)).rejects.toMatchObject({ code: "no-board" });
    const nowhere = { port: "/dev/there-is-none", baud: 115_200 };
    await expect(BleLink.open({ ...options, controller: nowhere })).rejects.toMatchObject({
      code: "no-bluetooth",
    });
  });
});

/** `expect.poll` knows only one test at a time. */
async function until(accept: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !accept(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  if (!accept()) throw new Error("It did not happen within a minute.");
}
