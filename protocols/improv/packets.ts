/**
 * Improv over a serial line (improv-wifi.com/serial): packets on a wire that they share with the board's log.
 *
 * ```
 * 'IMPROV' | version 1 | type | length | data ... | sum of all bytes before it, modulo 256 | line feed
 * ```
 *
 * The specification ends a packet with its sum. Its own clients send a line feed after that, and look for a packet only where a line
 * begins, so we send one too, and a line feed right after a packet counts as part of it.
 */
import { joinBytes, sumOf } from "./bytes.ts";

export const PacketType = Object.freeze({
  /** From the board: one byte, of `State`. */
  state: 1,
  /** From the board: one byte, of `ErrorState`. */
  error: 2,
  /** To the board: see `rpc.ts`. */
  command: 3,
  /** From the board: see `rpc.ts`. */
  result: 4,
} as const);

export const packetLimits = Object.freeze({
  dataBytesMax: 255,
  /** A whole packet, its line feed included. */
  bytesMax: 266,
});

export interface PacketEvents {
  /** `data` is the receiver's only until the callback returns. */
  onPacket(type: number, data: Uint8Array): void;
  /** Bytes that belong to no packet, in their order: the log. The receiver's only until the callback returns. */
  onOther(bytes: Uint8Array): void;
}

/** Throws `RangeError` for more than 255 bytes. */
export function encodePacket(type: number, data: Uint8Array): Uint8Array {
  if (data.length > packetLimits.dataBytesMax) {
    throw new RangeError(
      `An Improv packet holds at most ${packetLimits.dataBytesMax} bytes, not ${data.length}.`,
    );
  }
  const end = prefixBytes + data.length;
  const packet = new Uint8Array(end + 2);
  for (let i = 0; i < header.length; i++) packet[i] = header[i]!;
  packet[typeAt] = type;
  packet[lengthAt] = data.length;
  packet.set(data, prefixBytes);
  packet[end] = sumOf(packet, 0, end);
  packet[end + 1] = lineFeed;
  return packet;
}

/**
 * Finds the packets in a stream. Whatever turns out not to be one, for a byte was lost, doubled or turned, is passed on as other bytes, and a
 * packet may begin at each of them: nothing that follows is lost. Holds back at most the bytes of one packet.
 */
export class PacketReader {
  readonly #events: PacketEvents;
  /** What may be the beginning of a packet; undefined when there is nothing. */
  #held: Uint8Array | undefined;
  #isAfterPacket = false;

  constructor(events: PacketEvents) {
    this.#events = events;
  }

  /** Whether something waits for more bytes. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  push(bytes: Uint8Array): void {
    const input = this.#held === undefined ? bytes : joinBytes(this.#held, bytes);
    this.#held = undefined;
    let passed = 0;
    let at = 0;
    while (at < input.length) {
      if (this.#isAfterPacket) {
        this.#isAfterPacket = false;
        if (input[at] === lineFeed) {
          passed = ++at;
          continue;
        }
      }
      const end = packetEnd(input, at);
      if (end === incomplete) break;
      if (end === noPacket) {
        at++;
        continue;
      }
      this.passOn(input, passed, at);
      this.#isAfterPacket = true;
      this.#events.onPacket(input[at + typeAt]!, input.subarray(at + prefixBytes, end - 1));
      passed = at = end;
    }
    this.passOn(input, passed, at);
    if (at < input.length) this.#held = input.slice(at);
  }

  /** The wire has been quiet for so long that what is held back is no packet: it is passed on. */
  abandon(): void {
    while (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      this.passOn(held, 0, 1);
      this.push(held.subarray(1));
    }
  }

  private passOn(input: Uint8Array, from: number, to: number): void {
    if (from < to) this.#events.onOther(input.subarray(from, to));
  }
}

/** `IMPROV`, and the version. */
const header = Object.freeze([0x49, 0x4d, 0x50, 0x52, 0x4f, 0x56, 1]);
const typeAt = 7;
const lengthAt = 8;
/** Before the data. */
const prefixBytes = 9;
const lineFeed = 10;

const noPacket = -1;
const incomplete = -2;

/** Where the packet that begins at `at` ends, its sum included. */
function packetEnd(input: Uint8Array, at: number): number {
  const { length } = input;
  for (let i = 0; i < header.length; i++) {
    if (at + i === length) return incomplete;
    if (input[at + i] !== header[i]) return noPacket;
  }
  if (at + lengthAt >= length) return incomplete;
  const sumAt = at + prefixBytes + input[at + lengthAt]!;
  if (sumAt >= length) return incomplete;
  return sumOf(input, at, sumAt) === input[sumAt] ? sumAt + 1 : noPacket;
}
