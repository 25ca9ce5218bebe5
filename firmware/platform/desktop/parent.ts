import { CborEncoder, decodeCbor } from "../../core.ts";
import { Answer } from "./calls.ts";
import type { Host } from "./host.ts";

/** A value as it travels between board and parent. */
export type Wire = Parameters<CborEncoder["encode"]>[0];

/** Bytes of the largest call: a TCP write of a whole MQTT packet. A chip makes no such copies: what a long call took is let go. */
const callBytesMax = 8192;
const keptBytesMax = 512;

/** The other end of `host.call`. */
export class Parent {
  readonly #host: Host;
  #encoder = new CborEncoder(callBytesMax);

  constructor(host: Host) {
    this.#host = host;
  }

  /** Throws `RangeError` when the parent refuses. */
  call(request: Wire): Wire {
    const bytes = this.#encoder.encode(request);
    if (bytes.length > keptBytesMax) this.#encoder = new CborEncoder(callBytesMax);
    const answer = decodeCbor(new Uint8Array(this.#host.call(bytes)));
    const [outcome, result] = answer as readonly [number, Wire];
    if (outcome === Answer.refusal) throw new RangeError(`${result}`);
    return result;
  }
}
