import { CborEncoder, decodeCbor } from "../../core.ts";
import { Answer } from "./calls.ts";
import type { Host } from "./host.ts";

/** A value as it travels between board and parent. */
export type Wire = Parameters<CborEncoder["encode"]>[0];

/** Bytes of the largest call: a TCP write of a whole MQTT packet. */
const callBytesMax = 8192;

/** The other end of `host.call`. */
export class Parent {
  readonly #host: Host;
  readonly #encoder = new CborEncoder(callBytesMax);

  constructor(host: Host) {
    this.#host = host;
  }

  /** Throws `RangeError` when the parent refuses. */
  call(request: Wire): Wire {
    const answer = decodeCbor(new Uint8Array(this.#host.call(this.#encoder.encode(request))));
    const [outcome, result] = answer as readonly [number, Wire];
    if (outcome === Answer.refusal) throw new RangeError(`${result}`);
    return result;
  }
}
