import { lanLimits } from "./lan-limits.ts";

/** A datagram, of which nobody has looked at more than its kind and tag. */
export interface Waiting {
  readonly bytes: Uint8Array;
  readonly address: string;
}

/** Datagrams that wait for the board's turn, to be read off the deep stack of the socket. Beyond `lanLimits` they are lost, as they could be on the way. */
export class LanInbox {
  #waiting: readonly Waiting[] = none;

  /** @param lengthBytes how much of `bytes` is kept, in a copy. False when there is no room. */
  push(bytes: Uint8Array, lengthBytes: number, address: string): boolean {
    const { waitingMax, waitingBytesMax } = lanLimits;
    let waitingBytes = lengthBytes;
    for (const each of this.#waiting) waitingBytes += each.bytes.length;
    if (this.#waiting.length >= waitingMax || waitingBytes > waitingBytesMax) return false;
    this.#waiting = [...this.#waiting, { bytes: bytes.slice(0, lengthBytes), address }];
    return true;
  }

  takeAll(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = none;
    return waiting;
  }
}

const none: readonly Waiting[] = Object.freeze([]);
