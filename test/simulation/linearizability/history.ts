/**
 * What clients of a map of keys saw, as the Jepsen tools write it: one JSON object a line, in the order in which it happened.
 *
 * `{"process":3,"type":"invoke","f":"cas","key":"x","value":["a","b"],"time":1200}` and, later, the same process' `ok`, `fail` or `info`.
 * A read is invoked with the value null and returns what it saw, null for no value. A cas has the value expected, null for none, and the new one.
 */
export type OperationName = "read" | "write" | "cas";

/**
 * `fail`: it certainly had no effect, and never will; `info`: nobody knows: it may take effect at any later time, or never. After an `info`
 * a client goes on under a new process number, since the old one's operation may still be going on.
 */
export type EventType = "invoke" | "ok" | "fail" | "info";

export type Value = string | number | boolean | null;

export interface HistoryEvent {
  readonly process: number;
  readonly type: EventType;
  readonly f: OperationName;
  readonly key: string;
  /** Of a cas a pair. */
  readonly value: Value | readonly [Value, Value];
  /** Any clock; only the order of the events counts. */
  readonly time: number;
  /** On the `fail` of a cas: it was refused because the key had another value, which it says about the state then. */
  readonly refused?: boolean;
}

/** One operation, and when it began and ended: the numbers of its events in the history. */
export interface Operation {
  readonly process: number;
  readonly f: OperationName;
  readonly key: string;
  /** What was read, or written; of a cas the new value. */
  readonly value: Value;
  /** Of a cas. */
  readonly expected: Value;
  readonly outcome: "done" | "refused" | "unknown";
  readonly invoked: number;
  /** Infinity for an unknown outcome. */
  readonly returned: number;
}

/** The history is not one: which line, and what is wrong with it. */
export class HistoryMalformed extends Error {
  override readonly name = "HistoryMalformed";
  /** From 1. */
  readonly line: number;

  constructor(line: number, what: string) {
    super(`Line ${line} of the history: ${what}`);
    this.line = line;
  }
}

/** One JSON object a line, each line ended. */
export function historyToText(events: readonly HistoryEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** Throws `HistoryMalformed`. */
export function historyFromText(text: string): HistoryEvent[] {
  const lines = text.split("\n");
  const events: HistoryEvent[] = [];
  lines.forEach((line, at) => {
    if (line.trim() !== "") events.push(eventFromLine(line, at + 1));
  });
  return events;
}

/**
 * Pairs each invocation with its return. What certainly had no effect says nothing and is left out, and so is a read that nobody heard of;
 * an invocation without a return has an unknown outcome. Throws `HistoryMalformed`.
 */
export function operationsOf(events: readonly HistoryEvent[]): Operation[] {
  const open = new Map<number, { event: HistoryEvent; at: number }>();
  const operations: Operation[] = [];
  const add = (invocation: { event: HistoryEvent; at: number }, at: number, result?: HistoryEvent): void => {
    const operation = operationOf(invocation.event, invocation.at, at, result);
    if (operation !== undefined) operations.push(operation);
  };
  events.forEach((event, at) => {
    const invocation = open.get(event.process);
    if (event.type === "invoke") {
      if (invocation !== undefined) {
        throw new HistoryMalformed(at + 1, `process ${event.process} invokes before it has returned.`);
      }
      open.set(event.process, { event, at });
      return;
    }
    if (invocation === undefined || invocation.event.f !== event.f || invocation.event.key !== event.key) {
      throw new HistoryMalformed(at + 1, `process ${event.process} returns from what it has not invoked.`);
    }
    open.delete(event.process);
    add(invocation, at, event);
  });
  for (const invocation of open.values()) add(invocation, events.length);
  return operations.sort((a, b) => a.invoked - b.invoked);
}

function operationOf(
  invocation: HistoryEvent,
  invoked: number,
  at: number,
  result: HistoryEvent | undefined,
): Operation | undefined {
  const { process, f, key } = invocation;
  const isKnown = result?.type === "ok";
  const isRefused = result?.type === "fail" && f === "cas" && result.refused === true;
  if (result?.type === "fail" && !isRefused) return undefined;
  if (f === "read" && !isKnown) return undefined;
  const given = f === "read" ? result!.value : invocation.value;
  const [expected, value] = Array.isArray(given)
    ? (given as readonly [Value, Value])
    : [null, given as Value];
  const outcome = isKnown ? "done" : isRefused ? "refused" : "unknown";
  const returned = outcome === "unknown" ? Infinity : at;
  return { process, f, key, value, expected, outcome, invoked, returned };
}

const types: readonly string[] = ["invoke", "ok", "fail", "info"];
const names: readonly string[] = ["read", "write", "cas"];

function eventFromLine(line: string, number: number): HistoryEvent {
  let event: Partial<HistoryEvent>;
  try {
    event = JSON.parse(line);
  } catch {
    throw new HistoryMalformed(number, "it is no JSON.");
  }
  if (typeof event !== "object" || event === null) throw new HistoryMalformed(number, "it is no object.");
  const { process, type, f, key, value, time } = event;
  if (!Number.isInteger(process)) throw new HistoryMalformed(number, '"process" must be an integer.');
  if (!types.includes(type!))
    throw new HistoryMalformed(number, `"type" must be one of ${types.join(", ")}.`);
  if (!names.includes(f!)) throw new HistoryMalformed(number, `"f" must be one of ${names.join(", ")}.`);
  if (typeof key !== "string") throw new HistoryMalformed(number, '"key" must be a string.');
  if (typeof time !== "number") throw new HistoryMalformed(number, '"time" must be a number.');
  if (f === "cas" ? !isPair(value) : !isValue(value)) {
    const needed = f === "cas" ? "two plain values" : "a plain value";
    throw new HistoryMalformed(number, `"value" of a ${f} must be ${needed}.`);
  }
  return event as HistoryEvent;
}

function isValue(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isValue);
}
