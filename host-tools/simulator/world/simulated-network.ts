/**
 * The network of a simulated board: real TCP and UDP sockets of this computer, seen through the board's `Network` port.
 */
import * as dgram from "node:dgram";
import * as net from "node:net";
import { arrivalBytesMax } from "../../../firmware/platform/desktop/calls.ts";
import type {
  Network,
  TcpConnection,
  TcpEvents,
  UdpEvents,
  UdpSocket,
} from "../../../firmware/platform/ports.ts";
import type { LanSocket, SimulatedLan } from "./simulated-lan.ts";
import { lookAround, type WifiAir, WifiStation } from "./wifi-air.ts";

export const networkLimits = Object.freeze({
  /** Bytes that wait to be sent on one connection; lwIP on an ESP32 has room for 5,744, here the pipe to the socket counts too. */
  sendBufferBytesMax: 8192,
  /** A chip gives up on a silent peer much later; here both ends are on one computer. */
  connectTimeoutMs: 5000,
  connectionsMax: 8,
  udpSocketsMax: 4,
});

/** A board's place on the network that it shares with other boards. */
export interface LanPlace {
  readonly lan: SimulatedLan;
  readonly address: string;
}

export class SimulatedNetwork implements Network {
  /** Each with what it is connected to. */
  readonly #sockets = new Map<net.Socket, { readonly host: string; readonly port: number }>();
  readonly #udpSockets = new Set<dgram.Socket>();
  readonly #lanSockets = new Map<dgram.Socket, LanSocket>();
  /** Where the board has Wi-Fi; else it is on a cable and always online. */
  readonly #station: WifiStation | undefined;
  readonly #place: LanPlace | undefined;
  readonly changeWifi?: NonNullable<Network["changeWifi"]>;
  readonly scanWifi?: NonNullable<Network["scanWifi"]>;
  #powered = true;
  #deafen: () => void = () => {};

