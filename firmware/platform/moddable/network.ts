import Session from "board-tls";
import type { SeenNetwork } from "../../../protocols/improv/rpc.ts";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import type { Network, TcpConnection, TcpEvents, TlsOptions, UdpEvents, UdpSocket } from "../ports.ts";
import { SocketConnection } from "./tcp.ts";
import { SecureConnection } from "./tls.ts";
import type { Traffic } from "./traffic.ts";
import { DatagramSocket } from "./udp.ts";
import type { WifiStation } from "./wifi.ts";

/** The station and the sockets on it. */
export class ChipNetwork implements Network {
  readonly #station: WifiStation;
  readonly #traffic: Traffic;

  constructor(station: WifiStation, traffic: Traffic) {
    this.#station = station;
    this.#traffic = traffic;
  }

  start(onChange: (up: boolean) => void): void {
    this.#station.start(onChange);
  }

  scanWifi(networksMax: number, onSeen: (networks: readonly SeenNetwork[]) => void): void {
    this.#station.scan(networksMax, onSeen);
  }

  changeWifi(wifi: WifiCredentials): void {
    this.#station.change(wifi);
  }

  connect(host: string, port: number, events: TcpEvents): TcpConnection {
    return new SocketConnection(host, port, events, this.#traffic);
  }

  get connectSecurely(): Network["connectSecurely"] {
    if (Session === undefined) return undefined;
    return (host, port, tls, events) => this.secure(host, port, tls, events);
  }

  openUdp(port: number, events: UdpEvents, group?: string): UdpSocket {
    return new DatagramSocket(port, events, this.#traffic, group);
  }

  private secure(host: string, port: number, tls: TlsOptions, events: TcpEvents): TcpConnection {
    return new SecureConnection(Session!, { host, port }, tls, events, this.#traffic);
  }
}
