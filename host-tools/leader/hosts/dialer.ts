/** One address that a host dials: again and again, until the connection is there, and once more when it is gone. */
import { connect, type Socket } from "node:net";

export interface PeerAddress {
  readonly address: string;
  readonly port: number;
}

const dialLimits = {
  /** For the TCP connection. */
  connectMs: 2_000,
  pauseFirstMs: 100,
  pauseMostMs: 2_000,
  /** A connection that held this long was good: the next pause is the first again. */
  goodMs: 2_000,
  /** Before the next attempt where the other side is not who it is to be, or does not take this host for one. */
  refusedMs: 10_000,
} as const;

/** Tries again and again, with growing pauses, as long as the connection is wanted. */
export class Dialer {
  isWanted: () => boolean = () => false;
  readonly #address: PeerAddress;
  readonly #patienceMs: number;
  readonly #onSocket: (socket: Socket) => void;
  #pauseMs: number = dialLimits.pauseFirstMs;
  #timer: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  #isRefused = false;
  #isStopped = false;

  constructor(address: PeerAddress, patienceMs: number, onSocket: (socket: Socket) => void) {
    this.#address = address;
    this.#patienceMs = patienceMs;
    this.#onSocket = onSocket;
  }

  start(): void {
    this.#later(this.#patienceMs);
  }

  /** The connection that comes to its end was refused, by either side: let some time pass. */
  backOff(): void {
    this.#isRefused = true;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #later(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#try(), delayMs);
  }

  #try(): void {
    if (!this.isWanted()) {
      this.#pauseMs = dialLimits.pauseFirstMs;
      this.#later(dialLimits.pauseFirstMs + this.#patienceMs);
      return;
    }
    const socket = connect({ host: this.#address.address, port: this.#address.port });
    this.#socket = socket;
    const slow = setTimeout(() => socket.destroy(), dialLimits.connectMs);
    let openedMs = Number.POSITIVE_INFINITY;
    socket.on("error", () => {});
    socket.once("connect", () => {
      clearTimeout(slow);
      openedMs = performance.now();
      this.#onSocket(socket);
    });
    // Half to whole pauses, so that two hosts that start together do not stay in step.
    socket.once("close", () => {
      clearTimeout(slow);
      this.#socket = undefined;
      if (performance.now() - openedMs > dialLimits.goodMs) this.#pauseMs = dialLimits.pauseFirstMs;
      const pauseMs = this.#isRefused ? dialLimits.refusedMs : this.#pauseMs;
      this.#isRefused = false;
      this.#later(this.#patienceMs + pauseMs * (0.5 + Math.random() / 2));
      this.#pauseMs = Math.min(dialLimits.pauseMostMs, this.#pauseMs * 2);
    });
  }
}
