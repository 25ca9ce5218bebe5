/**
 * When a certificate (RFC 5280, section 4.1.2.5) begins to hold.
 *
 * A chip that has just got its power is in 1970, and whoever could tell it the time is behind the TLS that checks certificates against the
 * clock. But it is no earlier than the making of the authority that it was given: there its clock is set before a handshake. Nothing else on
 * a board sets that clock, or reads it.
 */
import Time from "time";
import { daysFromCivil } from "../../core.ts";

/** Unix time. @throws RangeError for what is no certificate that begins before 2050 */
export function certificateStartSeconds(certificate: Uint8Array): number {
  // Certificate, TBSCertificate: their contents follow.
  let at = enter(certificate, enter(certificate, 0, tags.sequence), tags.sequence);
  if (certificate[at] === tags.version) at = skip(certificate, at, tags.version);
  at = skip(certificate, at, tags.integer);
  // Algorithm and issuer.
  at = skip(certificate, skip(certificate, at, tags.sequence), tags.sequence);
  at = enter(certificate, enter(certificate, at, tags.sequence), tags.utcTime);
  const [year, month, day, hours, minutes, seconds] = [0, 2, 4, 6, 8, 10].map((digits) =>
    pairAt(certificate, at + digits),
  ) as [number, number, number, number, number, number];
  const days = daysFromCivil(year < 50 ? 2000 + year : 1900 + year, month, day);
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** Sets the chip's clock to when this authority holds; on lin that has no effect. */
export function setClockBy(authority: Uint8Array): void {
  Time.set(certificateStartSeconds(authority) + 1);
}

const tags = Object.freeze({ integer: 0x02, utcTime: 0x17, sequence: 0x30, version: 0xa0 } as const);

/** Where the contents of the element at `at` begin. */
function enter(der: Uint8Array, at: number, tag: number): number {
  const short = der[at + 1];
  if (der[at] !== tag || short === undefined)
    throw new RangeError(`The authority is no certificate: byte ${at}.`);
  return short < 0x80 ? at + 2 : at + 2 + (short & 0x7f);
}

/** Where the element after it is. */
function skip(der: Uint8Array, at: number, tag: number): number {
  const from = enter(der, at, tag);
  let length = der[at + 1]!;
  if (length >= 0x80) {
    length = 0;
    for (let i = at + 2; i < from; i++) length = length * 256 + der[i]!;
  }
  return from + length;
}

function pairAt(der: Uint8Array, at: number): number {
  const value = (der[at]! - 48) * 10 + der[at + 1]! - 48;
  if (value >= 0 && value <= 99) return value;
  throw new RangeError(`The authority's certificate has no time at byte ${at}.`);
}
