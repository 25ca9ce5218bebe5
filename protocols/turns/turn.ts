/**
 * The turn to be away: of the boards that vote, one at a time may leave its hosts on purpose, for new firmware or to try a new contact. Who has it is agreed on, as the value of
 * `covey/turn`, encoded:
 *
 * ```
 * turn [1, number, board | null, startId, askedMs, 0 update | 1 move]     null: nobody; then the rest is missing
 * ```
 *
 * A board asks the leader, and leaves when it has applied the entry that names it. It tells the leader when it is back. What is asked for, and when it
 * lapses, is in `turn-desk.ts` (the leader) and `turn-claim.ts` (a board).
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import { reservedKeyPrefix, type StateValue } from "../state/command.ts";

export const turnKey = `${reservedKeyPrefix}turn`;

/** For what a board leaves. */
export type TurnPurpose = "update" | "move";

/** One asking of one board. */
export interface TurnRequest {
  readonly purpose: TurnPurpose;
  /** Of the run of the board that asked: what was asked before it started anew is of no use to it. */
  readonly startId: number;
  /** When it asked, on its own clock, which never goes back while it runs. */
  readonly askedMs: number;
}

export interface Turn {
  /** Grows with each change, so that no two values are the same. 0 before the first. */
  readonly number: number;
  /** undefined: nobody is away. */
  readonly holder: (TurnRequest & { readonly board: string }) | undefined;
}

export const turnLimits = Object.freeze({
  /** A board that wants the turn says so this often; one that is away and can speak, or is back, as well. */
  sayEveryMs: 10_000,
  /** A board leaves within this time after it asked, or asks again. */
  leaveMs: 30_000,
  /** A turn whose holder the leader has not heard for so long is over: longer than `leaveMs` and the longest absence of a board that cannot speak (test: `turn-limits.test.ts`). */
  silentMs: 420_000,
  /** So is one that was given so long ago, whoever speaks. */
  heldMs: 900_000,
  /** UTF-8 bytes. */
  boardBytesMax: 64,
});

/** Before anybody has had it. */
export const firstTurn: Turn = Object.freeze({ number: 0, holder: undefined });

export function turnToBytes({ number, holder }: Turn): Uint8Array {
  if (holder === undefined) return encodeCbor([turnVersion, number, null]);
  const { board, startId, askedMs, purpose } = holder;
  return encodeCbor([turnVersion, number, board, startId, askedMs, purposes.indexOf(purpose)]);
}

/** @throws {CborError | ShapeError} */
export function turnFromBytes(bytes: Uint8Array): Turn {
  const items = new ItemReader(decodeCbor(bytes), "turn", "", 3);
  items.version(turnVersion);
  const number = items.integer("the number", 1, Number.MAX_SAFE_INTEGER);
  if (items.isNone()) return { number, holder: undefined };
  const board = items.text("the board", turnLimits.boardBytesMax);
  return { number, holder: { board, ...readRequest(items) } };
}

/** What the agreed state says; undefined for what this program cannot read, which a newer one has written. */
export function turnIn(value: StateValue | undefined): Turn | undefined {
  if (value === undefined) return firstTurn;
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return turnFromBytes(value);
  } catch (error) {
    if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
    return undefined;
  }
}

/** startId, askedMs, purpose. @throws {ShapeError} */
export function readRequest(items: ItemReader): TurnRequest {
  const startId = items.integer("startId", 0, 0xffff_ffff);
  const askedMs = items.number("askedMs", 0, Number.MAX_SAFE_INTEGER);
  const purpose = purposes[items.integer("the purpose", 0, purposes.length - 1)]!;
  return { startId, askedMs, purpose };
}

export const purposes: readonly TurnPurpose[] = Object.freeze(["update", "move"] as const);
const turnVersion = 1;
