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
  UnknownMessage,
} from "../../../protocols/raft/codec.ts";
import type { Message } from "../../../protocols/raft/types.ts";

const index = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 31, max: 2 ** 33 }));
const memberId = fc
  .tuple(fc.constantFrom("north-1", "hält", "a"), fc.nat())
  .map(([name, n]) => `${name}.${n}`);
const ends = { from: memberId, to: memberId };
const term = fc.integer({ min: 1, max: 2 ** 32 });

const appendRequest = fc
  .record({
    ...ends,
    prevLogIndex: index,
    prevLogTerm: fc.nat(1000),
    commitIndex: index,
    readRound: fc.nat(3),
    rises: fc.array(fc.nat(5), { maxLength: 16 }),
    data: fc.uint8Array({ maxLength: 120 }),
    kind: fc.nat(300),
    version: fc.integer({ min: 1, max: 300 }),
  })
  .map(({ rises, data, kind, version, ...rest }): Message => {
    let last = rest.prevLogTerm + 1;
    const entries = rises.map((rise, at) => {
      last += rise;
      return { index: rest.prevLogIndex + 1 + at, term: last, kind, version, data };
    });
    return { type: "append-request", ...rest, term: last, entries };
  });

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant("vote-request" as const),
    ...ends,
    term,
    lastLogIndex: index,
    lastLogTerm: index,
    purpose: fc.constantFrom("election" as const, "pre-vote" as const, "transfer" as const),
  }),
  fc.record({
    type: fc.constant("vote-response" as const),
    ...ends,
    term,
    granted: fc.boolean(),
    isPreVote: fc.boolean(),
  }),
  fc.record({ type: fc.constant("timeout-now" as const), ...ends, term }),
  fc.record({
    type: fc.constant("append-response" as const),
    ...ends,
    term,
    success: fc.boolean(),
    matchIndex: index,
    appliedIndex: index,
    readRound: fc.nat(3),
  }),
  appendRequest,
);

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

  it("leave room for later items", () => {
    const wire = [...(messageToWire(voteResponse) as CborValue[]), true, "something new", [1]];
    expect(messageFromWire(wire)).toEqual({ ...voteResponse, isPreVote: true });
  });

  it("of a later type, or asking for a vote for a later purpose, can be told from garbage", () => {
    expect(() => messageFromWire([1, 6, "a", "b", 1, true])).toThrow(UnknownMessage);
    expect(() => messageFromWire([1, 1, "a", "b", 1, 0, 0, 3])).toThrow(UnknownMessage);
    expect(new UnknownMessage("x").name).toBe("UnknownMessage");
  });

  it("say nothing new to a member of the first version unless there is something", () => {
    const ends = { from: "a", to: "b", term: 2 } as const;
    const place = { lastLogIndex: 5, lastLogTerm: 1 } as const;
    const asked = { type: "vote-request", ...ends, ...place } as const;
    expect(messageToWire({ ...asked, purpose: "election" })).toEqual([1, 1, "a", "b", 2, 5, 1]);
    expect(messageToWire({ ...asked, purpose: "pre-vote" })).toEqual([1, 1, "a", "b", 2, 5, 1, 1]);
    expect(messageToWire(voteResponse)).toEqual([1, 2, "a", "b", 1, true]);
    const taken = {
      type: "append-response",
      ...ends,
      success: true,
      matchIndex: 5,
      appliedIndex: 4,
    } as const;
    expect(messageToWire({ ...taken, readRound: 0 })).toEqual([1, 4, "a", "b", 2, true, 5, 4]);
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

  it("one item of another type, or missing, is refused or was beyond the known ones", () => {
    const wrong = fc.constantFrom<CborValue>(
      null,
      -1,
      0.5,
      2 ** 60,
      "",
      "x".repeat(49),
      [],
      [[]],
      Uint8Array.of(1),
    );
    fc.assert(
      fc.property(message, fc.nat(8), wrong, (sent, at, value) => {
        const wire = [...(messageToWire(sent) as CborValue[])];
        const itemsMin = {
          "vote-request": 7,
          "vote-response": 6,
          "append-request": 9,
          "append-response": 8,
          "timeout-now": 5,
        };
        if (at >= itemsMin[sent.type]) return;
        // An empty list of entries is a heartbeat.
        if (at === 8 && Array.isArray(value) && value.length === 0) return;
        wire[at] = value;
        expect(() => messageFromWire(wire)).toThrow(MalformedMessage);
        expect(() => messageFromWire(wire.slice(0, at))).toThrow(MalformedMessage);
      }),
    );
  });

  it.each<[string, CborValue]>([
    ["a later version", [2, 2, "a", "b", 1, true]],
    ["a type that is no number", [1, "5", "a", "b", 1, true]],
    ["a purpose that is no number", [1, 1, "a", "b", 1, 0, 0, "x"]],
    ["a round below 0", [1, 4, "a", "b", 1, true, 0, 0, -1]],
    ["term 0", [1, 2, "a", "b", 0, true]],
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
    ["an id of 49 bytes in 25 characters", [1, 2, "a", `${"ä".repeat(24)}x`, 1, true]],
  ])("refuses %s", (_, wire) => {
    expect(() => messageFromWire(wire)).toThrow(MalformedMessage);
  });

  it("takes an append at the very limits", () => {
    const wire = request([1024, 1024].map((bytes) => [3, 1, 1, new Uint8Array(bytes)]));
    expect(messageFromWire(wire)).toMatchObject({ entries: [{ index: 1 }, { index: 2 }] });
  });

  it("names itself, though a preloaded class may not assign its name", () => {
    expect(new MalformedMessage("x").name).toBe("MalformedMessage");
  });
});

const voteResponse: Message = {
  type: "vote-response",
  from: "a",
  to: "b",
  term: 1,
  granted: true,
  isPreVote: false,
};

function request(entries: readonly CborValue[]): CborValue {
  return [1, 3, "a", "b", 3, 0, 0, 0, entries];
}

/** Byte strings of any kind as plain arrays. */
function plain(value: Message): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? [...part] : part)),
    (_, part) => (part?.type === "Buffer" ? part.data : part),
  );
}
