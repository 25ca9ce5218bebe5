/** What boards say of the turn to be away, and what the agreed state does. */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { turnFromBytes, turnToBytes } from "../../../protocols/turns/turn.ts";
import { turnMessageFromWire, turnMessageToWire } from "../../../protocols/turns/turn-message.ts";
import type { Target } from "../target.ts";

const errors = [CborError, ShapeError];
const request = { startId: 7, askedMs: 12.5, purpose: "move" } as const;

export const turnTargets: readonly Target[] = [
  {
    name: "turn to be away",
    covers: ["protocols/turns/turn.ts turnFromBytes", "protocols/turns/turn.ts readRequest"],
    seeds: [undefined, { board: "north-1", ...request }].map((holder) => turnToBytes({ number: 7, holder })),
    errors,
    decode: turnFromBytes,
  },
  {
    name: "word of a turn",
    covers: ["protocols/turns/turn-message.ts turnMessageFromWire"],
    seeds: [encodeCbor(turnMessageToWire({ says: "asks", ...request }))],
    errors,
    decode: (bytes) => turnMessageFromWire(decodeCbor(bytes)),
  },
];
