/**
 * Whether a history is linearizable (Herlihy and Wing, 1990): whether each operation can be thought to happen at one moment between its invocation and
 * its return, so that every answer is right.
 *
 * Keys are independent, so each is checked alone (linearizability is local: Herlihy and Wing, theorem 1; "P-compositionality" in Horn and
 * Kroening, 2015). Per key it is the search of Wing and Gong (1993) as just-in-time linearization with memory (Lowe, "Testing for
 * linearizability", 2017): walk the history's events and keep every *configuration* that would explain them so far: the key's value, and which of the
 * operations under way have happened already. An invocation adds one to those under way. At a return the operation must have happened: a
 * configuration in which it has not is replaced by all that follow from it by letting operations under way happen, this one last. No configuration left: not
 * linearizable, and this return is the first that cannot be explained.
 *
 * An operation of unknown outcome stays under way for ever. It need not happen, so of two configurations that differ only in such
 * operations the one in which fewer have happened can do all that the other can: it alone is kept, and many unknowns cost little.
 */
import type { HistoryEvent, Operation, Value } from "./history.ts";
import { operationsOf } from "./history.ts";

export interface Verdict {
  /** `undecided`: some key had more than `configurationsMax` explanations at once. */
  readonly kind: "linearizable" | "not linearizable" | "undecided";
  readonly operations: number;
  readonly keys: number;
  /** The first return that nothing explains, for each key that has one. */
  readonly faults: readonly Fault[];
  readonly undecidedKeys: readonly string[];
}

export interface Fault {
  readonly key: string;
  readonly operation: Operation;
  /** What the key may have held just before that return. */
  readonly possibleValues: readonly Value[];
  /** The operations on that key that were under way or had returned last, in the order of their invocations. */
  readonly around: readonly Operation[];
}

/** Explanations of one key's events that are kept at once; a hundred thousand are some 50 MB. */
export const configurationsMaxDefault = 100_000;

/** Checks a whole history. Throws `HistoryMalformed`. */
export function checkLinearizable(
  events: readonly HistoryEvent[],
  configurationsMax: number = configurationsMaxDefault,
): Verdict {
  const byKey = new Map<string, Operation[]>();
  const operations = operationsOf(events);
  for (const operation of operations) {
    const others = byKey.get(operation.key);
    if (others === undefined) byKey.set(operation.key, [operation]);
    else others.push(operation);
  }
  const faults: Fault[] = [];
  const undecidedKeys: string[] = [];
  for (const [key, own] of byKey) {
    const result = checkKey(own, configurationsMax);
    if (result === "undecided") undecidedKeys.push(key);
    else if (result !== undefined) faults.push({ key, ...result });
  }
  const kind =
    faults.length > 0 ? "not linearizable" : undecidedKeys.length > 0 ? "undecided" : "linearizable";
  return { kind, operations: operations.length, keys: byKey.size, faults, undecidedKeys };
}

/** One sentence a fault, for people. */
export function faultToText({ key, operation, possibleValues, around }: Fault): string {
  const values = possibleValues.map((value) => JSON.stringify(value)).join(" or ");
  const context = around.map((each) => `  ${operationToText(each)}`).join("\n");
  return `${operationToText(operation)} cannot be explained: ${key} held ${values} then.\n${context}`;
}

/** For example `process 3 cas x "a" -> "b" refused [12, 17]`. */
export function operationToText(operation: Operation): string {
  const { process, f, key, value, expected, outcome, invoked, returned } = operation;
  const change =
    f === "cas" ? `${JSON.stringify(expected)} -> ${JSON.stringify(value)}` : JSON.stringify(value);
  const result = outcome === "done" ? "" : ` ${outcome}`;
  return `process ${process} ${f} ${key} ${change}${result} [${invoked}, ${returned === Infinity ? "?" : returned}]`;
}

interface Configuration {
  readonly value: Value;
  /** Operations under way that have happened, one bit each: those that return, and those of unknown outcome. */
  readonly happened: bigint;
  readonly unknown: bigint;
}

/** Of one key, sorted by invocation. undefined when it is linearizable. */
function checkKey(
  operations: readonly Operation[],
  configurationsMax: number,
): Omit<Fault, "key"> | "undecided" | undefined {
  const moments = operations
    .flatMap((operation) => [
      { at: operation.invoked, operation, isReturn: false },
      { at: operation.returned, operation, isReturn: true },
    ])
    .filter(({ at }) => at < Infinity)
    .sort((a, b) => a.at - b.at);
  const underWay: UnderWay = { known: [], unknown: [] };
  let configurations: Configuration[] = [{ value: null, happened: 0n, unknown: 0n }];
  for (const { operation, isReturn } of moments) {
    if (!isReturn) {
      if (operation.outcome === "unknown") underWay.unknown.push(operation);
      else underWay.known[freeSlot(underWay.known)] = operation;
      continue;
    }
    const next = explain(configurations, operation, underWay, configurationsMax);
    if (next === undefined) return "undecided";
    if (next.length === 0) {
      const possibleValues = [...new Set(configurations.map(({ value }) => value))];
      const around = operations.filter((each) => each.invoked < operation.returned).slice(-12);
      return { operation, possibleValues, around };
    }
    underWay.known[underWay.known.indexOf(operation)] = undefined;
    configurations = next;
  }
  return undefined;
}

