import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { timeAnswerFromWire } from "../../protocols/messages/codec.ts";
import { SessionClock } from "../../protocols/time/session-clock.ts";
import type { BoardLog } from "./board-log.ts";
import { TimeServer, type TimeServerParts } from "./time-server.ts";

/**
 * What time it is on the wall, as far as anyone has said: a host, which answers some of the health messages, or a time server, which
 * is asked when no host does. Each answer makes what is known more exact, or is dropped; nothing is known from a boot
 * until the first, and what is known goes on without another, ever less exactly.
 */
export class WallTime {
  readonly #clock = new SessionClock();
  readonly #log: BoardLog;
  readonly #parts: TimeServerParts;
  #place: string | undefined;
  #server: TimeServer | undefined;
  #isUp = false;
  #payload: Uint8Array | undefined;
  #arrivedMs = 0;
  #isKnown = false;
  #settings = 0;

  /** `timeServer` is a name or an address, with `:PORT` or without; undefined for none. */
  constructor(parts: TimeServerParts, timeServer: string | undefined) {
    this.#log = parts.log;
    this.#parts = parts;
    this.useServer(timeServer);
  }

  /** From now on this one is asked; undefined for none. */
  useServer(place: string | undefined): void {
    if (place === this.#place) return;
    this.#place = place;
    this.#server?.onNetworkChange(false);
    const hasServer = place !== undefined && this.#parts.network.openUdp !== undefined;
    this.#server = hasServer ? new TimeServer(this.#parts, place, this.#clock) : undefined;
    if (this.#isUp) this.#server?.onNetworkChange(true);
  }

  /** Unix milliseconds at a time of the board's clock; NaN while unknown. */
  wallMs(nowMs: number): number {
    return this.#clock.wallMs(nowMs);
  }

  /** `wallMs` is off by this at most; Infinity while unknown. */
  boundMs(nowMs: number): number {
    return this.#clock.boundMs(nowMs);
  }

  /** When `run` has something to do though nothing has arrived; Infinity for never. */
  get dueMs(): number {
    return this.#server?.dueMs ?? Infinity;
  }

  onNetworkChange(up: boolean): void {
    this.#isUp = up;
    this.#server?.onNetworkChange(up);
  }

  /** A health message has been sent at this time. */
  asked(nowMs: number): void {
    this.#clock.ask(nowMs);
  }

  /** Takes a host's answer, to be read in `run`, off the deep stack of the socket. A newer one replaces it. */
  take(payload: Uint8Array, nowMs: number): void {
    this.#payload = payload.slice();
    this.#arrivedMs = nowMs;
  }

  /** True when the time is known anew. */
  run(nowMs: number): boolean {
    const isTold = this.readAnswer();
    this.#server?.run(nowMs);
    const isAnswered = this.#server?.takeNews() ?? false;
    if (!isTold && !isAnswered) return false;
    const { settings } = this.#clock;
    if (!this.#isKnown) this.#log.write("info", "time-known", "boundMs", this.boundMs(nowMs));
    else if (settings !== this.#settings) this.#log.write("warn", "time-was-set", "times", settings);
    this.#isKnown = true;
    this.#settings = settings;
    return true;
  }

  /** An answer that is none is dropped: without the time a board does all but its schedules. */
  private readAnswer(): boolean {
    if (this.#payload === undefined) return false;
    const payload = this.#payload;
    this.#payload = undefined;
    try {
      const { askedMs, toldMs } = timeAnswerFromWire(decodeCbor(payload));
      return this.#clock.answer(askedMs, toldMs, this.#arrivedMs);
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#log.write("warn", "time-refused", "reason", error.message);
      return false;
    }
  }
}
