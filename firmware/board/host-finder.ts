import {
  decodeMdnsAnswer,
  encodeMdnsQuestion,
  MdnsError,
  mdnsAddress,
  mdnsPort,
} from "../../protocols/mdns/message.ts";
import { addPlace, coveyService, hostsInAnswer } from "../../protocols/mdns/service.ts";
import type { Clock, HostAddress, Network, Random, UdpEvents, UdpSocket } from "../platform/ports.ts";
import { Backoff } from "./backoff.ts";
import type { BoardLog } from "./board-log.ts";
import type { Turns } from "./turns.ts";

export const finderLimits = Object.freeze({
  /** A board that has a network and no host asks after so long; one that knows no host at all, at once. */
  firstMs: 15_000,
  /** How long answers are awaited. */
  answersMs: 2_000,
  pauseFirstMs: 30_000,
  pauseMostMs: 300_000,
  /** Of a datagram: a longer one says more than a host does. */
  bytesMax: 1_024,
  /** That wait to be read. */
  waitingMax: 2,
  /** Looked at, of one question. */
  answersMax: 16,
});

export interface HostFinderParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: BoardLog;
  readonly turns: Turns;
}

export interface FinderEvents {
  /** All that is found of one question, each time that it is more. */
  find(hosts: readonly HostAddress[]): void;
}

/**
 * Looks for the swarm's hosts by multicast DNS while none answers where it ought to: one question from a port of its own, answered to that
 * port alone (RFC 6762, section 5.1), so that the board joins no group. What is found lasts until the next question or the next start.
 *
 * Anyone on the network may answer, and a false answer costs a connection that comes to nothing: each host proves its name in the handshake. Of
 * each host at most `placesPerHostMax` places are taken.
 */
export class HostFinder implements UdpEvents {
  readonly #parts: HostFinderParts;
  readonly #swarm: string;
  readonly #events: FinderEvents;
  readonly #backoff: Backoff;
  #isUp = false;
  #socket: UdpSocket | undefined;
  /** Of the question that is open. */
  #id = 0;
  #left = 0;
  #waiting: readonly Uint8Array[] = none;
  #found: HostAddress[] = [];
  /** When to ask, or to wait for answers no longer; Infinity for not. */
  #dueMs = Infinity;

  constructor(parts: HostFinderParts, swarm: string, events: FinderEvents) {
    this.#parts = parts;
    this.#swarm = swarm;
    this.#events = events;
    this.#backoff = new Backoff(finderLimits.pauseFirstMs, finderLimits.pauseMostMs, parts.random);
  }

  get dueMs(): number {
    return this.#waiting.length > 0 ? -Infinity : this.#dueMs;
  }

  onNetworkChange(up: boolean): void {
    this.#isUp = up;
    this.restart();
  }

  /** The board is to reach its hosts in another way. */
  restart(): void {
    this.close();
    this.#backoff.reset();
    this.#dueMs = Infinity;
  }

  /** @param isJoined a host has been reached @param isKnown there is some place where a host ought to be */
  run(nowMs: number, isJoined: boolean, isKnown: boolean): void {
    if (this.#parts.network.openUdp === undefined) return;
    if (isJoined || !this.#isUp) {
      if (this.#dueMs < Infinity) this.restart();
      return;
    }
    if (this.#waiting.length > 0) this.read();
    if (this.#dueMs === Infinity) this.#dueMs = isKnown ? nowMs + finderLimits.firstMs : nowMs;
    if (nowMs < this.#dueMs) return;
    if (this.#socket === undefined) this.ask(nowMs);
    else this.rest(nowMs);
  }

  /** For the socket: read in the next turn, off its deep stack. */
  onData(bytes: Uint8Array): void {
    const { turns } = this.#parts;
    if (!turns.begin()) return;
    const isTaken =
      this.#left > 0 &&
      bytes.length <= finderLimits.bytesMax &&
      this.#waiting.length < finderLimits.waitingMax;
    if (isTaken) {
      this.#left--;
      this.#waiting = [...this.#waiting, bytes.slice()];
    }
    turns.end();
  }

  private ask(nowMs: number): void {
    const { network, random } = this.#parts;
    const seed = new Uint8Array(2);
    random.fill(seed);
    this.#id = (seed[0]! << 8) | seed[1]!;
    this.#left = finderLimits.answersMax;
    this.#found = [];
    try {
      this.#socket = network.openUdp!(0, this);
    } catch {
      this.rest(nowMs);
      return;
    }
    this.#dueMs = nowMs + finderLimits.answersMs;
    this.#socket.send(mdnsAddress, mdnsPort, encodeMdnsQuestion(this.#id, coveyService));
  }

  private read(): void {
    const waiting = this.#waiting;
    const before = this.#found.length;
    this.#waiting = none;
    for (const bytes of waiting) this.take(bytes);
    if (this.#found.length > before) this.#events.find(this.#found);
  }

  /** Whatever is no answer to the question is somebody else's affair. */
  private take(bytes: Uint8Array): void {
    try {
      const answer = decodeMdnsAnswer(bytes);
      if (answer.id !== this.#id) return;
      for (const place of hostsInAnswer(answer, this.#swarm)) addPlace(this.#found, place);
    } catch (error) {
      if (!(error instanceof MdnsError)) throw error;
    }
  }

  private rest(nowMs: number): void {
    this.close();
    const pauseMs = this.#backoff.next();
    this.#dueMs = nowMs + pauseMs;
    this.#parts.log.write("info", "looked-for-hosts", "found", this.#found.length, "pauseMs", pauseMs);
  }

  private close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#left = 0;
    this.#waiting = none;
  }
}

const none: readonly Uint8Array[] = Object.freeze([]);
