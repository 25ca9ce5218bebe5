/**
 * The network between simulated boards: each has an address of its own, as in a house, though all are on one computer. What a board sends is a real datagram
 * over the loopback interface, from a free port of this computer to another; this table alone knows which address is which port. A multicast group is everybody who
 * has joined it.
 */

/** Somebody's socket on the network. */
export interface LanSocket {
  readonly address: string;
  /** As the boards know it. */
  readonly port: number;
  readonly group: string | undefined;
  /** Of this computer. */
  readonly realPort: number;
  /** Name of the network that its board is in at present, such as a Wi-Fi's; undefined while it is in none. */
  network(): string | undefined;
}

export class SimulatedLan {
  /** By name of the board: for as long as the simulation lasts, whatever its board does. */
  readonly #addresses = new Map<string, string>();
  readonly #sockets = new Map<number, LanSocket>();
  #cut: ReadonlySet<string> = new Set();

  /** Of the board of this name; throws `RangeError` when a network has no more. */
  addressOf(board: string): string {
    const known = this.#addresses.get(board);
    if (known !== undefined) return known;
    const number = this.#addresses.size + 1;
    if (number > boardsMax) throw new RangeError(`At most ${boardsMax} boards are on one network.`);
    const address = `10.83.0.${number}`;
    this.#addresses.set(board, address);
    return address;
  }

  /** From now on these boards, and no others, hear no board and are heard by none. Their hosts they reach as before. */
  cut(boards: readonly string[]): void {
    this.#cut = new Set(boards.map((board) => this.addressOf(board)));
  }

  open(socket: LanSocket): void {
    this.#sockets.set(socket.realPort, socket);
  }

  close(socket: LanSocket): void {
    this.#sockets.delete(socket.realPort);
  }

  /** Whether this is an address of this network, or a group of it. */
  leadsTo(host: string): boolean {
    if (host.startsWith("10.83.0.")) return true;
    for (const { group } of this.#sockets.values()) if (group === host) return true;
    return false;
  }

  /** To which ports of this computer something goes that is sent there. */
  realPorts(from: LanSocket, host: string, port: number): number[] {
    const reached: number[] = [];
    for (const to of this.#sockets.values()) {
      const isMeant = to.port === port && (to.address === host || (to.group === host && to !== from));
      if (isMeant && this.#isJoined(from, to)) reached.push(to.realPort);
    }
    return reached;
  }

  /** Who sends from this port of this computer; undefined for nobody on the network. */
  sender(realPort: number): LanSocket | undefined {
    return this.#sockets.get(realPort);
  }

  #isJoined(from: LanSocket, to: LanSocket): boolean {
    if (this.#cut.has(from.address) || this.#cut.has(to.address)) return false;
    const network = from.network();
    return network !== undefined && network === to.network();
  }
}

const boardsMax = 250;
