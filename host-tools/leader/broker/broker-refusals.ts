/** Why the broker ends a connection. */
import type { AuthenticateError } from "aedes";
import { FramingError } from "./measured-socket.ts";

/** A payload that does not decode, or says what cannot be. */
export class MalformedPayload extends Error {
  override readonly name = "MalformedPayload";
}

/** Well-formed, but not for this client to do. */
export class ProtocolRefused extends Error {
  override readonly name: string = "ProtocolRefused";
}

/** Not let in. */
export class ClientRefused extends ProtocolRefused implements AuthenticateError {
  /** CONNACK codes (MQTT 3.1.1, table 3.1). */
  static readonly identifier = 2;
  static readonly credentials = 4;
  override readonly name = "ClientRefused";
  readonly returnCode: 2 | 4;

  constructor(returnCode: 2 | 4, message: string) {
    super(message);
    this.returnCode = returnCode;
  }
}

/** The board has another connection: nobody did wrong. */
export class ConnectionReplaced extends Error {
  override readonly name = "ConnectionReplaced";
}

/** What became of a connection that ended with this error. */
export function kindOf(error: Error & { code?: string }): "garbage" | "refused" | "lost" {
  if (error instanceof FramingError || error instanceof MalformedPayload) return "garbage";
  if (error instanceof ConnectionReplaced) return "lost";
  if (error instanceof ProtocolRefused || error.message === "unacceptable protocol version") return "refused";
  // A code marks an error of the operating system or of a stream, such as ECONNRESET: nobody's wrong-doing.
  return error.code !== undefined || lossMessages.has(error.message) ? "lost" : "garbage";
}

/** aedes tells these apart only by their text. */
const lossMessages = new Set([
  "keep alive timeout",
  "connect did not arrive in time",
  "drain timeout",
  "connection closed",
]);
