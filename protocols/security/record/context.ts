/**
 * What a record is bound to beside its content: whoever opens it states the same, or it does not open. So a record can't be moved to
 * another topic, another kind, another sender, another swarm's epoch, or be sent back to where it came from.
 */
import { encodeCbor } from "../../cbor/encode.ts";

export interface RecordContext {
  /** Of the roster: raised when somebody is revoked. */
  readonly epoch: number;
  /** Member ids. */
  readonly sender: string;
  readonly receiver: string;
  readonly topic: string;
  /** The channel: `raft`, `report`... */
  readonly type: string;
}

/** Version of the record format. */
export const recordVersion = 1;

/**
 * The additional data: an Enc_structure (RFC 9052, section 5.3) with an empty protected header, since the algorithm is fixed by the
 * version, and the context as external data.
 */
export function recordAad({ epoch, sender, receiver, topic, type }: RecordContext): Uint8Array {
  const external = encodeCbor([recordVersion, epoch, sender, receiver, topic, type]);
  return encodeCbor(["Encrypt0", new Uint8Array(0), external]);
}
