/**
 * Boards speak to boards: messages between the members of a group, over UDP on the network that they share, each pair under a session of its own.
 * No host has a part in it.
 *
 * A message may be lost, may come late and out of order, and never comes twice: who needs an answer asks again.
 */

import type { BoardLog } from "../board/board-log.ts";
import type { Trust } from "../board/trust.ts";
import type { Turns } from "../board/turns.ts";
import type { Clock, Network, Random, UdpEvents, UdpSocket } from "../platform/ports.ts";

export const lanLimits = Object.freeze({
  /** Other members of a group. */
  peersMax: 6,
  /** Of a message. */
  messageBytesMax: 1_152,
});

export interface LanParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly trust: Trust;
  readonly log: BoardLog;
  readonly turns: Turns;
  readonly swarm: string;
}

export interface LanEvents {
  /** The member `from` sent this, which is the receiver's to keep. Called from `run` only. */
  onLanMessage(from: string, bytes: Uint8Array): void;
}

export class Lan implements UdpEvents {
  readonly #parts: LanParts;
  readonly #events: LanEvents;
  #socket: UdpSocket | undefined;
  #names: readonly string[] = [];

  /** Quiet, and next to nothing of heap, until `setPeers` names somebody. */
  constructor(parts: LanParts, events: LanEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** When `run` has something to do; -Infinity for at once, Infinity for never. */
  get dueMs(): number {
    return Infinity;
  }

  /** The other members of the group, whoever else is in `names`; at most `peersMax`. Sessions with others end. None: the socket is closed. */
  setPeers(names: readonly string[]): void {
    this.#names = names;
  }

  /** Whether there are to be sessions with all peers, and each is to be heard every 2 s. Without it a session is made when there is something to send. */
  keepAlive(isKept: boolean): void {
    void isKept;
  }

  /**
   * Sends a message, which may be lost. False when there is no session with that member yet: one is made, try again soon. Throws `RangeError` for
   * more than `messageBytesMax`.
   */
  send(name: string, bytes: Uint8Array): boolean {
    void name;
    void bytes;
    return false;
  }

  /** When that member last said something that is surely its own; -Infinity for never since the board started. */
  heardMs(name: string): number {
    void name;
    return -Infinity;
  }

  /** Whether there is a session with that member. It may be silent all the same: see `heardMs`. */
  isUp(name: string): boolean {
    void name;
    return false;
  }

  run(nowMs: number): void {
    void nowMs;
  }

  onNetworkChange(up: boolean): void {
    void up;
  }

  /** The roster has changed: `Trust.takeRoster` took it. */
  onRoster(): void {}

  /** For the socket. */
  onData(bytes: Uint8Array, address: string, port: number): void {
    void bytes;
    void address;
    void port;
  }
}
