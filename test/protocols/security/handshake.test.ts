import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { EdhocError, type EdhocFault } from "../../../protocols/security/edhoc/error.ts";
import { Initiator } from "../../../protocols/security/edhoc/initiator.ts";
import {
  decodeError,
  decodeMessage1,
  encodeError,
  encodeMessage1,
} from "../../../protocols/security/edhoc/messages.ts";
import { Responder } from "../../../protocols/security/edhoc/responder.ts";
import { board, handshake, handshakeOf, host, identity, party } from "./two-parties.ts";

const none = new Uint8Array(0);

describe("a handshake", () => {
  test("ends with one secret on both sides, each knowing the other", () => {
    const { initiator, responder } = handshakeOf(board, host);
    const secret = initiator.session.exportKey(32768, none, 32);
    expect(responder.session.exportKey(32768, none, 32)).toEqual(secret);
    expect(initiator.peerBytes).toBe(host.credential.bytes);
    expect(responder.peerBytes).toBe(board.credential.bytes);
  });

  test("has 126 bytes in all with suite 3 and credentials by reference", () => {
    const first = new Initiator(party(board, [host]));
    const second = new Responder(party(host, [board]));
    const message2 = second.takeMessage1(first.message1);
    const message3 = first.takeMessage2(message2);
    const { message4 } = second.takeMessage3(message3);
    const sizes = [first.message1, message2, message3, message4].map(({ length }) => length);
    expect(sizes).toEqual([37, 53, 36, 17]);
    expect(sizes.slice(0, 3).reduce((sum, size) => sum + size)).toBe(126);
  });

  test("takes suite 2 where the responder speaks nothing better, after it said so", () => {
    const first = new Initiator(party(board, [host]));
    const old = new Responder(party(host, [board], { suites: [2] }));
    const refusal = refusalOf(() => old.takeMessage1(first.message1));
    const told = decodeError(encodeError(refusal));
    expect(told?.suites).toEqual([2]);
    const again = new Initiator(party(board, [host]), 2);
    const second = new Responder(party(host, [board], { suites: [2] }));
    const message3 = again.takeMessage2(second.takeMessage1(again.message1));
    again.takeMessage4(second.takeMessage3(message3).message4);
  });
});

