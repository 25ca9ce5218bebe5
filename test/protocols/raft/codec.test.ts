import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import { decodeCbor as decodeOnBoard } from "../../../protocols/cbor/decode.ts";
import { encodeCbor as encodeOnBoard } from "../../../protocols/cbor/encode.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import {
  MalformedMessage,
  messageFromWire,
  messageToWire,
  publicationFromWire,
  publicationToWire,
  UnknownMessage,
} from "../../../protocols/raft/codec.ts";
import type { Entry, Message, Publication, SnapshotItem } from "../../../protocols/raft/types.ts";
import { limits } from "../../../protocols/raft/types.ts";

const index = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 31, max: 2 ** 33 }));
const memberId = fc
  .tuple(fc.constantFrom("north-1", "hält", "a"), fc.nat())
  .map(([name, n]) => `${name}.${n}`);
const ends = { from: memberId, to: memberId };
const term = fc.integer({ min: 1, max: 2 ** 32 });
const hash = fc.uint8Array({ minLength: 16, maxLength: 16 });
const is = <T extends string>(type: T) => fc.constant(type);
const content = fc.record({
  kind: fc.nat(300),
  version: fc.integer({ min: 1, max: 300 }),
  data: fc.uint8Array({ maxLength: 120 }),
});

/** A place in a log and what follows on it, of terms that never fall and end with the sender's. */
function suffix(entriesMin: number) {
  const rises = fc.array(fc.tuple(fc.nat(5), content), { minLength: entriesMin, maxLength: 16 });
  return fc.tuple(index, fc.nat(1000), rises).map(([prevLogIndex, prevLogTerm, rises]) => {
    let last = Math.max(1, prevLogTerm);
    const entries = rises.map(([rise, content], at): Entry => {
      last += rise;
      return { index: prevLogIndex + 1 + at, term: last, ...content };
    });
    return { prevLogIndex, prevLogTerm, term: last, entries };
  });
}

const chunk = fc
  .record({
    type: is("snapshot-chunk"),
    ...ends,
    term,
    index: index.map((at) => at + 1),
    hash,
    first: fc.nat(600),
    items: fc.array(content as fc.Arbitrary<SnapshotItem>, { maxLength: 8 }),
    isLast: fc.boolean(),
  })
  .map(
    (chunk): Message => ({
      ...chunk,
      indexTerm: chunk.term,
      isLast: chunk.isLast || chunk.items.length === 0,
    }),
  );

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: is("vote-request"),
    ...ends,
    term,
    lastLogIndex: index,
    lastLogTerm: index,
    purpose: fc.constantFrom("election" as const, "pre-vote" as const, "transfer" as const),
  }),
  fc.record({
    type: is("vote-response"),
    ...ends,
    term,
    granted: fc.boolean(),
    isPreVote: fc.boolean(),
    lastLogIndex: index,
    lastLogTerm: index,
  }),
  fc.record({ type: is("timeout-now"), ...ends, term }),
  fc.record({
    type: is("append-response"),
    ...ends,
    term,
    success: fc.boolean(),
    matchIndex: index,
    appliedIndex: index,
    readRound: fc.nat(3),
  }),
  fc
    .tuple(
      fc.record({
        type: is("append-request"),
        ...ends,
        prevHash: hash,
        commitIndex: index,
        readRound: fc.nat(3),
      }),
      suffix(0),
    )
    .map(([head, suffix]): Message => ({ ...head, ...suffix })),
  chunk,
  fc.record({
    type: is("snapshot-response"),
    ...ends,
    term,
    index: index.map((at) => at + 1),
    indexTerm: term,
    received: fc.nat(600),
    isInstalled: fc.boolean(),
  }),
  fc.record({
    type: is("log-request"),
    ...ends,
    term,
    afterIndex: index,
    afterTerm: index,
    snapshotIndex: index,
    snapshotFirst: fc.nat(600),
  }),
  fc
    .tuple(
      fc.record({
        type: is("log-response"),
        ...ends,
        isMatch: fc.boolean(),
        lastLogIndex: index,
        commitIndex: index,
      }),
      suffix(0),
    )
    .map(([head, suffix]): Message => ({ ...head, ...suffix, lastLogTerm: suffix.term })),
);

