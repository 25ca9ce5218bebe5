import type { SessionClock } from "../../protocols/time/session-clock.ts";
import {
  decodeSntpAnswer,
  encodeSntpRequest,
  SntpError,
  sntpCookieBytes,
} from "../../protocols/time/sntp.ts";
import type { Clock, Network, Random, UdpEvents, UdpSocket } from "../platform/ports.ts";
import { Backoff } from "./backoff.ts";
import type { BoardLog } from "./board-log.ts";
import type { Turns } from "./turns.ts";

export const timeServerLimits = Object.freeze({
  /** RFC 4330, section 4. */
  port: 123,
  /** The first request waits for a random part of this, once the network is up: a leader may tell the time before. */
  firstMs: 5_000,
  /** An answer that took longer says too little. */
  answerMs: 4_000,
  /** Pauses are at least half of the first: 15 s (RFC 4330, section 10). */
  pauseFirstMs: 30_000,
  pauseMostMs: 1_024_000,
  /** The time is asked for when it is known less exactly than this. */
  boundMsMax: 250,
});

export interface TimeServerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: BoardLog;
  readonly turns: Turns;
}

/**
 * Asks a time server (SNTP, RFC 4330) when nobody else tells the time well enough: a board whose leader is away for long, or which
 * has never met one. One request at a time, over a socket that is open only as long as it takes.
 */
export class TimeServer implements UdpEvents {
  readonly #parts: TimeServerParts;
  readonly #host: string;
  readonly #port: number;
  /** What the answers go to, and what says whether one is wanted. */
  readonly #known: SessionClock;
  readonly #backoff: Backoff;
  readonly #cookie = new Uint8Array(sntpCookieBytes);
  #socket: UdpSocket | undefined;
  #askedMs = 0;
  #isUp = false;
  /** When it may ask, or gives the answer up; Infinity for never again. */
  #dueMs = 0;
  #isNews = false;

  /** `place` is `HOST` or `HOST:PORT`. */
  constructor(parts: TimeServerParts, place: string, known: SessionClock) {
    const colon = place.lastIndexOf(":");
    const hasPort = colon > 0 && place.indexOf(":") === colon;
    this.#parts = parts;
    this.#host = hasPort ? place.slice(0, colon) : place;
    this.#port = hasPort ? Number(place.slice(colon + 1)) : timeServerLimits.port;
    this.#known = known;
    this.#backoff = new Backoff(timeServerLimits.pauseFirstMs, timeServerLimits.pauseMostMs, parts.random);
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.#isUp ? this.#dueMs : Infinity;
  }

  onNetworkChange(up: boolean): void {
    this.#isUp = up;
    if (up) this.#dueMs = Math.max(this.#dueMs, this.#parts.clock.nowMs() + this.firstPauseMs());
    else this.close();
  }

  /** True when an answer has come since the last time. */
  takeNews(): boolean {
    const isNews = this.#isNews;
    this.#isNews = false;
    return isNews;
  }

  run(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    if (this.#socket !== undefined) this.fail("no answer", nowMs);
    else if (this.#known.boundMs(nowMs) <= timeServerLimits.boundMsMax) this.wait(nowMs);
    else this.ask(nowMs);
  }

  /** For the socket. */
  onData(bytes: Uint8Array): void {
    const { turns, clock } = this.#parts;
    if (!turns.begin()) return;
    try {
      if (this.#socket !== undefined) this.take(bytes, clock.nowMs());
    } catch (error) {
      turns.fail(error);
    }
    turns.end();
  }

  private ask(nowMs: number): void {
    const { network, random } = this.#parts;
    random.fill(this.#cookie);
    this.#askedMs = nowMs;
    this.#dueMs = nowMs + timeServerLimits.answerMs;
    try {
      this.#socket = network.openUdp!(0, this);
    } catch (error) {
      this.fail(`${error}`, nowMs);
      return;
    }
    this.#socket.send(this.#host, this.#port, encodeSntpRequest(this.#cookie));
  }

  /** What does not carry the cookie was not sent to us, and the answer may still come. */
  private take(bytes: Uint8Array, nowMs: number): void {
    try {
      const { receivedMs, sentMs, boundMs } = decodeSntpAnswer(bytes, this.#cookie);
      this.#isNews = this.#known.take(this.#askedMs, receivedMs, sentMs, boundMs, nowMs);
    } catch (error) {
      if (!(error instanceof SntpError)) throw error;
      if (error.refusal !== "cookie") this.fail(error.message, nowMs);
      // Not to be asked again (RFC 4330, section 10); RATE only wants longer pauses.
      if (error.kiss !== undefined && error.kiss !== "RATE") this.#dueMs = Infinity;
      return;
    }
    this.close();
    this.#backoff.reset();
    this.#dueMs = nowMs + this.#backoff.next();
  }

  private fail(reason: string, nowMs: number): void {
    this.close();
    const pauseMs = this.#backoff.next();
    this.#dueMs = nowMs + pauseMs;
    this.#parts.log.write("warn", "time-server", "host", this.#host, "reason", reason, "pauseMs", pauseMs);
  }

  /** The time is known well enough: when it will not be any more, nobody knows, for the leader tells it too. */
  private wait(nowMs: number): void {
    this.#dueMs = nowMs + timeServerLimits.pauseFirstMs;
  }

  private close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  private firstPauseMs(): number {
    this.#parts.random.fill(this.#cookie);
    return Math.floor((this.#cookie[0]! * timeServerLimits.firstMs) / 255);
  }
}
