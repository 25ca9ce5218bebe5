/**
 * Raft's messages on the wire: one CBOR array each, as plain `CborValue`, so that a host encodes it with its library and a
 * board with its own codec.
 *
 * ```
 * vote request        [1,  1, from, to, term, lastLogIndex, lastLogTerm, purpose]     0 election, 1 pre-vote, 2 transfer
 * vote response       [1,  2, from, to, term, granted, isPreVote, lastLogIndex, lastLogTerm]
 * append request      [1,  3, from, to, term, prevLogIndex, prevLogTerm, prevHash, commitIndex, readRound, [entry, ...]]
 * append response     [1,  4, from, to, term, success, matchIndex, appliedIndex, readRound]
 * timeout now         [1,  5, from, to, term]
 * snapshot chunk      [1,  6, from, to, term, index, indexTerm, hash, first, [item, ...], isLast]
 * snapshot response   [1,  7, from, to, term, index, indexTerm, received, isInstalled]
 * log request         [1,  8, from, to, term, afterIndex, afterTerm, snapshotIndex, snapshotFirst]
 * log response        [1,  9, from, to, term, isMatch, prevLogIndex, prevLogTerm, lastLogIndex, lastLogTerm, commitIndex, [entry, ...]]
 * publication         [1, 10, from, term, prevLogIndex, prevLogTerm, prevHash, [entry, ...]]
 * entry               [term, kind, version, data]        its index follows from its place
 * item                [kind, version, data]
 * ```
 *
 * The first item is the version. A receiver refuses a version that it does not know and passes over a type that it does not
 * know. Every array has exactly the items above. An entry must be the same on every member: what is new there gets a new
 * kind or version, which is kept and skipped (design, point 11).
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { chainHashBytes } from "./chain.ts";
import type { Entry, MemberId, Message, Publication, SnapshotItem, VotePurpose } from "./types.ts";
import { limits } from "./types.ts";

/** Version of the message format. */
export const raftWireVersion = 1;

/** The limits that bytes are held to: of boards `limits`; hosts among each other may send more at a time. */
export interface MessageLimits {
  readonly entryBytesMax: number;
  readonly appendEntriesMax: number;
  readonly appendBytesMax: number;
  readonly snapshotChunkBytes: number;
}

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
      const purpose = purposes.indexOf(message.purpose);
      return [raftWireVersion, type.voteRequest, from, to, term, lastLogIndex, lastLogTerm, purpose];
    }
    case "vote-response": {
      const { granted, isPreVote, lastLogIndex, lastLogTerm } = message;
      const vote = [granted, isPreVote, lastLogIndex, lastLogTerm];
      return [raftWireVersion, type.voteResponse, from, to, term, ...vote];
    }
    case "append-request": {
      const { prevLogIndex, prevLogTerm, prevHash, commitIndex, readRound } = message;
      const place = [prevLogIndex, prevLogTerm, prevHash, commitIndex, readRound];
      return [raftWireVersion, type.appendRequest, from, to, term, ...place, entriesToWire(message.entries)];
    }
    case "append-response": {
      const { success, matchIndex, appliedIndex, readRound } = message;
      return [
        raftWireVersion,
        type.appendResponse,
        from,
        to,
        term,
        success,
        matchIndex,
        appliedIndex,
        readRound,
      ];
    }
    case "timeout-now":
      return [raftWireVersion, type.timeoutNow, from, to, term];
    case "snapshot-chunk": {
      const { index, indexTerm, hash, first, isLast } = message;
      const items: CborValue[] = [];
      for (const { kind, version, data } of message.items) items.push([kind, version, data]);
      const place = [index, indexTerm, hash, first];
      return [raftWireVersion, type.snapshotChunk, from, to, term, ...place, items, isLast];
    }
    case "snapshot-response": {
      const { index, indexTerm, received, isInstalled } = message;
      const place = [index, indexTerm, received, isInstalled];
      return [raftWireVersion, type.snapshotResponse, from, to, term, ...place];
    }
    case "log-request": {
      const { afterIndex, afterTerm, snapshotIndex, snapshotFirst } = message;
      const place = [afterIndex, afterTerm, snapshotIndex, snapshotFirst];
      return [raftWireVersion, type.logRequest, from, to, term, ...place];
    }
    case "log-response": {
      const { isMatch, prevLogIndex, prevLogTerm, lastLogIndex, lastLogTerm, commitIndex } = message;
      const place = [isMatch, prevLogIndex, prevLogTerm, lastLogIndex, lastLogTerm, commitIndex];
      return [raftWireVersion, type.logResponse, from, to, term, ...place, entriesToWire(message.entries)];
    }
  }
}