interface UnderWay {
  /** A slot is free again once its operation has returned; its bit is then clear in every configuration. */
  readonly known: (Operation | undefined)[];
  readonly unknown: Operation[];
}

function freeSlot(slots: readonly (Operation | undefined)[]): number {
  const free = slots.indexOf(undefined);
  return free < 0 ? slots.length : free;
}

/** All configurations in which `target` has happened; its bit is cleared. undefined when there are too many. */
function explain(
  configurations: readonly Configuration[],
  target: Operation,
  underWay: UnderWay,
  configurationsMax: number,
): Configuration[] | undefined {
  const bit = 1n << BigInt(underWay.known.indexOf(target));
  const kept = new Configurations();
  const explored = new Configurations();
  // Breadth first: an explanation that needs fewer operations comes before those that it makes superfluous.
  const isWanted = wantedValues(underWay);
  const queue: Configuration[] = [];
  for (const configuration of configurations) if (explored.add(configuration)) queue.push(configuration);
  for (let at = 0; at < queue.length; at++) {
    const from = queue[at]!;
    if ((from.happened & bit) !== 0n) {
      kept.add({ ...from, happened: from.happened & ~bit });
      continue;
    }
    for (const next of successors(from, underWay, isWanted)) if (explored.add(next)) queue.push(next);
    if (queue.length > configurationsMax) return undefined;
  }
  return kept.all();
}

/**
 * Which values an operation under way would notice. One of unknown outcome happens only right before another that notices: before a write it might as
 * well not have happened, and for an operation not yet invoked it is early enough then.
 */
function wantedValues({ known, unknown }: UnderWay): (value: Value) => boolean {
  const wanted = new Set<Value>();
  for (const operation of known) {
    if (operation === undefined || operation.f === "write") continue;
    if (operation.outcome === "refused") return () => true;
    wanted.add(operation.f === "read" ? operation.value : operation.expected);
  }
  if (wanted.size > 0) for (const { f, expected } of unknown) if (f === "cas") wanted.add(expected);
  return (value) => wanted.has(value);
}

/** What `from` can become by letting one operation under way happen. */
function* successors(
  from: Configuration,
  { known, unknown }: UnderWay,
  isWanted: (value: Value) => boolean,
): Generator<Configuration> {
  for (let slot = 0; slot < known.length; slot++) {
    const operation = known[slot];
    const bit = 1n << BigInt(slot);
    if (operation === undefined || (from.happened & bit) !== 0n) continue;
    const value = valueAfter(operation, from.value);
    if (value !== undefined) yield { ...from, value, happened: from.happened | bit };
  }
  for (let slot = 0; slot < unknown.length; slot++) {
    const value = valueAfter(unknown[slot]!, from.value);
    if (value === undefined || value === from.value || !isWanted(value)) continue;
    const bit = 1n << BigInt(slot);
    if ((from.unknown & bit) === 0n) yield { ...from, value, unknown: from.unknown | bit };
  }
}

/** The sequential specification: the key's value after `operation` has happened to `value`; undefined when its answer would have been another. */
function valueAfter({ f, value, expected, outcome }: Operation, before: Value): Value | undefined {
  if (f === "write") return value;
  if (f === "read") return value === before ? before : undefined;
  if (outcome === "refused") return before === expected ? undefined : before;
  return before === expected ? value : undefined;
}

/** A set of configurations without those that another makes superfluous. */
class Configurations {
  /** For each value and set of known operations, the least sets of unknown ones. */
  readonly #unknowns = new Map<string, { value: Value; happened: bigint; least: bigint[] }>();

  /** Whether it says something new. */
  add({ value, happened, unknown }: Configuration): boolean {
    const key = `${happened} ${JSON.stringify(value)}`;
    const same = this.#unknowns.get(key);
    if (same === undefined) {
      this.#unknowns.set(key, { value, happened, least: [unknown] });
      return true;
    }
    if (same.least.some((least) => (least & unknown) === least)) return false;
    same.least = [...same.least.filter((other) => (unknown & other) !== unknown), unknown];
    return true;
  }

  all(): Configuration[] {
    return [...this.#unknowns.values()].flatMap(({ value, happened, least }) =>
      least.map((unknown) => ({ value, happened, unknown })),
    );
  }
}
