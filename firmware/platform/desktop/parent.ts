import { CborEncoder, decodeCbor } from "../../core.ts";
import { Answer } from "./calls.ts";
import type { Host } from "./host.ts";

/** A value as it travels between board and parent. */
export type Wire = Parameters<CborEncoder["encode"]>[0];

/** Bytes of the largest call: a TCP write of a whole MQTT packet. */
const callBytesMax = 8192;
/** Longer ones have a buffer of their own, of the right size: a chip makes no such copies. */
const keptBytesMax = 256;
/** Of a call beside its byte strings. */
const otherBytes = 64;

/** The other end of `host.call`. */
export class Parent {
  readonly #host: Host;
  readonly #encoder = new CborEncoder(callBytesMax);

  constructor(host: Host) {
    this.#host = host;
  }

  /** Throws `RangeError` when the parent refuses. */
  call(request: readonly Wire[]): Wire {
    let size = otherBytes;
    for (const item of request) if (item instanceof Uint8Array) size += item.length;
    const encoder = size > keptBytesMax ? new CborEncoder(callBytesMax, size) : this.#encoder;
    const bytes = encoder.encode(request);
    const answer = decodeCbor(new Uint8Array(this.#host.call(bytes)));
    const [outcome, result] = answer as readonly [number, Wire];
    if (outcome === Answer.refusal) throw new RangeError(`${result}`);
    return result;
  }
}
