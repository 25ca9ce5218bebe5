/** The acceptor beside a plain model of what CASPaxos, section 2.2, says of it, on any questions in any order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Acceptor, readAcceptor } from "../../../protocols/paxos/acceptor.ts";
import { nextBallot, placeOf } from "../../../protocols/paxos/ballot.ts";
import type { Answer, Question } from "../../../protocols/paxos/messages.ts";
import type { RegisterState } from "../../../protocols/paxos/types.ts";

const base = stateOf(0);
const ballots = fc.integer({ min: 8, max: 40 });
const questions: fc.Arbitrary<Question> = fc.oneof(
  ballots.map((ballot) => ({ kind: "prepare" as const, epoch: 1, register: 0, ballot })),
  // In one ballot one state only is ever sent.
  ballots.map((ballot) => ({
    kind: "accept" as const,
    epoch: 1,
    register: 0,
    ballot,
    state: stateOf(ballot),
  })),
  fc.nat(9).map((request) => ({ kind: "look" as const, epoch: 1, register: 0, request })),
);

describe("an acceptor", () => {
  it("answers as the paper's does", () => {
    fc.assert(
      fc.property(fc.array(questions, { maxLength: 40 }), (asked) => {
        const acceptor = new Acceptor(1, [base]);
        const model = { promised: 0, accepted: 0, state: base };
        for (const question of asked) {
          const taken = { isChanged: false };
          const before = { ...model };
          expect(acceptor.take(question, taken)).toEqual(answerOf(model, question));
          const isChanged = before.promised !== model.promised || before.accepted !== model.accepted;
          expect(taken.isChanged).toBe(isChanged);
        }
      }),
    );
  });

  it("is, from what it kept, what it was", () => {
    fc.assert(
      fc.property(fc.array(questions), fc.array(questions), (before, after) => {
        const acceptor = new Acceptor(1, [base]);
        for (const question of before) acceptor.take(question, { isChanged: false });
        const restored = readAcceptor(acceptor.toWire());
        for (const question of after) {
          const answer = acceptor.take(question, { isChanged: false });
          expect(restored.take(question, { isChanged: false })).toEqual(answer);
        }
      }),
    );
  });

  it("says nothing once it is closed, and stays so", () => {
    const acceptor = new Acceptor(1, [base]);
    acceptor.take(
      { kind: "accept", epoch: 1, register: 0, ballot: 9, state: stateOf(9) },
      { isChanged: false },
    );
    expect(acceptor.close()).toBe(true);
    expect(acceptor.close()).toBe(false);
    const restored = readAcceptor(acceptor.toWire());
    for (const kind of ["prepare", "look"] as const) {
      const question = { kind, epoch: 1, register: 0, ballot: 17, request: 17 };
      expect(restored.take(question, { isChanged: false })).toBeUndefined();
    }
    expect(restored.learn({ epoch: 1, register: 0, ballot: 17, state: stateOf(17) })).toBe(false);
    expect(restored.accepted()).toEqual([{ ballot: 9, state: stateOf(9) }]);
  });

  it("takes what is decided for accepted, where it has promised nothing later", () => {
    const acceptor = new Acceptor(1, [base]);
    acceptor.take({ kind: "prepare", epoch: 1, register: 0, ballot: 20 }, { isChanged: false });
    expect(acceptor.learn({ epoch: 1, register: 0, ballot: 9, state: stateOf(9) })).toBe(false);
    expect(acceptor.decided(0)).toBeUndefined();
    expect(acceptor.learn({ epoch: 1, register: 0, ballot: 25, state: stateOf(25) })).toBe(true);
    expect(acceptor.decided(0)).toMatchObject({ ballot: 25, state: stateOf(25) });
    expect(acceptor.promised(0)).toBe(25);
  });

  it("answers nothing of another epoch, and of no register that it does not have", () => {
    const acceptor = new Acceptor(2, [base]);
    expect(acceptor.take({ kind: "look", epoch: 1, register: 0, request: 1 }, { isChanged: false })).toBe(
      undefined,
    );
    expect(acceptor.take({ kind: "look", epoch: 2, register: 1, request: 1 }, { isChanged: false })).toBe(
      undefined,
    );
  });
});

describe("a ballot", () => {
  it("is above the one before, its member's own, and the least of those", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(6), (after, place) => {
        const ballot = nextBallot(after, place)!;
        expect(ballot).toBeGreaterThan(after);
        expect(placeOf(ballot)).toBe(place);
        expect(ballot - after).toBeLessThan(16);
      }),
    );
  });

  it("runs out", () => {
    expect(nextBallot(0x7fff_ffff, 0)).toBeUndefined();
  });
});

function answerOf(
  model: { promised: number; accepted: number; state: RegisterState },
  question: Question,
): Answer {
  const head = { epoch: 1, register: 0 };
  const isChosen = model.accepted === 0;
  if (question.kind === "look") {
    const { request } = question;
    return { kind: "seen", ...head, request, accepted: model.accepted, isChosen, state: model.state };
  }
  const { ballot } = question;
  if (ballot < model.promised) return { kind: "refused", ...head, ballot, promised: model.promised };
  model.promised = ballot;
  if (question.kind === "prepare") {
    return { kind: "promise", ...head, ballot, accepted: model.accepted, isChosen, state: model.state };
  }
  model.accepted = ballot;
  model.state = question.state;
  return { kind: "accepted", ...head, ballot };
}

function stateOf(version: number): RegisterState {
  return { version, value: `v${version}`, by: "b1", request: version, atMs: 0 };
}