describe("a handshake is refused", () => {
  test("with a suite that is worse than both sides need (downgrade)", () => {
    const first = new Initiator(party(board, [host]), 2);
    const second = new Responder(party(host, [board]));
    expect(refusalOf(() => second.takeMessage1(first.message1)).suites).toEqual([3, 2]);
  });

  test("when somebody rewrote the offer on the way", () => {
    const first = new Initiator(party(board, [host]));
    const offer = decodeMessage1(first.message1);
    const second = new Responder(party(host, [board], { suites: [2] }));
    const message2 = second.takeMessage1(encodeMessage1({ ...offer, suites: [2] }));
    // What message 2 hides comes out as noise under another transcript.
    expect(() => first.takeMessage2(message2)).toThrow(EdhocError);
  });

  test("by an initiator that meets a stranger, and by a responder that meets one", () => {
    const stranger = identity(9);
    const first = new Initiator(party(board, [host]));
    const impostor = new Responder(party(stranger, [board]));
    const message2 = impostor.takeMessage1(first.message1);
    expectFault("unknown-credential", () => first.takeMessage2(message2));
    const intruder = new Initiator(party(stranger, [host]));
    const second = new Responder(party(host, [board]));
    const message3 = intruder.takeMessage2(second.takeMessage1(intruder.message1));
    expectFault("unknown-credential", () => second.takeMessage3(message3));
  });

  test("by whoever meets a name without its key", () => {
    const impostor = { ...host, privateKey: identity(2).privateKey };
    const first = new Initiator(party(board, [host]));
    const message2 = new Responder(party(impostor, [board])).takeMessage1(first.message1);
    expectFault("refused", () => first.takeMessage2(message2));
    const thief = new Initiator(party({ ...board, privateKey: identity(1).privateKey }, [host]));
    const second = new Responder(party(host, [board]));
    const message3 = thief.takeMessage2(second.takeMessage1(thief.message1));
    expectFault("refused", () => second.takeMessage3(message3));
  });

  test("by whoever meets itself (reflection)", () => {
    const first = new Initiator(party(board, [board, host]));
    const mirror = new Responder(party(board, [board, host]));
    const message2 = mirror.takeMessage1(first.message1);
    expectFault("refused", () => first.takeMessage2(message2));
  });

  test("even by somebody who stole the board's key and plays the host (key-compromise impersonation)", () => {
    const first = new Initiator(party(board, [host]));
    // With the board's private key, but not the host's, a proof as the host can't be made.
    const impostor = new Responder(
      party({ credential: host.credential, privateKey: board.privateKey }, [board]),
    );
    const message2 = impostor.takeMessage1(first.message1);
    expectFault("refused", () => first.takeMessage2(message2));
  });

  test("for an ephemeral key that is no point of the curve", () => {
    const offCurve = new Uint8Array(32).fill(0xff);
    const message1 = encodeMessage1({ suites: [3], ephemeralX: offCurve, initiatorId: Uint8Array.of(1) });
    expectFault("refused", () => new Responder(party(host, [board])).takeMessage1(message1));
  });

  test("for a message out of turn, and one that comes twice", () => {
    const first = new Initiator(party(board, [host]));
    const second = new Responder(party(host, [board]));
    expectFault("out-of-turn", () => first.takeMessage4(Uint8Array.of(0x40)));
    expectFault("out-of-turn", () => second.takeMessage3(Uint8Array.of(0x40)));
    const message2 = second.takeMessage1(first.message1);
    expectFault("out-of-turn", () => second.takeMessage1(first.message1));
    const message3 = first.takeMessage2(message2);
    expectFault("out-of-turn", () => first.takeMessage2(message2));
    second.takeMessage3(message3);
    expectFault("out-of-turn", () => second.takeMessage3(message3));
  });

  test("for external authorization data that are critical", () => {
    const { message1 } = new Initiator(party(board, [host]));
    const withPadding = new Uint8Array([...message1, 0x00, 0x41, 0x00]);
    expect(() => decodeMessage1(withPadding)).not.toThrow();
    const critical = new Uint8Array([...message1, 0x20]);
    expectFault("unsupported", () => decodeMessage1(critical));
  });
});

describe("whatever arrives", () => {
  test("as message 1 gives message 2 or an EdhocError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        onlyEdhocErrors(() => new Responder(party(host, [board])).takeMessage1(bytes));
      }),
    );
  });

  test("with one byte changed is refused by one side or the other", () => {
    const changes = fc.tuple(fc.constantFrom(1, 2, 3, 4), fc.nat(1000), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(changes, ([which, place, mask]) => {
        const spoil = (number: number, bytes: Uint8Array) => {
          if (number !== which) return bytes;
          const spoiled = bytes.slice();
          spoiled[place % bytes.length]! ^= mask;
          return spoiled;
        };
        const first = new Initiator(party(board, [host]));
        const second = new Responder(party(host, [board]));
        expect(() => {
          const message2 = second.takeMessage1(spoil(1, first.message1));
          const message3 = first.takeMessage2(spoil(2, message2));
          const { message4 } = second.takeMessage3(spoil(3, message3));
          first.takeMessage4(spoil(4, message4));
        }).toThrow(EdhocError);
      }),
      { numRuns: 300 },
    );
  });
});

test("a key update changes what both sides export, to the same", () => {
  const { initiator, responder } = handshake();
  const before = initiator.exportKey(32768, none, 16);
  const context = new Uint8Array(8);
  nodeCiphers.random(context);
  const updated = initiator.updated(context).exportKey(32768, none, 16);
  expect(updated).toEqual(responder.updated(context).exportKey(32768, none, 16));
  expect(updated).not.toEqual(before);
  expect(initiator.exportKey(32768, none, 16)).toEqual(before);
});

function expectFault(fault: EdhocFault, act: () => unknown): void {
  expect(refusalOf(act).fault).toBe(fault);
}

function refusalOf(act: () => unknown): EdhocError {
  try {
    act();
  } catch (error) {
    if (error instanceof EdhocError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

function onlyEdhocErrors(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof EdhocError)) throw error;
  }
}
