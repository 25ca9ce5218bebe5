/** A board's radio in emulated air: what it advertises, and the one connection that it serves. */
import type { Bluetooth, GattEvents, GattServer, GattService } from "../../../firmware/platform/ports.ts";
import { AttServer } from "./att-server.ts";

/** To the other end of a connection. */
export interface Peer {
  send(pdu: Uint8Array): void;
  /** The radio went away. */
  lost(): void;
}

export class EmulatedRadio implements Bluetooth {
  /** Six bytes, most significant first, as people write an address. */
  readonly address: Uint8Array;
  /** Every attribute packet, either way. */
  readonly passed: Uint8Array[] = [];
  #mtuMax: number;
  #served:
    | { readonly service: GattService; readonly events: GattEvents; readonly values: Uint8Array[] }
    | undefined;
  #advertised: { readonly data: Uint8Array; readonly scanResponse: Uint8Array } | undefined;
  #connection: { readonly att: AttServer; readonly peer: Peer } | undefined;
  #isBroken = false;
  #serves = 0;

  constructor(address = Uint8Array.of(0xc0, 1, 2, 3, 4, 5), mtuMax = 247) {
    this.address = address;
    this.#mtuMax = mtuMax;
  }

  /** What a scan sees; undefined while it advertises nothing. One that is connected does not. */
  get advertised(): { readonly data: Uint8Array; readonly scanResponse: Uint8Array } | undefined {
    return this.#connection === undefined ? this.#advertised : undefined;
  }

  get isServing(): boolean {
    return this.#served !== undefined;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** How often it was switched on. */
  get serves(): number {
    return this.#serves;
  }

  /** It can't be had from now on. */
  break(): void {
    this.#isBroken = true;
  }

  /** The one who is connected goes out of reach. */
  cut(): void {
    const connection = this.#connection;
    this.disconnected();
    connection?.peer.lost();
  }

  // For the board.

  serve(service: GattService, events: GattEvents): GattServer {
    if (this.#isBroken) throw new RangeError("The radio can't be had.");
    if (this.#served !== undefined) throw new RangeError("One service at a time.");
    this.#serves++;
    const served = { service, events, values: [] as Uint8Array[] };
    this.#served = served;
    return {
      set: (index, value) => {
        served.values[index] = Uint8Array.from(value);
        this.#connection?.att.set(index, Uint8Array.from(value));
      },
      advertise: (data, scanResponse) => {
        if (data.length > 31 || scanResponse.length > 31)
          throw new RangeError("An advertisement has 31 bytes.");
        this.#advertised = { data: Uint8Array.from(data), scanResponse: Uint8Array.from(scanResponse) };
      },
      close: () => {
        this.cut();
        this.#served = undefined;
        this.#advertised = undefined;
      },
    };
  }

  // For the controller.

  /** Gives where the other end's packets go; undefined when there is nobody to connect to. */
  connect(peer: Peer): ((pdu: Uint8Array) => void) | undefined {
    const served = this.#served;
    if (served === undefined || this.#connection !== undefined) return undefined;
    const att = new AttServer(served.service, served.values, this.#mtuMax, {
      send: (pdu) => {
        this.passed.push(pdu);
        peer.send(pdu);
      },
      onWrite: (index, value) => served.events.onWrite(index, value),
    });
    this.#connection = { att, peer };
    served.events.onConnected(true);
    return (pdu) => {
      this.passed.push(pdu);
      att.receive(pdu);
    };
  }

  /** The other end is gone. */
  disconnected(): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#served?.events.onConnected(false);
  }
}