export function publicationToWire(publication: Publication): CborValue {
  const { from, term, prevLogIndex, prevLogTerm, prevHash } = publication;
  const place = [prevLogIndex, prevLogTerm, prevHash];
  return [raftWireVersion, type.publication, from, term, ...place, entriesToWire(publication.entries)];
}

/**
 * Checks everything that a core relies on: shape, limits, and terms that never fall from one entry to the next. Throws
 * `MalformedMessage`, `UnknownMessage`.
 */
export function messageFromWire(value: CborValue, within: MessageLimits = limits): Message {
  try {
    const items = new ItemReader(value, "Raft message", "", 5);
    const kind = kindFrom(items);
    if (kind >= type.publication) throw unknownType(kind);
    const message = messageFrom(items, kind, within);
    items.end();
    return message;
  } catch (error) {
    throw error instanceof ShapeError ? new MalformedMessage(error.message) : error;
  }
}

/** As `messageFromWire`; throws `UnknownMessage` for what is no publication. */
export function publicationFromWire(value: CborValue, within: MessageLimits = limits): Publication {
  try {
    const items = new ItemReader(value, "Raft publication", "", 8);
    const kind = kindFrom(items);
    if (kind !== type.publication) throw unknownType(kind);
    const from = memberFrom(items, "from");
    const term = items.integer("the term", 1, most);
    const prevLogIndex = items.integer("prevLogIndex", 0, most);
    const prevLogTerm = items.integer("prevLogTerm", 0, term);
    const prevHash = hashFrom(items);
    const entries = entriesFrom(items, prevLogIndex, prevLogTerm, term, within);
    if (entries.length === 0)
      throw new MalformedMessage("A Raft publication has no entries: it must have one.");
    items.end();
    return { type: "publication", from, term, prevLogIndex, prevLogTerm, prevHash, entries };
  } catch (error) {
    throw error instanceof ShapeError ? new MalformedMessage(error.message) : error;
  }
}

const type = Object.freeze({
  voteRequest: 1,
  voteResponse: 2,
  appendRequest: 3,
  appendResponse: 4,
  timeoutNow: 5,
  snapshotChunk: 6,
  snapshotResponse: 7,
  logRequest: 8,
  logResponse: 9,
  publication: 10,
});

/** In the order of their numbers. */
const purposes: readonly VotePurpose[] = Object.freeze(["election", "pre-vote", "transfer"] as const);

const most = Number.MAX_SAFE_INTEGER;

function kindFrom(items: ItemReader): number {
  items.integer("the version", raftWireVersion, raftWireVersion);
  return items.integer("the type", 1, most);
}

function unknownType(kind: number): UnknownMessage {
  return new UnknownMessage(`Raft message of type ${kind}, which this member does not know here.`);
}

function messageFrom(items: ItemReader, kind: number, within: MessageLimits): Message {
  const from = memberFrom(items, "from");
  const to = memberFrom(items, "to");
  const term = items.integer("the term", 1, most);
  switch (kind) {
    case type.voteRequest: {
      const lastLogIndex = items.integer("lastLogIndex", 0, most);
      const lastLogTerm = items.integer("lastLogTerm", 0, most);
      const purpose = purposes[items.integer("the purpose", 0, purposes.length - 1)]!;
      return { type: "vote-request", from, to, term, lastLogIndex, lastLogTerm, purpose };
    }
    case type.voteResponse: {
      const granted = items.boolean("granted");
      const isPreVote = items.boolean("isPreVote");
      const lastLogIndex = items.integer("lastLogIndex", 0, most);
      const lastLogTerm = items.integer("lastLogTerm", 0, most);
      return { type: "vote-response", from, to, term, granted, isPreVote, lastLogIndex, lastLogTerm };
    }
    case type.appendRequest: {
      const prevLogIndex = items.integer("prevLogIndex", 0, most);
      const prevLogTerm = items.integer("prevLogTerm", 0, term);
      const prevHash = hashFrom(items);
      const commitIndex = items.integer("commitIndex", 0, most);
      const readRound = items.integer("readRound", 0, most);
      const entries = entriesFrom(items, prevLogIndex, prevLogTerm, term, within);
      return {
        type: "append-request",
        from,
        to,
        term,
        prevLogIndex,
        prevLogTerm,
        prevHash,
        commitIndex,
        readRound,
        entries,
      };
    }
    case type.appendResponse: {
      const success = items.boolean("success");
      const matchIndex = items.integer("matchIndex", 0, most);
      const appliedIndex = items.integer("appliedIndex", 0, most);
      const readRound = items.integer("readRound", 0, most);
      return { type: "append-response", from, to, term, success, matchIndex, appliedIndex, readRound };
    }
    case type.timeoutNow:
      return { type: "timeout-now", from, to, term };
    case type.snapshotChunk: {
      const index = items.integer("the index", 1, most);
      const indexTerm = items.integer("the term at it", 1, term);
      const hash = hashFrom(items);
      const first = items.integer("first", 0, most);
      const sent = itemsFrom(items, within);
      const isLast = items.boolean("isLast");
      if (sent.length === 0 && !isLast)
        throw new MalformedMessage("A Raft snapshot chunk before the last has no items.");
      return { type: "snapshot-chunk", from, to, term, index, indexTerm, hash, first, items: sent, isLast };
    }
    case type.snapshotResponse: {
      const index = items.integer("the index", 1, most);
      const indexTerm = items.integer("the term at it", 1, most);
      const received = items.integer("received", 0, most);
      const isInstalled = items.boolean("isInstalled");
      return { type: "snapshot-response", from, to, term, index, indexTerm, received, isInstalled };
    }
    case type.logRequest: {
      const afterIndex = items.integer("afterIndex", 0, most);
      const afterTerm = items.integer("afterTerm", 0, most);
      const snapshotIndex = items.integer("snapshotIndex", 0, most);
      const snapshotFirst = items.integer("snapshotFirst", 0, most);
      return { type: "log-request", from, to, term, afterIndex, afterTerm, snapshotIndex, snapshotFirst };
    }
    case type.logResponse: {
      const isMatch = items.boolean("isMatch");
      const prevLogIndex = items.integer("prevLogIndex", 0, most);
      const prevLogTerm = items.integer("prevLogTerm", 0, most);
      const lastLogIndex = items.integer("lastLogIndex", 0, most);
      const lastLogTerm = items.integer("lastLogTerm", 0, term);
      const commitIndex = items.integer("commitIndex", 0, most);
      const entries = entriesFrom(items, prevLogIndex, prevLogTerm, term, within);
      const place = { isMatch, prevLogIndex, prevLogTerm, lastLogIndex, lastLogTerm, commitIndex };
      return { type: "log-response", from, to, term, ...place, entries };
    }
    default:
      throw unknownType(kind);
  }
}

