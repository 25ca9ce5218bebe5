import UDP from "embedded:io/socket/udp";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK has a module of this name
import Net from "net";
import type { UdpEvents, UdpSocket } from "../ports.ts";
import type { Traffic } from "./traffic.ts";

/** Datagrams that wait for their host's address; more are dropped, as the network might. */
const waitingMax = 4;

/** A UDP socket over the SDK's, which takes addresses only and throws when the network has no room. */
export class DatagramSocket implements UdpSocket {
  readonly #events: UdpEvents;
  readonly #traffic: Traffic;
  #socket: UDP | undefined;
  #waiting = 0;

  /** @param group where the SDK's platform knows none (lin), only what is sent to the board itself is heard */
  constructor(port: number, events: UdpEvents, traffic: Traffic, group?: string) {
    this.#events = events;
    this.#traffic = traffic;
    const socket = new UDP({ port, onReadable: (count) => this.read(count) });
    this.#socket = socket;
    if (group === undefined) return;
    try {
      socket.add?.(group);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  send(host: string, port: number, bytes: Uint8Array): void {
    if (this.#socket === undefined) return;
    if (isAddress(host)) {
      this.write(host, port, bytes);
      return;
    }
    if (this.#waiting >= waitingMax) return;
    const copy = bytes.slice();
    this.#waiting += 1;
    Net.resolve(host, (_, address) => {
      this.#waiting -= 1;
      if (address !== undefined) this.write(address, port, copy);
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  private write(address: string, port: number, bytes: Uint8Array): void {
    try {
      this.#socket?.write(bytes, address, port);
      this.#traffic.sentBytes += bytes.length;
    } catch {
      // A datagram may be lost; this one is, because the network was down or had no room.
    }
  }

  private read(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const packet = this.#socket?.read();
      if (packet === undefined) return;
      this.#traffic.receivedBytes += packet.byteLength;
      this.#events.onData(new Uint8Array(packet), packet.address, packet.port);
    }
  }
}

/** Of IPv4: names have a letter. */
function isAddress(host: string): boolean {
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code !== 0x2e && !(code >= 0x30 && code <= 0x39)) return false;
  }
  return true;
}
