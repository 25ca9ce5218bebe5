/** Why a handshake ended. */
export type EdhocFault =
  /** Bytes that are no such message, or one that says what cannot be. */
  | "malformed"
  /** Another method, or no suite that both sides speak: section 6.3.2. */
  | "unsupported"
  /** A code or a tag is wrong, a key is off the curve, or the credential is not one that is known. */
  | "refused"
  /** The credential was referred to, and nobody knows what by: it may be sent by value (section 6.4). */
  | "unknown-credential"
  /** A message out of turn. */
  | "out-of-turn"
  /** The other side sent an error message. */
  | "peer";

/** A handshake that failed; it can't go on (RFC 9528, section 6). */
export class EdhocError extends Error {
  readonly fault: EdhocFault;
  /** Suites that this side speaks, for the error message to an initiator that chose another. */
  readonly suites: readonly number[] | undefined;

  constructor(fault: EdhocFault, what: string, suites?: readonly number[]) {
    super(`EDHOC: ${what}`);
    this.fault = fault;
    this.suites = suites;
  }

  override get name(): string {
    return "EdhocError";
  }
}