function entriesToWire(entries: readonly Entry[]): CborValue {
  const wire: CborValue[] = [];
  for (const { term, kind, version, data } of entries) wire.push([term, kind, version, data]);
  return wire;
}

/** Entries from `prevLogIndex` + 1 on, of terms from `prevLogTerm` to `term`. */
function entriesFrom(
  items: ItemReader,
  prevLogIndex: number,
  prevLogTerm: number,
  term: number,
  within: MessageLimits,
): readonly Entry[] {
  const wire = items.array("the entries", within.appendEntriesMax);
  const entries: Entry[] = [];
  let bytes = 0;
  let termMin = Math.max(1, prevLogTerm);
  for (let i = 0; i < wire.length; i++) {
    const entry = new ItemReader(wire[i], "Raft message", "an entry", 4);
    termMin = entry.integer("the term", termMin, term);
    const kind = entry.integer("the kind", 0, most);
    const version = entry.integer("the version", 1, most);
    const data = entry.bytes("the data", within.entryBytesMax);
    entry.end();
    bytes += data.length;
    entries.push({ index: prevLogIndex + 1 + i, term: termMin, kind, version, data });
  }
  if (bytes > within.appendBytesMax) throw tooLong(bytes, within.appendBytesMax);
  return entries;
}

function itemsFrom(items: ItemReader, within: MessageLimits): readonly SnapshotItem[] {
  const wire = items.array("the items", within.snapshotChunkBytes);
  const sent: SnapshotItem[] = [];
  let bytes = 0;
  for (const value of wire) {
    const item = new ItemReader(value, "Raft message", "an item", 3);
    const kind = item.integer("the kind", 0, most);
    const version = item.integer("the version", 1, most);
    const data = item.bytes("the data", within.entryBytesMax);
    item.end();
    bytes += data.length;
    sent.push({ kind, version, data });
  }
  if (sent.length > 1 && bytes > within.snapshotChunkBytes) throw tooLong(bytes, within.snapshotChunkBytes);
  return sent;
}

function tooLong(bytes: number, bytesMax: number): MalformedMessage {
  return new MalformedMessage(
    `A Raft message carries ${bytes} bytes of data: at most ${bytesMax} are allowed.`,
  );
}

function hashFrom(items: ItemReader): Uint8Array {
  const hash = items.bytes("the hash", chainHashBytes);
  if (hash.length < chainHashBytes) {
    throw new MalformedMessage(
      `A Raft message has a hash of ${hash.length} bytes: it must have ${chainHashBytes}.`,
    );
  }
  return hash;
}

function memberFrom(items: ItemReader, item: string): MemberId {
  const id = items.text(item, limits.memberIdBytesMax);
  if (id.length === 0)
    throw new MalformedMessage(`The ${item} of a Raft message is empty: it must be a member id.`);
  return id;
}
