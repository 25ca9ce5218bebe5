/**
 * Stands between the board and its network, and reads what the transport has taken: what a board said, heard or not. What is sealed it knows from the board's
 * cipher hardware, which was asked to seal it.
 */
import { type Packet, parser } from "mqtt-packet";
import type { Ciphers, Network, TcpConnection, TcpEvents } from "../../../firmware/platform/ports.ts";
import { parseRecord } from "../../../protocols/security/record/record.ts";

export class WireTap implements Network {
  /** What came to the board last, as it came. */
  readonly seen: Uint8Array[] = [];
  readonly #network: Network;
  readonly #onPublish: (channel: string, payload: Uint8Array) => void;
  /** By what came of it; latest last. */
  readonly #sealed = new Map<string, Uint8Array>();
  #open = 0;
  #openMost = 0;
  #connects = 0;

  constructor(network: Network, onPublish: (channel: string, payload: Uint8Array) => void) {
    this.#network = network;
    this.#onPublish = onPublish;
  }

  /** The most connections that the board held at a time. */
  get openMost(): number {
    return this.#openMost;
  }

  get connects(): number {
    return this.#connects;
  }

  /** The board's, watched. */
  tapped(ciphers: Ciphers): Ciphers {
    return {
      ...ciphers,
      ccmSeal: (key, nonce, tagBytes, aad, plaintext) => {
        const sealed = ciphers.ccmSeal(key, nonce, tagBytes, aad, plaintext);
        this.#sealed.set(textOf(sealed), plaintext.slice());
        if (this.#sealed.size > sealedMax) this.#sealed.delete(this.#sealed.keys().next().value!);
        return sealed;
      },
    };
  }

  start(onChange: (up: boolean) => void): void {
    this.#network.start(onChange);
  }

  connect(host: string, port: number, events: TcpEvents): TcpConnection {
    this.#connects++;
    this.#openMost = Math.max(this.#openMost, ++this.#open);
    let isOpen = true;
    const ended = () => {
      if (isOpen) this.#open--;
      isOpen = false;
    };
    const arriving = parser({ protocolVersion: 4 });
    arriving.on("packet", (packet) => this.#onArrival(packet));
    // Garbage, which is for the board to deal with.
    arriving.on("error", () => {});
    const connection = this.#network.connect(host, port, {
      onOpen: () => events.onOpen(),
      onData: (bytes) => {
        arriving.parse(Buffer.from(bytes));
        events.onData(bytes);
      },
      onClose: (reason) => {
        ended();
        events.onClose(reason);
      },
    });
    const packets = parser({ protocolVersion: 4 });
    packets.on("packet", (packet) => this.#onPacket(packet));
    packets.on("error", (error) => {
      throw error;
    });
    return {
      write: (bytes) => {
        const isTaken = connection.write(bytes);
        if (isTaken) packets.parse(Buffer.from(bytes));
        return isTaken;
      },
      close: () => {
        ended();
        connection.close();
      },
    };
  }

  #onArrival(packet: Packet): void {
    if (packet.cmd !== "publish") return;
    if (this.seen.length >= seenMax) this.seen.shift();
    this.seen.push(Uint8Array.from(packet.payload as Buffer));
  }

  #onPacket(packet: Packet): void {
    if (packet.cmd !== "publish") return;
    const channel = packet.topic.slice(packet.topic.lastIndexOf("/") + 1);
    if (channel === "edhoc" || channel === "gone") return;
    const record = parseRecord(Uint8Array.from(packet.payload as Buffer));
    const payload = record && this.#sealed.get(textOf(record.sealed));
    if (payload === undefined) throw new Error(`On ${channel} goes what the board has not sealed.`);
    this.#onPublish(channel, payload);
  }
}

const seenMax = 32;

/** Records that were sealed before one of them is published: all that a turn says. */
const sealedMax = 64;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
