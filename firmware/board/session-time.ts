import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import { timeAnswerFromWire } from "../../protocols/messages/codec.ts";
import { SessionClock } from "../../protocols/time/session-clock.ts";
import type { BoardLog } from "./board-log.ts";

/**
 * What time it is on the wall, as far as the leader has said. A health message asks; the leader answers some of them. Nothing
 * is known from a boot until the first answer, and what is known goes on without a leader, ever less exactly.
 */
export class SessionTime {
  readonly #clock = new SessionClock();
  readonly #log: BoardLog;
  #payload: Uint8Array | undefined;
  #arrivedMs = 0;
  #settings = 0;

  constructor(log: BoardLog) {
    this.#log = log;
  }

  /** Unix milliseconds at a time of the board's clock; NaN while unknown. */
  wallMs(nowMs: number): number {
    return this.#clock.wallMs(nowMs);
  }

  /** `wallMs` is off by this at most; Infinity while unknown. */
  boundMs(nowMs: number): number {
    return this.#clock.boundMs(nowMs);
  }

  /** A health message has been sent at this time. */
  asked(nowMs: number): void {
    this.#clock.ask(nowMs);
  }

  /** Takes an answer, to be read in `run`, off the deep stack of the socket. A newer one replaces it. */
  take(payload: Uint8Array, nowMs: number): void {
    this.#payload = payload.slice();
    this.#arrivedMs = nowMs;
  }

  /** True when the time is known anew. An answer that is none is dropped: without the time a board does all but its schedules. */
  run(): boolean {
    if (this.#payload === undefined) return false;
    const payload = this.#payload;
    this.#payload = undefined;
    const wasKnown = this.#clock.isKnown;
    try {
      const { askedMs, toldMs } = timeAnswerFromWire(decodeCbor(payload));
      if (!this.#clock.answer(askedMs, toldMs, this.#arrivedMs)) return false;
    } catch (error) {
      if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
      this.#log.write("warn", "time-refused", "reason", error.message);
      return false;
    }
    const { settings } = this.#clock;
    if (!wasKnown) this.#log.write("info", "time-known", "boundMs", this.boundMs(this.#arrivedMs));
    else if (settings !== this.#settings) this.#log.write("warn", "time-was-set", "times", settings);
    this.#settings = settings;
    return true;
  }
}
