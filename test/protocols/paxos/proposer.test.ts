/** What a proposer makes of answers that come late, doubled or from an earlier question; the whole of it is under `test/simulation/registers`. */
import { describe, expect, it } from "vitest";
import type { Answer, Seen } from "../../../protocols/paxos/messages.ts";
import { Proposer } from "../../../protocols/paxos/proposer.ts";
import type { Change, RegisterState } from "../../../protocols/paxos/types.ts";

const old = stateOf(1, "b");
const parts = { board: "a", random: () => 0.5, nextBallot: (_: number, after: number) => after + 8 };
const head = { epoch: 1, register: 0 };

describe("a reading", () => {
  it("does not take an answer to an earlier one, which is older than what was chosen since", () => {
    const reading = begun({ value: undefined, request: 7 });
    expect(take(reading, 0, seen(6, 8, old))).toBeUndefined();
    expect(take(reading, 1, seen(6, 8, old))).toBeUndefined();
    expect(reading.outcome).toBeUndefined();
    take(reading, 1, seen(7, 16, stateOf(2, "c")));
    take(reading, 2, seen(7, 16, stateOf(2, "c")));
    expect(reading).toMatchObject({ outcome: "done", state: stateOf(2, "c") });
  });

  it("settles what may not be chosen before it says so", () => {
    const reading = begun({ value: undefined, request: 7 });
    take(reading, 0, { ...seen(7, 8, old), isChosen: true });
    const step = take(reading, 1, { ...seen(7, 16, stateOf(2, "c")), isChosen: false });
    expect(step?.question).toMatchObject({ kind: "prepare" });
    expect(reading.outcome).toBeUndefined();
  });
});

describe("a change", () => {
  it("counts a member once", () => {
    const change = begun({ value: "x", request: 7 });
    expect(take(change, 1, promise(8, 0, stateOf(0, "")))).toBeUndefined();
    expect(take(change, 1, promise(8, 0, stateOf(0, "")))).toBeUndefined();
    expect(take(change, 2, promise(8, 0, stateOf(0, "")))?.question).toMatchObject({ kind: "accept" });
  });

  it("is in conflict where the version is another, and says what it found", () => {
    const change = begun({ value: "x", request: 7, ifVersion: 0 });
    take(change, 1, promise(8, 5, old));
    take(change, 2, promise(8, 5, old));
    expect(change).toMatchObject({ outcome: "conflict", state: old });
  });

  it("begins anew above what it is refused for, and finds that its change is made", () => {
    const change = begun({ value: "x", request: 7 });
    take(change, 1, promise(8, 0, stateOf(0, "")));
    take(change, 2, promise(8, 0, stateOf(0, "")));
    take(change, 1, { kind: "refused", ...head, ballot: 8, promised: 21 });
    const again = change.run(change.dueMs)!;
    expect(again.question).toMatchObject({ kind: "prepare", ballot: 29 });
    const own = { version: 1, value: "x", by: "a", request: 7, atMs: 0 };
    take(change, 1, promise(29, 8, own));
    take(change, 2, promise(29, 8, own));
    expect(change).toMatchObject({ outcome: "done", state: own });
  });

  it("is unknown, and never made again, where its version is past", () => {
    const change = begun({ value: "x", request: 7 });
    take(change, 1, promise(8, 0, stateOf(0, "")));
    take(change, 2, promise(8, 0, stateOf(0, "")));
    take(change, 1, { kind: "refused", ...head, ballot: 8, promised: 21 });
    change.run(change.dueMs);
    take(change, 1, promise(29, 21, stateOf(3, "c")));
    take(change, 2, promise(29, 21, stateOf(3, "c")));
    expect(change.outcome).toBe("unknown");
  });

  it("that nobody answered did not happen; one that was sent to be accepted may have", () => {
    const silent = begun({ value: "x", request: 7 });
    silent.run(10_000);
    expect(silent.outcome).toBe("unreached");
    const sent = begun({ value: "x", request: 7 });
    take(sent, 1, promise(8, 0, stateOf(0, "")));
    take(sent, 2, promise(8, 0, stateOf(0, "")));
    sent.run(10_000);
    expect(sent.outcome).toBe("unknown");
  });

  it.each([
    ["made by the next epoch's beginning", { version: 1, value: "x", by: "a", request: 7, atMs: 0 }, "done"],
    ["past when the next epoch begins", stateOf(4, "c"), "unknown"],
    ["on its way anew where the next epoch begins without it", stateOf(0, ""), undefined],
  ])("is %s", (_what, base, outcome) => {
    const change = begun({ value: "x", request: 7 });
    take(change, 1, promise(8, 0, stateOf(0, "")));
    take(change, 2, promise(8, 0, stateOf(0, "")));
    change.onEpoch(base, true);
    expect(change.outcome).toBe(outcome);
  });
});

function begun(change: Pick<Change, "value" | "request"> & { ifVersion?: number }): Proposer {
  const { ifVersion } = change;
  const whole = { ...change, register: "r", ifVersion, atMs: 0, deadlineMs: 10_000 };
  const proposer = new Proposer(whole, parts);
  proposer.start(1, 0, 3, 0);
  return proposer;
}

function take(proposer: Proposer, place: number, answer: Answer) {
  return proposer.take(place, answer, { state: undefined, ballot: 0 }, 1);
}

function seen(request: number, accepted: number, state: RegisterState): Seen {
  return { kind: "seen", ...head, request, accepted, isChosen: false, state };
}

function promise(ballot: number, accepted: number, state: RegisterState): Answer {
  return { kind: "promise", ...head, ballot, accepted, isChosen: false, state };
}

function stateOf(version: number, by: string): RegisterState {
  return { version, value: `v${version}`, by, request: version, atMs: 0 };
}
