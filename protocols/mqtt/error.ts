export type MqttFault =
  /** Bytes that are not MQTT 3.1.1. */
  | "malformed"
  /** A packet beyond the limit that the session was given. */
  | "too-large"
  /** A packet that a server may not send, or not now. */
  | "unexpected"
  /** The server refused the connection or the subscription. */
  | "refused"
  /** The server takes nobody at present. */
  | "unavailable"
  /** The server is silent. */
  | "timeout"
  /** The transport has no room even for a control packet. */
  | "congested";

/** Why an MQTT session ended. The connection under it is to be closed; a new session starts on a new one. */
export class MqttError extends Error {
  readonly fault: MqttFault;

  constructor(fault: MqttFault, what: string) {
    super(`MQTT: ${what}`);
    this.fault = fault;
  }

  override get name(): string {
    return "MqttError";
  }

  /** Whether the other side sent what no MQTT 3.1.1 server sends. */
  get garbage(): boolean {
    return this.fault === "malformed" || this.fault === "too-large" || this.fault === "unexpected";
  }
}
