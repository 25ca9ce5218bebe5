import type { Network, TcpConnection, TcpEvents } from "../ports.ts";
import { SocketConnection } from "./tcp.ts";
import type { Traffic } from "./traffic.ts";
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

  connect(host: string, port: number, events: TcpEvents): TcpConnection {
    return new SocketConnection(host, port, events, this.#traffic);
  }
}