const publication = fc
  .tuple(fc.record({ type: is("publication"), from: memberId, prevHash: hash }), suffix(1))
  .map(([head, suffix]): Publication => ({ ...head, ...suffix }));

describe("Raft's messages on the wire", () => {
  it("arrive as they were sent, from a host to a board and back", () => {
    fc.assert(
      fc.property(message, (sent) => {
        const hostBytes = encodeCbor(messageToWire(sent));
        const boardBytes = encodeOnBoard(messageToWire(sent));
        expect(Buffer.from(hostBytes).equals(boardBytes)).toBe(true);
        expect(plain(messageFromWire(decodeOnBoard(hostBytes)))).toEqual(plain(sent));
        expect(plain(messageFromWire(decodeCbor(boardBytes)))).toEqual(plain(sent));
      }),
    );
  });

  it("and so do publications, which are no messages, nor messages publications", () => {
    fc.assert(
      fc.property(publication, message, (sent, other) => {
        const wire = publicationToWire(sent);
        const hostBytes = encodeCbor(wire);
        expect(Buffer.from(hostBytes).equals(encodeOnBoard(wire))).toBe(true);
        expect(plain(publicationFromWire(decodeOnBoard(hostBytes)))).toEqual(plain(sent));
        expect(() => messageFromWire(wire)).toThrow(UnknownMessage);
        expect(() => publicationFromWire(messageToWire(other))).toThrow();
      }),
    );
  });

  it("of a later type can be told from garbage", () => {
    expect(() => messageFromWire([1, 11, "a", "b", 1, true])).toThrow(UnknownMessage);
    expect(new UnknownMessage("x").name).toBe("UnknownMessage");
  });

  it("whatever else arrives is refused with a sentence", () => {
    const anything = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.double(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 8 }),
        fc.array(tie("value"), { maxLength: 10 }),
      ),
    })).value;
    fc.assert(
      fc.property(anything, (value) => {
        expect(() => messageFromWire(value)).toThrow(MalformedMessage);
      }),
    );
  });

  it("one item of another type, one missing or one too many is refused", () => {
    const wrong = fc.constantFrom<CborValue>(
      null,
      -1,
      0.5,
      2 ** 60,
      "",
      "x".repeat(49),
      [[]],
      Uint8Array.of(1),
    );
    const wires = fc.oneof(
      message.map((sent) => ({ wire: messageToWire(sent), read: messageFromWire })),
      publication.map((sent) => ({ wire: publicationToWire(sent), read: publicationFromWire })),
    );
    fc.assert(
      fc.property(wires, fc.nat(11), wrong, ({ wire, read }, at, value) => {
        const items = [...(wire as CborValue[])];
        expect(() => read([...items, value])).toThrow(MalformedMessage);
        if (at >= items.length) return;
        expect(() => read(items.slice(0, at))).toThrow(MalformedMessage);
        items[at] = value;
        expect(() => read(items)).toThrow(MalformedMessage);
      }),
    );
  });

  it.each<[string, CborValue]>([
    ["a later version", [2, 5, "a", "b", 1]],
    ["a type that is no number", [1, "5", "a", "b", 1]],
    ["a purpose that there is not", [1, 1, "a", "b", 1, 0, 0, 3]],
    ["a round below 0", [1, 4, "a", "b", 1, true, 0, 0, -1]],
    ["term 0", [1, 5, "a", "b", 0]],
    ["seventeen entries", request(Array(17).fill([1, 1, 1, new Uint8Array(1)]))],
    ["an entry of 1,025 bytes", request([[1, 1, 1, new Uint8Array(1025)]])],
    ["2,049 bytes in all", request([1024, 1024, 1].map((bytes) => [1, 1, 1, new Uint8Array(bytes)]))],
    ["an entry of three items", request([[1, 1, 1]])],
    ["an entry of five items", request([[1, 1, 1, new Uint8Array(1), 1]])],
    ["an entry of a later term than its leader's", request([[4, 1, 1, new Uint8Array(1)]])],
    [
      "terms that fall",
      request([
        [3, 1, 1, new Uint8Array(1)],
        [2, 1, 1, new Uint8Array(1)],
      ]),
    ],
    ["a hash of 15 bytes", [1, 3, "a", "b", 3, 0, 0, new Uint8Array(15), 0, 0, []]],
    ["a hash of 17 bytes", [1, 3, "a", "b", 3, 0, 0, new Uint8Array(17), 0, 0, []]],
    ["an id of 49 bytes in 25 characters", [1, 5, "a", `${"ä".repeat(24)}x`, 1]],
    ["an empty chunk that is not the last", snapshot([], false)],
    ["1,025 bytes in two items", snapshot([1024, 1], true)],
    ["an item of 1,025 bytes", snapshot([1025], true)],
    ["a snapshot of a later term than its sender's", [1, 6, "a", "b", 3, 9, 4, noHash, 0, [], true]],
  ])("refuses %s", (_, wire) => {
    expect(() => messageFromWire(wire)).toThrow(MalformedMessage);
  });

  it("refuses a publication of nothing", () => {
    expect(() => publicationFromWire([1, 10, "a", 3, 0, 0, noHash, []])).toThrow(MalformedMessage);
  });

  it("takes what is at the very limits", () => {
    const wire = request([1024, 1024].map((bytes) => [3, 1, 1, new Uint8Array(bytes)]));
    expect(messageFromWire(wire)).toMatchObject({ entries: [{ index: 1 }, { index: 2 }] });
    expect(messageFromWire(snapshot([1024], false))).toMatchObject({ items: [{ kind: 1 }] });
    expect(messageFromWire(snapshot([512, 512], false))).toMatchObject({ items: [{}, {}] });
    expect(messageFromWire(snapshot([], true))).toMatchObject({ items: [] });
  });

  it("takes more between hosts that agree on more, where a board would not", () => {
    const between = { ...limits, appendEntriesMax: 64, appendBytesMax: 65_536, snapshotChunkBytes: 65_536 };
    const wire = request(Array(60).fill([3, 1, 1, new Uint8Array(1000)]));
    expect(messageFromWire(wire, between)).toMatchObject({ prevLogIndex: 0 });
    expect(messageFromWire(snapshot([1024, 1024], false), between)).toMatchObject({ first: 0 });
    expect(() => messageFromWire(wire)).toThrow(MalformedMessage);
    expect(() => messageFromWire(request([[1, 1, 1, new Uint8Array(1025)]]), between)).toThrow(
      MalformedMessage,
    );
  });

  it("names itself, though a preloaded class may not assign its name", () => {
    expect(new MalformedMessage("x").name).toBe("MalformedMessage");
  });
});

const noHash = new Uint8Array(16);

function request(entries: readonly CborValue[]): CborValue {
  return [1, 3, "a", "b", 3, 0, 0, noHash, 0, 0, entries];
}

/** A chunk with items of so many bytes. */
function snapshot(items: readonly number[], isLast: boolean): CborValue {
  const wire = items.map((bytes): CborValue => [1, 1, new Uint8Array(bytes)]);
  return [1, 6, "a", "b", 3, 9, 3, noHash, 0, wire, isLast];
}

/** Byte strings of any kind as plain arrays. */
function plain(value: Message | Publication): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? [...part] : part)),
    (_, part) => (part?.type === "Buffer" ? part.data : part),
  );
}
