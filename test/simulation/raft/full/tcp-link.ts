/**
 * One TCP connection in virtual time: each direction keeps its order; every piece takes its time, longer while the way that it takes is cut; the
 * connection ends with notice, or its far end dies and only silence tells.
 */
import type { TcpConnection, TcpEvents } from "../../../../firmware/platform/ports.ts";

/** The far end, once it has accepted. */
export interface FarEnd {
  receive(bytes: Uint8Array): void;
  /** The connection is gone: closed by the near end, or broken. */
  onGone(): void;
}

/** What may happen on the way. */
export interface Wire {
  after(delayMs: number, what: () => void): void;
  readonly nowMs: number;
  /** How long the next piece takes. */
  delayMs(): number;
  /** So many bytes are on their way. */
  onBytes?(direction: "up" | "down", count: number): void;
  /** Until when nothing passes in this direction. */
  cutUntilMs(direction: "up" | "down"): number;
}

export class TcpLink implements TcpConnection {
  readonly #wire: Wire;
  readonly #events: TcpEvents;
  #far: FarEnd | undefined;
  readonly #freeMs = { up: 0, down: 0 };
  #isOpen = true;
  #isDead = false;

  /** `accept` is called when the connection request arrives: undefined refuses it. */
  constructor(wire: Wire, events: TcpEvents, accept: (link: TcpLink) => FarEnd | undefined) {
    this.#wire = wire;
    this.#events = events;
    this.#travel("up", () => {
      this.#far = accept(this);
      if (this.#far === undefined) this.#travel("down", () => this.#end("refused"));
      else this.#travel("down", () => this.#events.onOpen());
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** For the near end. */
  write(bytes: Uint8Array): boolean {
    if (!this.#isOpen) return false;
    const own = bytes.slice();
    this.#wire.onBytes?.("up", bytes.length);
    this.#travel("up", () => this.#far?.receive(own));
    return true;
  }

  /** For the near end. Idempotent. */
  close(): void {
    this.#isOpen = false;
    this.#leave();
  }

  /** For the far end. */
  send(bytes: Uint8Array): void {
    if (this.#far === undefined) return;
    this.#wire.onBytes?.("down", bytes.length);
    this.#travel("down", () => this.#events.onData(bytes));
  }

  /** For the far end: it hangs up. */
  hangUp(): void {
    this.#far = undefined;
    this.#travel("down", () => this.#end("closed by the other side"));
  }

  /** Both ends hear of it; what is on the way is lost. */
  breakOff(): void {
    this.#leave();
    this.#end("broken off");
  }

  /** The far end is gone without a word: the near end must find out. */
  die(): void {
    this.#isDead = true;
    this.#far = undefined;
  }

  #leave(): void {
    const far = this.#far;
    this.#far = undefined;
    far?.onGone();
  }

  #end(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events.onClose(reason);
  }

  #travel(direction: "up" | "down", arrive: () => void): void {
    const { nowMs } = this.#wire;
    const startMs = Math.max(nowMs, this.#wire.cutUntilMs(direction));
    const atMs = Math.max(startMs + this.#wire.delayMs(), this.#freeMs[direction]);
    this.#freeMs[direction] = atMs;
    this.#wire.after(atMs - nowMs, () => {
      if (!this.#isOpen || this.#isDead) return;
      // What cuts the way meanwhile holds up what is on it, too.
      if (this.#wire.cutUntilMs(direction) > this.#wire.nowMs) this.#travel(direction, arrive);
      else arrive();
    });
  }
}
