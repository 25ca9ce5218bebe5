import type {
  GattPeripheral,
  GattPeripheralClass,
  PeripheralCharacteristic,
  PeripheralConnection,
} from "board-near";
import type { Bluetooth, GattEvents, GattServer, GattService } from "../ports.ts";

/** ATT packets of this size hold every command and result of Improv but the longest lists. */
const mtu = 247;
/** GATT's own numbers of what may be done with a characteristic (Core Specification, Vol. 3, Part G, 3.3.1.1). */
const property = Object.freeze({ read: 0x02, writeWithoutResponse: 0x04, write: 0x08, notify: 0x10 });

/**
 * The radio over NimBLE. The SDK (8.2.3) can't take its server down again: `close` frees what NimBLE's callbacks go on to use, and a second server is
 * refused ("only one"). So a server that was made once stays, silent while nobody uses it, until the board starts anew.
 */
export class ChipBluetooth implements Bluetooth {
  readonly #Peripheral: GattPeripheralClass;
  #server: ChipGattServer | undefined;

  constructor(Peripheral: GattPeripheralClass) {
    this.#Peripheral = Peripheral;
  }

  serve(service: GattService, events: GattEvents): GattServer {
    this.#server ??= new ChipGattServer(this.#Peripheral, service);
    this.#server.open(events);
    return this.#server;
  }
}

class ChipGattServer implements GattServer {
  readonly #values: Uint8Array[];
  /** By characteristic: the SDK's object for it, once somebody has subscribed. */
  readonly #subscribed: (object | undefined)[];
  readonly #peripheral: GattPeripheral;
  #events: GattEvents | undefined;
  #connection: PeripheralConnection | undefined;
  #isReady = false;
  #advertised: { readonly data: object; readonly scanResponse: object } | undefined;

  constructor(Peripheral: GattPeripheralClass, { uuid, characteristics }: GattService) {
    this.#values = characteristics.map(() => new Uint8Array(0));
    this.#subscribed = characteristics.map(() => undefined);
    const listed = characteristics.map((each, index) => this.characteristic(each.uuid, each.kind, index));
    this.#peripheral = new Peripheral({
      mtu,
      services: [{ uuid, characteristics: listed }],
      onReady: () => {
        this.#isReady = true;
        this.startAdvertising();
      },
      onConnect: (connection) => this.onConnected(connection),
      onDisconnect: () => this.onConnected(undefined),
    });
  }

  open(events: GattEvents): void {
    this.#events = events;
  }

  set(index: number, value: Uint8Array): void {
    this.#values[index] = value;
    const characteristic = this.#subscribed[index];
    if (characteristic === undefined) return;
    const most = this.#connection!.maximumWrite;
    this.#connection!.notify(characteristic, value.length <= most ? value : value.slice(0, most));
  }

  advertise(data: Uint8Array, scanResponse: Uint8Array): void {
    this.#advertised = { data: recordsOf(data), scanResponse: recordsOf(scanResponse) };
    this.startAdvertising();
  }

  close(): void {
    if (this.#events === undefined) return;
    this.#events = undefined;
    this.#advertised = undefined;
    if (this.#isReady) this.#peripheral.stopAdvertising();
    const connection = this.#connection;
    this.onConnected(undefined);
    connection?.close();
  }

  private startAdvertising(): void {
    const advertised = this.#advertised;
    if (this.#isReady && advertised !== undefined) {
      this.#peripheral.startAdvertising(advertised.data, advertised.scanResponse);
    }
  }

  private onConnected(connection: PeripheralConnection | undefined): void {
    this.#connection = connection;
    this.#subscribed.fill(undefined);
    this.#events?.onConnected(connection !== undefined);
  }

  /** The SDK calls each function with its own object for the characteristic as `this`. */
  private characteristic(uuid: string, kind: "value" | "command", index: number): PeripheralCharacteristic {
    const server = this;
    if (kind === "command") {
      return {
        uuid,
        properties: property.write | property.writeWithoutResponse,
        onWrite: (bytes) => this.#events?.onWrite(index, new Uint8Array(bytes)),
      };
    }
    return {
      uuid,
      properties: property.read | property.notify,
      onRead: () => this.#values[index]!,
      onSubscribe(this: object) {
        server.#subscribed[index] = this;
      },
      onUnsubscribe: () => {
        this.#subscribed[index] = undefined;
      },
    };
  }
}

/** An advertisement's structures by their types, as the SDK wants them: their order is that of the types. */
function recordsOf(data: Uint8Array): object {
  const records: Record<number, Uint8Array> = {};
  for (let at = 0; at + 1 < data.length; at += data[at]! + 1) {
    records[data[at + 1]!] = data.slice(at + 2, at + 1 + data[at]!);
  }
  return records;
}