  /** @param place where there are other boards to speak to */
  constructor(air?: WifiAir, place?: LanPlace) {
    this.#place = place;
    if (air === undefined) return;
    const station = new WifiStation(air);
    this.#station = station;
    this.#deafen = air.onChange(() => this.#breakOff());
    this.changeWifi = (wifi) => {
      if (station.change(wifi)) this.#breakOff();
    };
    this.scanWifi = (networksMax, onSeen) => {
      lookAround(air, networksMax, (seen) => {
        if (this.#powered) onSeen(seen);
      });
    };
  }

  start(onChange: (up: boolean) => void): void {
    if (this.#station !== undefined) {
      this.#station.start(onChange);
      return;
    }
    setImmediate(() => {
      if (this.#powered) onChange(true);
    });
  }

  connect(host: string, port: number, events: TcpEvents): TcpConnection {
    if (this.#sockets.size >= networkLimits.connectionsMax) {
      setImmediate(() =>
        events.onClose(`this board has ${networkLimits.connectionsMax} connections already`),
      );
      return { write: () => false, close: () => {} };
    }
    if (!this.#leadsTo(host, port)) return unreachable(events);
    const socket = net.connect({ host, port, noDelay: true });
    this.#sockets.set(socket, { host, port });
    let over = false;
    const end = (reason: string | undefined): void => {
      if (over) return;
      over = true;
      this.#sockets.delete(socket);
      socket.destroy();
      if (reason !== undefined && this.#powered) events.onClose(reason);
    };
    socket.setTimeout(networkLimits.connectTimeoutMs, () => end("the connection timed out"));
    socket.on("connect", () => {
      socket.setTimeout(0);
      if (!over) events.onOpen();
    });
    socket.on("data", (bytes) => {
      for (let at = 0; at < bytes.length && !over; at += arrivalBytesMax) {
        events.onData(bytes.subarray(at, at + arrivalBytesMax));
      }
    });
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on("close", () => end("closed by the other end"));
    return {
      write(bytes) {
        if (over || socket.writableLength + bytes.length > networkLimits.sendBufferBytesMax) return false;
        // The board reuses its buffers, and a socket may keep what it is given until later.
        socket.write(Uint8Array.from(bytes));
        return true;
      },
      close: () => end(undefined),
    };
  }

  /**
   * IPv4 only. Nothing that goes wrong is told, as on a chip: a datagram may be lost. Whoever joins a group is on the boards' own network, at the board's own address
   * there.
   */
  openUdp(port: number, events: UdpEvents, group?: string): UdpSocket {
    if (this.#udpSockets.size >= networkLimits.udpSocketsMax)
      throw new RangeError(`This board has ${networkLimits.udpSocketsMax} UDP sockets already.`);
    const place = group === undefined ? undefined : this.#place;
    const socket = dgram.createSocket("udp4");
    this.#udpSockets.add(socket);
    const close = (): void => {
      this.#leaveLan(socket);
      if (this.#udpSockets.delete(socket)) socket.close();
    };
    socket.on("message", (bytes, { address, port: from }) => {
      if (!this.#powered || !this.#udpSockets.has(socket)) return;
      const sender = place?.lan.sender(from);
      if (sender === undefined) events.onData(bytes, address, from);
      else events.onData(bytes, sender.address, sender.port);
    });
    socket.on("error", close);
    const bound = { port: place === undefined ? port : 0, ...(place && { address: "127.0.0.1" }) };
    // Who asks everybody asks this computer: it is all that there is around a simulated board.
    socket.bind(bound, () => {
      socket.setMulticastInterface("127.0.0.1");
      socket.setMulticastTTL(255);
      if (place !== undefined && this.#udpSockets.has(socket)) this.#joinLan(socket, place, port, group);
    });
    return {
      send: (host, to, bytes) => {
        if (!this.#udpSockets.has(socket)) return;
        const own = Uint8Array.from(bytes);
        for (const real of this.#realPorts(socket, host, to))
          socket.send(own, real.port, real.host, () => {});
      },
      close,
    };
  }

  /** Power is gone: every connection breaks off, and nothing is reported any more. */
  powerOff(): void {
    this.#powered = false;
    this.#deafen();
    this.#station?.powerOff();
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#sockets.clear();
    for (const socket of this.#udpSockets) {
      this.#leaveLan(socket);
      socket.close();
    }
    this.#udpSockets.clear();
  }

  #joinLan(socket: dgram.Socket, { lan, address }: LanPlace, port: number, group: string | undefined): void {
    const joined = {
      ...{ address, port, group, realPort: socket.address().port },
      network: () => (this.#station === undefined ? "cable" : this.#station.network),
    };
    this.#lanSockets.set(socket, joined);
    lan.open(joined);
  }

  #leaveLan(socket: dgram.Socket): void {
    const joined = this.#lanSockets.get(socket);
    if (joined === undefined) return;
    this.#lanSockets.delete(socket);
    this.#place!.lan.close(joined);
  }

  #realPorts(socket: dgram.Socket, host: string, port: number): { host: string; port: number }[] {
    const joined = this.#lanSockets.get(socket);
    const lan = this.#place?.lan;
    if (joined === undefined || lan === undefined || !lan.leadsTo(host)) return [{ host, port }];
    return lan.realPorts(joined, host, port).map((real) => ({ host: "127.0.0.1", port: real }));
  }

  #leadsTo(host: string, port: number): boolean {
    return this.#station?.leadsTo(host, port) ?? true;
  }

  /** The Wi-Fi has changed under them: each connection to what is not there any more ends, and its board hears of it. */
  #breakOff(): void {
    for (const [socket, { host, port }] of this.#sockets) if (!this.#leadsTo(host, port)) socket.destroy();
  }
}

/** What is sent there gets lost on the way. */
function unreachable(events: TcpEvents): TcpConnection {
  const timer = setTimeout(() => events.onClose("the connection timed out"), networkLimits.connectTimeoutMs);
  timer.unref();
  return { write: () => false, close: () => clearTimeout(timer) };
}
