/**
 * The packets of an SNTP client (RFC 4330; the header is that of RFC 5905, section 7.3), for a board that has a network and no
 * leader. Whoever sends them keeps the time of sending and gives both to `SessionClock.take`.
 *
 * ```
 *  0 LI, VN, mode | 1 stratum | 2 poll | 3 precision | 4 root delay | 8 root dispersion | 12 reference id
 * 16 reference time | 24 originate time | 32 receive time | 40 transmit time        times: seconds since 1900, and a 2^32nd part
 * ```
 */
export const sntpPacketBytes = 48;
export const sntpCookieBytes = 8;

export interface SntpAnswer {
  /** Unix milliseconds, rounded down: when the request came and when the answer left, by the server's clock. */
  readonly receivedMs: number;
  readonly sentMs: number;
  /** The server's own clock may be off by this: half its root delay, and its root dispersion (RFC 5905, section 11.2). */
  readonly boundMs: number;
}

/** Why a packet is no answer to believe. After `kiss-of-death` the server is to be left alone (RFC 4330, section 10). */
export type SntpRefusal =
  | "length"
  | "mode"
  | "version"
  | "cookie"
  | "kiss-of-death"
  | "stratum"
  | "unsynchronized"
  | "root"
  | "times";

export class SntpError extends Error {
  readonly refusal: SntpRefusal;
  /** Of a kiss of death: `RATE`, `DENY`, `RSTR` and others (RFC 5905, section 7.4). */
  readonly kiss: string | undefined;

  constructor(refusal: SntpRefusal, kiss?: string) {
    super(kiss === undefined ? `The SNTP answer is refused for its ${refusal}.` : `The server said ${kiss}.`);
    this.refusal = refusal;
    this.kiss = kiss;
  }

  override get name(): string {
    return "SntpError";
  }
}

/**
 * A request. The server sends its transmit time back as the originate time and looks at nothing in it, so that eight random bytes
 * stand there: what comes back with them was not made by one who did not see the request, and it tells nobody the board's time.
 */
export function encodeSntpRequest(cookie: Uint8Array): Uint8Array {
  if (cookie.length !== sntpCookieBytes)
    throw new RangeError(`A cookie has ${sntpCookieBytes} bytes, not ${cookie.length}.`);
  const packet = new Uint8Array(sntpPacketBytes);
  packet[0] = (version << 3) | clientMode;
  packet.set(cookie, transmitAt);
  return packet;
}

/** The answer to the request with this cookie, checked as RFC 4330, section 5, asks. @throws {SntpError} */
export function decodeSntpAnswer(packet: Uint8Array, cookie: Uint8Array): SntpAnswer {
  // Authenticators and extensions may follow the header.
  if (packet.length < sntpPacketBytes) throw new SntpError("length");
  const first = packet[0]!;
  if ((first & 7) !== serverMode) throw new SntpError("mode");
  const answered = (first >> 3) & 7;
  if (answered !== version && answered !== 3) throw new SntpError("version");
  for (let i = 0; i < sntpCookieBytes; i++) {
    if (packet[originateAt + i] !== cookie[i]) throw new SntpError("cookie");
  }
  const stratum = packet[1]!;
  if (stratum === 0) throw new SntpError("kiss-of-death", kissOf(packet));
  if (stratum > stratumMax) throw new SntpError("stratum");
  if (first >> 6 === notSynchronized) throw new SntpError("unsynchronized");
  const rootDelayMs = shortMs(packet, rootDelayAt);
  const rootDispersionMs = shortMs(packet, rootDispersionAt);
  if (rootDelayMs / 2 + rootDispersionMs > rootBoundMsMax) throw new SntpError("root");
  const receivedMs = timeMs(packet, receiveAt);
  const sentMs = timeMs(packet, transmitAt);
  if (Number.isNaN(receivedMs) || Number.isNaN(sentMs) || sentMs < receivedMs) throw new SntpError("times");
  return { receivedMs, sentMs, boundMs: rootDelayMs / 2 + rootDispersionMs };
}

const version = 4;
const clientMode = 3;
const serverMode = 4;
const notSynchronized = 3;
const stratumMax = 15;
/** A server that is a second off is none (RFC 4330, section 5: root delay and dispersion of less than a second). */
const rootBoundMsMax = 1_000;

const rootDelayAt = 4;
const rootDispersionAt = 8;
const referenceIdAt = 12;
const originateAt = 24;
const receiveAt = 32;
const transmitAt = 40;

/** Seconds from 1900 to 1970. */
const unixSeconds = 2_208_988_800;
const eraSeconds = 2 ** 32;

function word(packet: Uint8Array, at: number): number {
  return packet[at]! * 0x1000000 + (packet[at + 1]! << 16) + (packet[at + 2]! << 8) + packet[at + 3]!;
}

/** 16 bits of seconds, 16 of their parts. */
function shortMs(packet: Uint8Array, at: number): number {
  return (word(packet, at) * 1000) / 65_536;
}

/** NaN for 0, which says that the time is unknown. */
function timeMs(packet: Uint8Array, at: number): number {
  let seconds = word(packet, at);
  const part = word(packet, at + 4);
  if (seconds === 0 && part === 0) return NaN;
  // From 2036 on, the seconds count anew, with the first bit clear (RFC 4330, section 3).
  if (seconds < eraSeconds / 2) seconds += eraSeconds;
  return (seconds - unixSeconds) * 1000 + Math.floor((part * 1000) / eraSeconds);
}

/** Four ASCII characters. */
function kissOf(packet: Uint8Array): string {
  let kiss = "";
  for (let i = 0; i < 4; i++) {
    const code = packet[referenceIdAt + i]!;
    if (code >= 0x20 && code < 0x7f) kiss += String.fromCharCode(code);
  }
  return kiss;
}
