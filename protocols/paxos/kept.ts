/**
 * What a member keeps over a power cut, all of it in one value:
 *
 * ```
 * [1, member, epoch, [epoch, isClosed, [[promised, accepted, isChosen, state], ...]] | null, [[register, epoch, state], ...], lost]
 * ```
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { MemberId } from "../raft/types.ts";
import { limits } from "../raft/types.ts";
import { type Acceptor, readAcceptor } from "./acceptor.ts";
import { chosenToWire, readChosen } from "./report.ts";
import { type Chosen, registerLimits } from "./types.ts";
import type { Untold } from "./untold.ts";

export interface KeptMember {
  /** Whose memory it is. */
  readonly memberId: MemberId;
  /** The latest epoch that it knew of: it takes part in no earlier one. */
  readonly epoch: number;
  /** undefined where it was no member of that. */
  readonly acceptor: Acceptor | undefined;
  readonly untold: Chosen[];
  readonly lost: number;
}

/** At most `registerLimits.keptBytesMax` long: the oldest of what is untold makes room. */
export function memberToBytes(
  memberId: MemberId,
  epoch: number,
  acceptor: Acceptor | undefined,
  untold: Untold,
): Uint8Array {
  for (;;) {
    const states = untold.states.map(chosenToWire);
    const bytes = encodeCbor([1, memberId, epoch, acceptor?.toWire() ?? null, states, untold.lost]);
    if (bytes.length <= registerLimits.keptBytesMax || states.length === 0) return bytes;
    untold.dropOldest();
  }
}

/** undefined for what is none. */
export function memberFromBytes(bytes: Uint8Array): KeptMember | undefined {
  try {
    const items = new ItemReader(decodeCbor(bytes), "kept registers", "", 6);
    items.version(1);
    const memberId = items.text("the member", limits.memberIdBytesMax);
    const epoch = items.integer("the epoch", 0, registerLimits.epochMax);
    const acceptor = items.isNone() ? undefined : readAcceptor(items.any());
    const untold = items.array("the states", registerLimits.untoldMax).map((item) => readChosen(item));
    return { memberId, epoch, acceptor, untold, lost: items.integer("lost", 0, Number.MAX_SAFE_INTEGER) };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}
