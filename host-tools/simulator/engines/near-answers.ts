/** Answers what a board in XS calls for those who are near it: its serial line, its radio, its button and its light. */
import { Arrival, arrivalBytesMax, Call } from "../../../firmware/platform/desktop/calls.ts";
import type { GattCharacteristic, GattServer } from "../../../firmware/platform/ports.ts";
import type { BoardWorld } from "../../../firmware/platform/virtual/world.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Arguments } from "./call-arguments.ts";

/** Bytes of a characteristic (Core Specification, Vol. 3, Part F, 3.2.9). */
const attributeBytesMax = 512;

export class NearAnswers {
  readonly #world: BoardWorld;
  readonly #tell: (message: CborValue) => void;
  #server: GattServer | undefined;

  constructor(world: BoardWorld, tell: (message: CborValue) => void) {
    this.#world = world;
    this.#tell = tell;
  }

  /** undefined for a call of another kind. */
  carryOut(opcode: number, call: Arguments): CborValue | undefined {
    const { serial, bluetooth, button, light, network } = this.#world;
    switch (opcode) {
      case Call.nearParts:
        return [serial, bluetooth, button, light, network.changeWifi].map((part) => part !== undefined);
      case Call.serialListen:
        if (call.boolean(1)) present(serial).listen((bytes) => this.#hear(bytes));
        else present(serial).close();
        return null;
      case Call.serialWrite:
        present(serial).write(call.bytes(1));
        return null;
      case Call.gattServe:
        this.#serve(call.text(1), call.list(2));
        return null;
      case Call.gattSet:
        present(this.#server).set(call.number(1), call.bytes(2));
        return null;
      case Call.gattAdvertise:
        present(this.#server).advertise(call.bytes(1), call.bytes(2));
        return null;
      case Call.gattClose:
        this.#server?.close();
        this.#server = undefined;
        return null;
      case Call.buttonRead:
        return present(button).isPressed();
      case Call.lightSwitch:
        present(light).switch(call.boolean(1));
        return null;
      case Call.wifiScan:
        if (network.scanWifi === undefined) throw new RangeError("This board can't look for networks.");
        network.scanWifi(call.number(1), (seen) => {
          this.#tell([Arrival.wifiSeen, seen.map(({ ssid, rssi, security }) => [ssid, rssi, security])]);
        });
        return null;
      default:
        return undefined;
    }
  }

  #hear(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += arrivalBytesMax) {
      this.#tell([Arrival.serialData, bytes.slice(at, at + arrivalBytesMax)]);
    }
  }

  #serve(uuid: string, listed: readonly CborValue[]): void {
    const characteristics = listed.map((item): GattCharacteristic => {
      if (!Array.isArray(item)) throw new TypeError("A characteristic is no list.");
      const each = new Arguments(item);
      return { uuid: each.text(0), kind: each.oneOf(1, ["value", "command"] as const) };
    });
    this.#server = present(this.#world.bluetooth).serve(
      { uuid, characteristics },
      {
        onConnected: (isConnected) => this.#tell([Arrival.gattConnected, isConnected]),
        onWrite: (index, bytes) => {
          if (bytes.length <= attributeBytesMax) this.#tell([Arrival.gattWritten, index, bytes]);
        },
      },
    );
  }
}

function present<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new RangeError("This board has no such part.");
  return part;
}
