import type { Link } from "./link.ts";

/** What waits for the end of a turn: as many messages as one piece of the stream can hold, and more. */
export const inboxMax = 16;

/** A message as it arrived: nobody has looked into it. */
export interface Arrival {
  readonly link: Link;
  /** undefined for what was published to all members. */
  readonly channel: string | undefined;
  bytes: Uint8Array;
}

/**
 * Messages that arrived, to be read off the deep stack of the socket, which a board has little of. Beyond `inboxMax` they are lost, as they
 * could be on the way; whoever sent them repeats what matters.
 */
export class Inbox {
  readonly #arrivals: Arrival[] = [];

  get isEmpty(): boolean {
    return this.#arrivals.length === 0;
  }

  /** Takes a copy of `bytes`. */
  push(link: Link, channel: string | undefined, bytes: Uint8Array): void {
    if (this.#arrivals.length < inboxMax) this.#arrivals.push({ link, channel, bytes: bytes.slice() });
  }

  shift(): Arrival | undefined {
    return this.#arrivals.shift();
  }
}

/** Takes the bytes out of `arrival`, so that what is made of them need not share the heap with them. */
export function takeBytes(arrival: Arrival): Uint8Array {
  const { bytes } = arrival;
  arrival.bytes = noBytes;
  return bytes;
}

const noBytes = new Uint8Array(0);
