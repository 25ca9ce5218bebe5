/**
 * Raft's messages on the wire: one CBOR array each, as plain `CborValue`, so that a host encodes it with its library and a
 * board with its own codec.
 *
 * ```
 * vote request     [1, 1, from, to, term, lastLogIndex, lastLogTerm]
 * vote response    [1, 2, from, to, term, granted]
 * append request   [1, 3, from, to, term, prevLogIndex, prevLogTerm, commitIndex, [entry, ...]]
 * append response  [1, 4, from, to, term, success, matchIndex, appliedIndex]
 * entry            [term, kind, version, data]        its index follows from its place
 * ```
 *
 * The first item is the version. A receiver refuses a version or type that it does not know, and ignores items of a message
 * beyond those it knows, so a later version 1 may say more. An entry has exactly four items, because it must be the
 * same on every member; what is new there gets a new kind or version, which is kept and skipped (design, point 11).
 */
import type { CborValue } from "../cbor/value.ts";
import { utf8Length } from "../text/utf8.ts";
import type { AppendRequest, Entry, MemberId, Message } from "./types.ts";
import { limits } from "./types.ts";

/** Version of the message format. */
export const raftWireVersion = 1;

/** Bytes arrived that are no Raft message, or one beyond the limits of the protocol; the message says which item. */
export class MalformedMessage extends Error {
  override get name(): string {
    return "MalformedMessage";
  }
}

export function messageToWire(message: Message): CborValue {
  const { from, to, term } = message;
  switch (message.type) {
    case "vote-request":
      return [raftWireVersion, voteRequest, from, to, term, message.lastLogIndex, message.lastLogTerm];
    case "vote-response":
      return [raftWireVersion, voteResponse, from, to, term, message.granted];
    case "append-request": {
      const entries: CborValue[] = [];
      for (const entry of message.entries) entries.push([entry.term, entry.kind, entry.version, entry.data]);
      const { prevLogIndex, prevLogTerm, commitIndex } = message;
      return [
        raftWireVersion,
        appendRequest,
        from,
        to,
        term,
        prevLogIndex,
        prevLogTerm,
        commitIndex,
        entries,
      ];
    }
    case "append-response": {
      const { success, matchIndex, appliedIndex } = message;
      return [raftWireVersion, appendResponse, from, to, term, success, matchIndex, appliedIndex];
    }
  }
}

/** Checks everything that a core relies on: shape, limits, and terms that never fall from one entry to the next. Throws `MalformedMessage`. */
export function messageFromWire(value: CborValue): Message {
  const items = listAt(value, "message");
  if (items[0] !== raftWireVersion) {
    throw new MalformedMessage(
      `Raft message of version ${shown(items[0])}: this member knows only version ${raftWireVersion}; update the older side.`,
    );
  }
  const from = memberAt(items, 2, "from");
  const to = memberAt(items, 3, "to");
  const term = integerAt(items, 4, "term", 1);
  switch (items[1]) {
    case voteRequest: {
      const lastLogIndex = integerAt(items, 5, "lastLogIndex", 0);
      const lastLogTerm = integerAt(items, 6, "lastLogTerm", 0);
      return { type: "vote-request", from, to, term, lastLogIndex, lastLogTerm };
    }
    case voteResponse:
      return { type: "vote-response", from, to, term, granted: booleanAt(items, 5, "granted") };
    case appendRequest:
      return appendRequestFrom(items, from, to, term);
    case appendResponse: {
      const success = booleanAt(items, 5, "success");
      const matchIndex = integerAt(items, 6, "matchIndex", 0);
      const appliedIndex = integerAt(items, 7, "appliedIndex", 0);
      return { type: "append-response", from, to, term, success, matchIndex, appliedIndex };
    }
    default:
      throw new MalformedMessage(`Raft message of type ${shown(items[1])}: known types are 1 to 4.`);
  }
}

const voteRequest = 1;
const voteResponse = 2;
const appendRequest = 3;
const appendResponse = 4;

function appendRequestFrom(
  items: readonly CborValue[],
  from: MemberId,
  to: MemberId,
  term: number,
): AppendRequest {
  const prevLogIndex = integerAt(items, 5, "prevLogIndex", 0);
  const prevLogTerm = integerAt(items, 6, "prevLogTerm", 0);
  const commitIndex = integerAt(items, 7, "commitIndex", 0);
  const wireEntries = listAt(items[8], "entries");
  if (wireEntries.length > limits.appendEntriesMax) {
    throw new MalformedMessage(
      `Raft append of ${wireEntries.length} entries: at most ${limits.appendEntriesMax} are allowed.`,
    );
  }
  const entries: Entry[] = [];
  let dataBytes = 0;
  let termBefore = prevLogTerm;
  for (let i = 0; i < wireEntries.length; i++) {
    const entry = entryFrom(wireEntries[i], prevLogIndex + 1 + i);
    dataBytes += entry.data.length;
    if (entry.term < termBefore || entry.term > term) {
      throw new MalformedMessage(
        `Raft append with term ${entry.term} at entry ${entry.index}: it must lie between ${termBefore} and ${term}.`,
      );
    }
    termBefore = entry.term;
    entries.push(entry);
  }
  if (dataBytes > limits.appendBytesMax) {
    throw new MalformedMessage(
      `Raft append with ${dataBytes} bytes of data: at most ${limits.appendBytesMax} are allowed.`,
    );
  }
  return { type: "append-request", from, to, term, prevLogIndex, prevLogTerm, commitIndex, entries };
}

function entryFrom(value: CborValue | undefined, index: number): Entry {
  const items = listAt(value, "entry");
  if (items.length !== 4) {
    throw new MalformedMessage(`Raft entry ${index} has ${items.length} items: it must have exactly 4.`);
  }
  const data = items[3];
  if (!(data instanceof Uint8Array) || data.length > limits.entryBytesMax) {
    throw new MalformedMessage(
      `Raft entry ${index} carries ${shown(data)}: it must carry at most ${limits.entryBytesMax} bytes.`,
    );
  }
  const term = integerAt(items, 0, "entry term", 1);
  const kind = integerAt(items, 1, "entry kind", 0);
  const version = integerAt(items, 2, "entry version", 1);
  return { index, term, kind, version, data };
}

function listAt(value: CborValue | undefined, what: string): readonly CborValue[] {
  if (!Array.isArray(value)) {
    throw new MalformedMessage(`Raft ${what} is ${shown(value)}: it must be an array.`);
  }
  return value;
}

function integerAt(items: readonly CborValue[], at: number, what: string, min: number): number {
  const value = items[at];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min) {
    throw new MalformedMessage(`Raft ${what} is ${shown(value)}: it must be an integer from ${min} on.`);
  }
  return value;
}

function booleanAt(items: readonly CborValue[], at: number, what: string): boolean {
  const value = items[at];
  if (typeof value !== "boolean") {
    throw new MalformedMessage(`Raft ${what} is ${shown(value)}: it must be true or false.`);
  }
  return value;
}

function memberAt(items: readonly CborValue[], at: number, what: string): MemberId {
  const value = items[at];
  const bytes = typeof value === "string" ? utf8Length(value) : 0;
  if (typeof value !== "string" || bytes < 1 || bytes > limits.memberIdBytesMax) {
    throw new MalformedMessage(
      `Raft ${what} is ${shown(value)}: it must be a member id of 1 to ${limits.memberIdBytesMax} bytes.`,
    );
  }
  return value;
}

/** A value in a few characters, whatever was sent. */
function shown(value: CborValue | undefined): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "string") return `a text of ${value.length} characters`;
  return value === undefined ? "missing" : `${value as number | boolean | null}`;
}
