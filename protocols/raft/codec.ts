/**
 * Raft's messages on the wire: one CBOR array each, as plain `CborValue`, so that a host encodes it with its library and a
 * board with its own codec.
 *
 * ```
 * vote request     [1, 1, from, to, term, lastLogIndex, lastLogTerm, purpose?]     0 election, 1 pre-vote, 2 transfer
 * vote response    [1, 2, from, to, term, granted, isPreVote?]
 * append request   [1, 3, from, to, term, prevLogIndex, prevLogTerm, commitIndex, [entry, ...], readRound?]
 * append response  [1, 4, from, to, term, success, matchIndex, appliedIndex, readRound?]
 * timeout now      [1, 5, from, to, term]
 * entry            [term, kind, version, data]        its index follows from its place
 * ```
 *
 * The first item is the version. A receiver refuses a version that it does not know, passes over a type that it does not
 * know, and ignores items of a message beyond those it knows, so a later version 1 may say more. Items with a `?` came
 * later and are left out when they are 0 or false, which is what a sender that knows nothing of them means. To a board of
 * the first version, which ends the connection over an unknown type, nothing beyond type 4 is ever sent; it takes a
 * pre-vote for an election, as it did before there were any. An entry has exactly four items, because it must be the
 * same on every member; what is new there gets a new kind or version, which is kept and skipped (design, point 11).
 */
import type { CborValue } from "../cbor/value.ts";
import { utf8Length } from "../text/utf8.ts";
import type { AppendRequest, Entry, MemberId, Message, VotePurpose } from "./types.ts";
import { limits } from "./types.ts";

/** Version of the message format. */
export const raftWireVersion = 1;

/** Bytes arrived that are no Raft message, or one beyond the limits of the protocol; the message says which item. */
export class MalformedMessage extends Error {
  override get name(): string {
    return "MalformedMessage";
  }
}

/** A message of a type from a newer version: to be passed over, as if it had been lost. */
export class UnknownMessage extends Error {
  override get name(): string {
    return "UnknownMessage";
  }
}

export function messageToWire(message: Message): CborValue {
  const { from, to, term } = message;
  switch (message.type) {
    case "vote-request": {
      const { lastLogIndex, lastLogTerm } = message;
      const wire = [raftWireVersion, voteRequest, from, to, term, lastLogIndex, lastLogTerm];
      const purpose = purposes.indexOf(message.purpose);
      if (purpose > 0) wire.push(purpose);
      return wire;
    }
    case "vote-response": {
      const wire = [raftWireVersion, voteResponse, from, to, term, message.granted];
      if (message.isPreVote) wire.push(true);
      return wire;
    }
    case "append-request": {
      const entries: CborValue[] = [];
      for (const entry of message.entries) entries.push([entry.term, entry.kind, entry.version, entry.data]);
      const { prevLogIndex, prevLogTerm, commitIndex, readRound } = message;
      const place = [prevLogIndex, prevLogTerm, commitIndex];
      const wire: CborValue[] = [raftWireVersion, appendRequest, from, to, term, ...place, entries];
      if (readRound > 0) wire.push(readRound);
      return wire;
    }
    case "append-response": {
      const { success, matchIndex, appliedIndex, readRound } = message;
      const wire = [raftWireVersion, appendResponse, from, to, term, success, matchIndex, appliedIndex];
      if (readRound > 0) wire.push(readRound);
      return wire;
    }
    case "timeout-now":
      return [raftWireVersion, timeoutNow, from, to, term];
  }
}

/** Checks everything that a core relies on: shape, limits, and terms that never fall from one entry to the next. Throws `MalformedMessage`, `UnknownMessage`. */
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
      const purpose = purposes[laterIntegerAt(items, 7, "purpose")];
      if (purpose === undefined) throw new UnknownMessage(`Raft vote request for ${shown(items[7])}.`);
      return { type: "vote-request", from, to, term, lastLogIndex, lastLogTerm, purpose };
    }
    case voteResponse: {
      const granted = booleanAt(items, 5, "granted");
      const isPreVote = items.length > 6 && booleanAt(items, 6, "isPreVote");
      return { type: "vote-response", from, to, term, granted, isPreVote };
    }
    case appendRequest:
      return appendRequestFrom(items, from, to, term);
    case appendResponse: {
      const success = booleanAt(items, 5, "success");
      const matchIndex = integerAt(items, 6, "matchIndex", 0);
      const appliedIndex = integerAt(items, 7, "appliedIndex", 0);
      const readRound = laterIntegerAt(items, 8, "readRound");
      return { type: "append-response", from, to, term, success, matchIndex, appliedIndex, readRound };
    }
    case timeoutNow:
      return { type: "timeout-now", from, to, term };
    default:
      integerAt(items, 1, "type", 1);
      throw new UnknownMessage(`Raft message of type ${shown(items[1])}: known types are 1 to 5.`);
  }
}

const voteRequest = 1;
const voteResponse = 2;
const appendRequest = 3;
const appendResponse = 4;
const timeoutNow = 5;

/** In the order of their numbers. */
const purposes: readonly VotePurpose[] = Object.freeze(["election", "pre-vote", "transfer"] as const);

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
  const readRound = laterIntegerAt(items, 9, "readRound");
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
  const place = { prevLogIndex, prevLogTerm, commitIndex };
  return { type: "append-request", from, to, term, ...place, readRound, entries };
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

/** An item that is left out when it is 0. */
function laterIntegerAt(items: readonly CborValue[], at: number, what: string): number {
  return items.length > at ? integerAt(items, at, what, 0) : 0;
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
