/** When a board may be given up, by what the host knows of it. */
import { describe, expect, it } from "vitest";
import { demandLost, type LostView, silenceMs } from "../../../../host-tools/leader/actions/lost.ts";
import { Silence } from "../../../../host-tools/leader/actions/silence.ts";
import type { Action, Phase } from "../../../../protocols/two-phase-commit/action.ts";
import { withGivenUp } from "../../../../protocols/two-phase-commit/given-up.ts";
import { packNames } from "../../../../protocols/two-phase-commit/names.ts";

const boards = ["north", "south"];
const committed: Action = {
  ...{ id: 7, name: "vent", boards: packNames(boards), set: [], require: [], forMs: 0, safetyMs: 0 },
  ...{ deadlineMs: 0, startMs: undefined, phase: "committed", isEnded: false, reason: "", givenUp: [] },
};
const lost: LostView = {
  ...{ isWaitedFor: true, isConnected: false, silentMs: silenceMs, patienceMs: silenceMs, wallMs: 1e12 },
};

function said(action: Action, view: Partial<LostView>, board = "south"): string {
  try {
    demandLost({ action, boards, reports: new Map() }, board, { ...lost, ...view });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("a board may be given up", () => {
  it("when it is waited for and has been silent for long enough", () => {
    expect(said(committed, {})).toBe("");
  });

  it.each([
    ["it is connected", {}, { isConnected: true }, "south is connected, so it is not lost"],
    ["it was here a while ago", {}, { silentMs: 18_000 }, "it can be given up in 42 s if it stays silent."],
    ["it sleeps for an hour at a time", {}, { patienceMs: silenceMs + 3_600_000 }, "in 3600 s"],
    ["it has told", {}, { isWaitedFor: false }, "vent (00000007) knows what south did."],
    ["nothing is decided", { phase: "begun" as Phase }, { isWaitedFor: false }, "is not decided yet"],
    ["it was aborted", { phase: "aborted" as Phase }, { isWaitedFor: false }, "waits for nobody."],
    ["it has ended", { isEnded: true }, { isWaitedFor: false }, "has ended, and waits for nobody."],
    [
      "its time is to come",
      { startMs: 1e12 + 5_000 },
      {},
      "at its time, connected or not; it can be given up in 65 s.",
    ],
  ])("not when %s", (_why, action, view, says) => {
    expect(said({ ...committed, ...action }, view)).toContain(says);
  });

  it("not twice, and not when it is another's", () => {
    expect(said(withGivenUp(committed, ["south"], "ada"), { isWaitedFor: false })).toBe(
      "south was given up by ada already.",
    );
    expect(said(committed, {}, "east")).toBe("east is no board of vent (00000007).");
  });
});

describe("silence", () => {
  it("counts from when the board was missed first, and anew when it was here or nobody waits for it", () => {
    let nowMs = 0;
    let isHere = false;
    const silence = new Silence(
      () => nowMs,
      () => isHere,
    );
    const watch = (atMs: number, here: boolean, who: readonly string[] = ["south"]) => {
      nowMs = atMs;
      isHere = here;
      silence.watch(new Set(who));
      return silence.of("south");
    };
    expect(silence.of("south")).toBe(0);
    expect(watch(10, false)).toBe(0);
    expect(watch(70, false)).toBe(60);
    expect(watch(80, true)).toBe(0);
    expect(watch(90, false)).toBe(0);
    expect(watch(190, false)).toBe(100);
    // It does not lead any more.
    expect(watch(200, false, [])).toBe(0);
    expect(watch(300, false)).toBe(0);
  });
});
