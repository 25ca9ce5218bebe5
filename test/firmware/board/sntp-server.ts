/** A time server, written from RFC 4330, section 6, apart from the client: its answers, and a virtual network that carries them. */
import type { UdpEvents, UdpSocket } from "../../../firmware/platform/ports.ts";
import { mdnsPort } from "../../../protocols/mdns/message.ts";

export interface SntpAnswerOptions {
  readonly receivedMs: number;
  readonly sentMs: number;
  /** 0 is a kiss of death. */
  readonly stratum?: number;
  /** The reference id: of a kiss of death, its code. */
  readonly reference?: string;
}

/** undefined for what is no request of a client: such a packet is dropped. */
export function sntpAnswer(request: Uint8Array, options: SntpAnswerOptions): Uint8Array | undefined {
  if (request.length < 48 || (request[0]! & 7) !== 3) return undefined;
  const { stratum = 2, reference = "GPS\0" } = options;
  const packet = new Uint8Array(48);
  const view = new DataView(packet.buffer);
  packet[0] = (request[0]! & 0b0011_1000) | 4;
  packet[1] = stratum;
  packet[2] = request[2]!;
  packet[3] = 0xec; // 2^-20 s
  view.setUint32(4, 66); // 1 ms of root delay
  view.setUint32(8, 66);
  for (let i = 0; i < 4; i++) packet[12 + i] = reference.charCodeAt(i);
  view.setBigUint64(16, ntpTime(options.receivedMs - 60_000));
  packet.set(request.subarray(40, 48), 24);
  view.setBigUint64(32, ntpTime(options.receivedMs));
  view.setBigUint64(40, ntpTime(options.sentMs));
  return packet;
}

/** Seconds since 1900 and their 2^32nd parts, of Unix milliseconds. */
function ntpTime(unixMs: number): bigint {
  return BigInt.asUintN(64, ((BigInt(unixMs) + 2_208_988_800_000n) << 32n) / 1000n + 1n);
}

/** A time server at the other end of a network on which a datagram takes no time, unless it is lost. */
export class VirtualTimeServer {
  /** Unix milliseconds at 0 of the tests' time. */
  epochMs = Date.UTC(2027, 0, 1);
  /** When each request came. */
  readonly requestsMs: number[] = [];
  /** Where the requests were sent. */
  readonly places: string[] = [];
  answers = true;
  stratum = 2;
  reference = "GPS\0";
  openSockets = 0;
  /** Who else is on the network, and hears what boards ask everybody. */
  onMulticast: ((question: Uint8Array, answer: (bytes: Uint8Array) => void) => void) | undefined;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  openUdp(_port: number, events: UdpEvents): UdpSocket {
    let isOpen = true;
    this.openSockets++;
    return {
      send: (host, port, bytes) => {
        if (port === mdnsPort) {
          this.onMulticast?.(bytes, (answer) => isOpen && events.onData(answer, "192.0.2.9", port));
          return;
        }
        this.requestsMs.push(this.#nowMs());
        this.places.push(`${host}:${port}`);
        const nowMs = this.epochMs + this.#nowMs();
        const answer = sntpAnswer(bytes, { ...this, receivedMs: nowMs, sentMs: nowMs });
        if (this.answers && isOpen && answer !== undefined) events.onData(answer, "192.0.2.1", port);
      },
      close: () => {
        if (isOpen) this.openSockets--;
        isOpen = false;
      },
    };
  }
}
