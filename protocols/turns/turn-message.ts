/**
 * What a board says of its turn to be away, on the channel `turn`; the answer is the entry that gives it the turn.
 *
 * ```
 * message [1, 0 back | 1 asks | 2 away, startId, askedMs, 0 update | 1 move]
 * ```
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { purposes, readRequest, type TurnRequest } from "./turn.ts";

/** `asks`: it is here, wants to leave, and will not by anything that it was given before. `away`: it has left, and can speak all the same. `back`: it is in step, and needs the turn no longer. */
export type TurnSaying = "back" | "asks" | "away";

export interface TurnMessage extends TurnRequest {
  readonly says: TurnSaying;
}

export function turnMessageToWire({ says, startId, askedMs, purpose }: TurnMessage): CborValue {
  return [1, sayings.indexOf(says), startId, askedMs, purposes.indexOf(purpose)];
}

/** @throws {ShapeError} */
export function turnMessageFromWire(value: CborValue): TurnMessage {
  const items = new ItemReader(value, "word of a turn", "", 5);
  items.version(1);
  const says = sayings[items.integer("what it says", 0, sayings.length - 1)]!;
  return { says, ...readRequest(items) };
}

const sayings: readonly TurnSaying[] = Object.freeze(["back", "asks", "away"] as const);
