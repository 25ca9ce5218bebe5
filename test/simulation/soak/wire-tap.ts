/** Stands between the board and its network, and reads what the transport has taken: what a board said, heard or not. */
import { type Packet, parser } from "mqtt-packet";
import type { Network, TcpConnection, TcpEvents } from "../../../firmware/platform/ports.ts";

export class WireTap implements Network {
  readonly #network: Network;
  readonly #onPublish: (channel: string, payload: Uint8Array) => void;
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
    const connection = this.#network.connect(host, port, {
      onOpen: () => events.onOpen(),
      onData: (bytes) => events.onData(bytes),
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

  #onPacket(packet: Packet): void {
    if (packet.cmd !== "publish") return;
    const channel = packet.topic.slice(packet.topic.lastIndexOf("/") + 1);
    this.#onPublish(channel, Uint8Array.from(packet.payload as Buffer));
  }
}
