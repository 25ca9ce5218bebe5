import {
  advertisement,
  Capability,
  Characteristic,
  CommandAssembler,
  characteristicUuids,
  improvService,
  withSum,
} from "../../protocols/improv/ble.ts";
import { ErrorState } from "../../protocols/improv/rpc.ts";
import { ImprovService, type ServiceBoard, type ServiceWire } from "../../protocols/improv/service.ts";
import { utf8Length, writeUtf8 } from "../../protocols/text/utf8.ts";
import type { Bluetooth, GattEvents, GattServer, GattService } from "../platform/ports.ts";

/** Improv as a GATT service. It is made when the board is without Wi-Fi, and nothing of it is there at any other time. */
export class BluetoothDoor implements ServiceWire {
  readonly isSerial = false;
  readonly service: ImprovService;
  readonly #server: GattServer;
  readonly #command = new CommandAssembler();
  readonly #capabilities: number;
  readonly #scanResponse: Uint8Array;

  /** Throws what `Bluetooth.serve` does. */
  constructor(bluetooth: Bluetooth, board: ServiceBoard, needsAuthorization: boolean, events: GattEvents) {
    this.#capabilities =
      Capability.deviceInfo |
      Capability.hostname |
      (board.canIdentify ? Capability.identify : 0) |
      (board.canScan ? Capability.scan : 0);
    this.#scanResponse = localName(board.info[3] || board.info[2]);
    this.service = new ImprovService(board, this, needsAuthorization);
    this.#server = bluetooth.serve(improvGatt, events);
    this.#server.set(Characteristic.capabilities, Uint8Array.of(this.#capabilities));
    this.#server.set(Characteristic.error, Uint8Array.of(ErrorState.none));
    this.state(this.service.state);
  }

  get dueMs(): number {
    return this.service.dueMs;
  }

  /** Half a command that its sender left behind is nothing to the next. */
  onConnected(): void {
    this.#command.clear();
  }

  onWrite(index: number, bytes: Uint8Array, nowMs: number): void {
    if (index !== Characteristic.command) return;
    const command = this.#command.push(bytes);
    if (command === "invalid") this.service.refuse();
    else if (command !== "more") this.service.takeCommand(command, nowMs);
  }

  run(nowMs: number): void {
    this.service.run(nowMs);
  }

  close(): void {
    this.#server.close();
  }

  // The service's words.

  state(state: number): void {
    this.#server.set(Characteristic.state, Uint8Array.of(state));
    this.#server.advertise(advertisement(state, this.#capabilities), this.#scanResponse);
  }

  error(error: number): void {
    this.#server.set(Characteristic.error, Uint8Array.of(error));
  }

  result(bytes: Uint8Array): void {
    this.#server.set(Characteristic.result, withSum(bytes));
  }
}

const improvGatt: GattService = Object.freeze({
  uuid: improvService,
  characteristics: Object.freeze([
    Object.freeze({ uuid: characteristicUuids[Characteristic.state]!, kind: "value" }),
    Object.freeze({ uuid: characteristicUuids[Characteristic.error]!, kind: "value" }),
    Object.freeze({ uuid: characteristicUuids[Characteristic.command]!, kind: "command" }),
    Object.freeze({ uuid: characteristicUuids[Characteristic.result]!, kind: "value" }),
    Object.freeze({ uuid: characteristicUuids[Characteristic.capabilities]!, kind: "value" }),
  ] as const),
});

const nameBytesMax = 29;

/** Complete local name (Core Specification Supplement, Part A, 1.2); none for a name that does not fit. */
function localName(name: string): Uint8Array {
  const length = utf8Length(name);
  if (length <= 0 || length > nameBytesMax) return new Uint8Array(0);
  const bytes = new Uint8Array(2 + length);
  bytes[0] = 1 + length;
  bytes[1] = 0x09;
  writeUtf8(name, bytes, 2);
  return bytes;
}
