/**
 * What one host says to another of a request that it sends on: who asks, and that it has looked. Proved under a key of the connection that the two
 * hosts have, so it ends with that connection, and with whoever is cut off.
 *
 * ```
 * <host>;<number>;<actor>;<proof>      actor: JSON in base64url
 *                                      proof: HMAC-SHA256 over CBOR of [host, number, actor, method, target, SHA-256 of the body], base64url
 * ```
 *
 * No clock is needed against repetition: a number grows with each request, and none is taken twice.
 */

import { roles } from "../../../protocols/security/identity/identity.ts";
import type { Scope } from "../../../protocols/security/identity/scope.ts";
import type { SecureSession } from "../../../protocols/security/session/secure-session.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";
import type { Actor } from "../access/actor.ts";

/** Of HTTP: says which host sends a request on, and for whom, with its proof. */
export const forwardedHeader = "covey-forwarded-by";

/** What is vouched for, exactly as it is on the wire. */
export interface ForwardedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Empty where there is none. */
  readonly body: string;
}

/** The host that a header says it comes from; whether it does, only `Vouching.check` tells. */
export function vouchingHost(header: string): string {
  return header.slice(0, Math.max(0, header.indexOf(";")));
}

/** Of one connection with one other host. */
export class Vouching {
  readonly #own: string;
  readonly #peer: string;
  readonly #key: Uint8Array;
  #number = 0;
  /**
   * The highest number that was taken of those with the same remainder. A number is new if it is higher: so no number is taken twice, and requests may
   * overtake each other by as many as there are remainders.
   */
  readonly #taken = new Float64Array(overtakingMax);

  /** `own` and `peer` are the names of the two hosts. */
  constructor(session: SecureSession, own: string, peer: string) {
    this.#own = own;
    this.#peer = peer;
    this.#key = session.exportKey(exporterLabel, keyBytes);
  }

  /** For the header of a request to the other host, and of this one only once. */
  vouch(request: ForwardedRequest, actor: Actor): string {
    const number = ++this.#number;
    const { name, role, scope } = actor;
    const text = Buffer.from(JSON.stringify({ name, role, scope })).toString("base64url");
    const proof = Buffer.from(this.#proof(this.#own, number, text, request)).toString("base64url");
    return `${this.#own};${number};${text};${proof}`;
  }

  /** Who asks, as the other host says; undefined when it did not say so of this request, or said it before. */
  check(header: string, request: ForwardedRequest): Actor | undefined {
    const [host, digits, text, proof, ...more] = header.split(";");
    const number = Number(digits);
    if (host !== this.#peer || proof === undefined || more.length > 0) return undefined;
    if (!Number.isSafeInteger(number) || number < 1) return undefined;
    const expected = this.#proof(host, number, text!, request);
    if (!nodeCiphers.isEqual(expected, Buffer.from(proof, "base64url"))) return undefined;
    const slot = number % overtakingMax;
    if (number <= this.#taken[slot]!) return undefined;
    this.#taken[slot] = number;
    return actorFrom(text!);
  }

  #proof(
    host: string,
    number: number,
    actor: string,
    { method, target, body }: ForwardedRequest,
  ): Uint8Array {
    const bodyHash = nodeCiphers.sha256(Buffer.from(body));
    return nodeCiphers.hmacSha256(this.#key, encodeCbor([host, number, actor, method, target, bodyHash]));
  }
}

/** For private use (RFC 9528, section 10.1), beyond those of the records. */
const exporterLabel = 32784;
const keyBytes = 32;
/** More than a host sends on at once. */
const overtakingMax = 8192;

/** The other host has proved that it wrote this; what it wrote is looked at all the same. */
function actorFrom(text: string): Actor | undefined {
  try {
    const { name, role, scope } = JSON.parse(Buffer.from(text, "base64url").toString()) as Partial<Actor>;
    if (typeof name !== "string" || role === undefined || !roles.includes(role)) return undefined;
    if (!Array.isArray(scope) || !scope.every(isEntry)) return undefined;
    return { name, role, scope };
  } catch {
    return undefined;
  }
}

function isEntry(entry: Partial<Scope[number]> | null): boolean {
  return typeof entry?.resource === "string" && Number.isInteger(entry.permissions);
}
