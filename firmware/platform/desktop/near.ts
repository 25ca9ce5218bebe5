/** What somebody near a simulated board has to do with: its serial line, its radio, its button and its light, each the parent's. */
import type { SeenNetwork } from "../../../protocols/improv/rpc.ts";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import type {
  Bluetooth,
  Button,
  GattEvents,
  GattServer,
  GattService,
  Light,
  Ports,
  SerialLine,
} from "../ports.ts";
import { Arrival, Call } from "./calls.ts";
import type { Parent, Wire } from "./parent.ts";

export class DesktopNear implements Pick<Ports, "serial" | "bluetooth" | "button" | "light"> {
  readonly serial?: DesktopSerial;
  readonly bluetooth?: DesktopBluetooth;
  readonly button?: Button;
  readonly light?: Light;
  readonly hasWifi: boolean;
  readonly #parent: Parent;
  #onSeen: ((networks: readonly SeenNetwork[]) => void) | undefined;

  constructor(parent: Parent) {
    const parts = parent.call([Call.nearParts]) as readonly boolean[];
    const [hasSerial, hasBluetooth, hasButton, hasLight, hasWifi] = parts;
    this.#parent = parent;
    if (hasSerial) this.serial = new DesktopSerial(parent);
    if (hasBluetooth) this.bluetooth = new DesktopBluetooth(parent);
    if (hasButton) this.button = { isPressed: () => parent.call([Call.buttonRead]) === true };
    if (hasLight) this.light = { switch: (isOn) => void parent.call([Call.lightSwitch, isOn]) };
    this.hasWifi = hasWifi === true;
  }

  changeWifi({ ssid, password }: WifiCredentials): void {
    this.#parent.call([Call.wifiChange, ssid, password]);
  }

  scanWifi(networksMax: number, onSeen: (networks: readonly SeenNetwork[]) => void): void {
    this.#onSeen = onSeen;
    this.#parent.call([Call.wifiScan, networksMax]);
  }

  /** False for an opcode that is none of these. */
  onArrival(opcode: number, first: Wire, second: Wire): boolean {
    switch (opcode) {
      case Arrival.serialData:
        this.serial?.onData(first as Uint8Array);
        return true;
      case Arrival.gattConnected:
        this.bluetooth?.events?.onConnected(first as boolean);
        return true;
      case Arrival.gattWritten:
        this.bluetooth?.events?.onWrite(first as number, second as Uint8Array);
        return true;
      case Arrival.wifiSeen:
        this.onSeen(first as readonly (readonly [string, number, string])[]);
        return true;
      default:
        return false;
    }
  }

  private onSeen(networks: readonly (readonly [string, number, string])[]): void {
    const onSeen = this.#onSeen;
    this.#onSeen = undefined;
    onSeen?.(networks.map(([ssid, rssi, security]) => ({ ssid, rssi, security })));
  }
}

class DesktopSerial implements SerialLine {
  readonly #parent: Parent;
  #onData: ((bytes: Uint8Array) => void) | undefined;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  listen(onData: (bytes: Uint8Array) => void): void {
    this.#onData = onData;
    this.#parent.call([Call.serialListen, true]);
  }

  write(bytes: Uint8Array): void {
    this.#parent.call([Call.serialWrite, bytes]);
  }

  close(): void {
    if (this.#onData === undefined) return;
    this.#onData = undefined;
    this.#parent.call([Call.serialListen, false]);
  }

  onData(bytes: Uint8Array): void {
    this.#onData?.(bytes);
  }
}

class DesktopBluetooth implements Bluetooth {
  readonly #parent: Parent;
  #events: GattEvents | undefined;

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  get events(): GattEvents | undefined {
    return this.#events;
  }

  serve({ uuid, characteristics }: GattService, events: GattEvents): GattServer {
    this.#parent.call([Call.gattServe, uuid, characteristics.map((each) => [each.uuid, each.kind])]);
    this.#events = events;
    return {
      set: (index, value) => void this.#parent.call([Call.gattSet, index, value]),
      advertise: (data, scanResponse) => void this.#parent.call([Call.gattAdvertise, data, scanResponse]),
      close: () => {
        if (this.#events === undefined) return;
        this.#events = undefined;
        this.#parent.call([Call.gattClose]);
      },
    };
  }
}
