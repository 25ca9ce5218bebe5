import { generate as generatePacket } from "mqtt-packet";

/** Bytes of one QoS 0 publish as written to a socket. */
export function publishBytes(topic: string, payload: Uint8Array): number {
  return generatePacket({
    cmd: "publish",
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    dup: false,
    retain: false,
  }).length;
}
