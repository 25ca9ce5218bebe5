/**
 * The last changes of a register, the value of `covey/changes/NAME`, each once and in the order of their versions:
 *
 * ```
 * [1, begun, floor, [[version, value, by, atMs], ...]]
 * ```
 *
 * `begun` is the epoch in which the register was declared; what is told of an earlier one is about another register of its name. Up to `floor` nothing is kept any more. What
 * is told late, because its board was away, is put where it belongs.
 */
import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readValue } from "../../../protocols/paxos/state-codec.ts";
import { type RegisterState, type RegisterValue, registerLimits } from "../../../protocols/paxos/types.ts";
import { reservedKeyPrefix } from "../../../protocols/state/command.ts";
import { encodeCbor } from "../../codec/cbor.ts";

export const historyKeyPrefix = `${reservedKeyPrefix}changes/`;

export const historyLimits = {
  /** With the register's copy it has to fit one entry. */
  bytesMax: 720,
  changesMax: 32,
} as const;

export interface RegisterChange {
  readonly version: number;
  readonly value: RegisterValue;
  readonly by: string;
  /** Unix milliseconds; 0 where the board did not know them. */
  readonly atMs: number;
}

export interface RegisterHistory {
  readonly begun: number;
  readonly floor: number;
  /** Versions rise; one that is missing was not told yet, or is lost. */
  readonly changes: readonly RegisterChange[];
}

/** Whether the history needs to be told of this state no more. */
export function isRecorded(history: RegisterHistory, epoch: number, version: number): boolean {
  if (epoch < history.begun || version <= history.floor) return true;
  return history.changes.some((change) => change.version === version);
}

/** With one that is not recorded; the oldest go where they are too many. */
export function withChange(history: RegisterHistory, state: RegisterState): RegisterHistory {
  const { version, value, by, atMs } = state;
  const changes = [...history.changes, { version, value, by, atMs }].sort((a, b) => a.version - b.version);
  let { floor } = history;
  for (;;) {
    const next = { begun: history.begun, floor, changes };
    const isTooLong = encodeCbor(historyToWire(next)).length > historyLimits.bytesMax;
    if (!isTooLong && changes.length <= historyLimits.changesMax) return next;
    floor = changes.shift()!.version;
  }
}

/** Of a register that begins. A version of 0 is no change. */
export function newHistory(epoch: number, state: RegisterState): RegisterHistory {
  const floor = Math.max(0, state.version - 1);
  const empty = { begun: epoch, floor, changes: [] };
  return state.version === 0 ? empty : withChange(empty, state);
}

export function historyToWire({ begun, floor, changes }: RegisterHistory): CborValue {
  return [1, begun, floor, changes.map(({ version, value, by, atMs }) => [version, value, by, atMs])];
}

/** Throws `ShapeError`. */
export function historyFromWire(wire: CborValue): RegisterHistory {
  const items = new ItemReader(wire, format, "", 4);
  items.version(1);
  const begun = items.integer("the beginning", 1, registerLimits.epochMax);
  const floor = items.integer("the floor", 0, registerLimits.versionMax);
  const changes = items.array("the changes", historyLimits.changesMax).map(changeFrom);
  items.end();
  return { begun, floor, changes };
}

const format = "history of a register";

function changeFrom(wire: CborValue): RegisterChange {
  const items = new ItemReader(wire, format, "a change", 4);
  const version = items.integer("the version", 0, registerLimits.versionMax);
  const value = readValue(items, format);
  const by = items.text("by", registerLimits.nameLengthMax);
  const atMs = items.integer("atMs", 0, Number.MAX_SAFE_INTEGER);
  items.end();
  return { version, value, by, atMs };
}
