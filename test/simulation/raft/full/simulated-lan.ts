/**
 * The network that boards share, for datagrams between them: each takes its time, may be lost, doubled and overtaken, and passes no way that is cut. A board's address is its
 * name; a group's address is that of all that joined it.
 */
import type { UdpEvents, UdpSocket } from "../../../../firmware/platform/ports.ts";

export interface LanWire {
  after(delayMs: number, what: () => void): void;
  /** How long each copy of the next datagram is on its way, ms; none when it is lost. */
  copiesMs(): readonly number[];
  isCut(from: string, to: string): boolean;
}

interface Opened {
  readonly board: string;
  readonly port: number;
  readonly group: string | undefined;
  readonly events: UdpEvents;
}

export class SimulatedLan {
  /** So far, copies and lost ones not counted, and their bytes. */
  readonly traffic = { datagrams: 0, bytes: 0 };
  readonly #wire: LanWire;
  readonly #opened = new Set<Opened>();

  constructor(wire: LanWire) {
    this.#wire = wire;
  }

  open(board: string, port: number, events: UdpEvents, group: string | undefined): UdpSocket {
    const own: Opened = { board, port, group, events };
    this.#opened.add(own);
    return {
      send: (host, to, bytes) => this.#send(own, host, to, bytes.slice()),
      close: () => void this.#opened.delete(own),
    };
  }

  /** Its power is gone: nothing reaches it. */
  onOff(board: string): void {
    for (const opened of this.#opened) if (opened.board === board) this.#opened.delete(opened);
  }

  #send(from: Opened, host: string, port: number, bytes: Uint8Array): void {
    if (!this.#opened.has(from)) return;
    this.traffic.datagrams++;
    this.traffic.bytes += bytes.length;
    for (const to of this.#opened) {
      const isMeant = to.port === port && (to.board === host || to.group === host);
      if (!isMeant || to.board === from.board) continue;
      for (const delayMs of this.#wire.copiesMs()) {
        this.#wire.after(delayMs, () => {
          if (!this.#opened.has(to) || this.#wire.isCut(from.board, to.board)) return;
          to.events.onData(bytes.slice(), from.board, from.port);
        });
      }
    }
  }
}
