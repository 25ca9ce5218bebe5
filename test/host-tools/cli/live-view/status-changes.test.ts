import { describe, expect, it } from "vitest";
import { statusChanges } from "../../../../host-tools/cli/live-view/status-changes.ts";
import type { Status } from "../../../../host-tools/leader/api/types/status.ts";
import type { FirmwareHealth } from "../../../../protocols/messages/board-messages.ts";
import { sampleBoard, sampleHost, sampleStatus } from "./sample-status.ts";

const boards = [sampleBoard("north-1"), sampleBoard("door", { outputs: [] })];
const before = sampleStatus(boards);

const told = (after: Status, since: Status | undefined = before) =>
  statusChanges(since, after).map(({ level, source, text }) => `${level} ${source}: ${text}`);

describe("what is told between two statuses", () => {
  it("is nothing when only readings and counts have changed", () => {
    const busy = boards.map((board) => ({ ...board, readings: [], samplesIn: 999, heapUsedBytes: 1 }));
    expect(told(sampleStatus(busy))).toEqual([]);
  });

  it("is, at first, who leads and who is there", () => {
    expect(statusChanges(undefined, before).map(({ source, text }) => `${source}: ${text}`)).toEqual([
      "leader: a.11aa22bb leads in term 2",
      "leader: voters: a.11aa22bb",
      "north-1: joined: learner, term 2, applied 9, heap 40 of 92 KiB",
      "north-1: fan 90 % (rule)",
      "door: joined: learner, term 2, applied 9, heap 40 of 92 KiB",
    ]);
  });

  it("is no memory of a board that has not told of it yet", () => {
    const young = { ...boards[0]!, outputs: [], heapUsedBytes: 0, arenaBytes: 0 };
    expect(told(sampleStatus([young]), sampleStatus([{ ...young, link: "down" }]))).toContain(
      "info north-1: joined: learner, term 2, applied 9",
    );
  });

  it("is an election", () => {
    const leader = { ...before.leader, term: 3, role: "candidate" as const };
    const between = sampleStatus(boards, { leader });
    expect(told(between)).toEqual(["warn leader: nobody leads"]);
    // Another host that knows of no leader answers for itself.
    expect(told(sampleStatus(boards, { leader: { ...leader, id: "b.2", term: 4 } }), between)).toEqual([]);
    const won = { ...leader, role: "leader" as const };
    expect(told(sampleStatus(boards, { leader: won }), between)).toEqual([
      "info leader: a.11aa22bb leads in term 3",
    ]);
  });

  it("is a host that went, and its return", () => {
    const hosts = [sampleHost("a", { role: "leader" }), sampleHost("b", { link: "down", role: "unknown" })];
    const after = sampleStatus(boards, { hosts });
    const both = sampleStatus(boards, { hosts: [hosts[0]!, sampleHost("b")] });
    expect(told(after, both)).toEqual(["warn b: is gone"]);
    expect(told(both, after)).toEqual(["info b: is back"]);
  });

  it("is a setting that was set, and the output that follows it", () => {
    const fan = { name: "fan", value: 40, cause: "setting" as const, kind: "pwm" as const };
    const after = sampleStatus([sampleBoard("north-1", { outputs: [fan] }), boards[1]!], {
      settings: {
        "fan.duty": {
          value: 40,
          unit: "%",
          index: 10,
          takes: { type: "number", unit: "%", min: 0, max: 100, initial: 20 },
        },
      },
    });
    expect(told(after)).toEqual([
      "info leader: fan.duty = 40 % (entry 10)",
      "info north-1: fan 40 % (setting)",
    ]);
  });

  it("is a board that lost its link, and its return", () => {
    const away = sampleStatus([sampleBoard("north-1", { link: "down" }), boards[1]!]);
    expect(told(away)).toEqual(["warn north-1: lost its link"]);
    expect(told(before, away)).toEqual([
      "info north-1: joined: learner, term 2, applied 9, heap 40 of 92 KiB",
    ]);
  });

  it("is a promotion, and a broken promise, each once", () => {
    const violations = ["door voted twice in term 2."];
    const after = sampleStatus([sampleBoard("north-1", { role: "voter" }), boards[1]!], { violations });
    expect(told(after)).toEqual([
      "error leader: door voted twice in term 2.",
      "info north-1: is a voter now",
    ]);
    expect(told(after, after)).toEqual([]);
  });

  it("is each step of an update, and why one was undone", () => {
    const steady = { sequence: 1, target: 2, percent: 0, reason: undefined };
    const with1 = (version: string, update: Partial<FirmwareHealth> & Pick<FirmwareHealth, "stage">) =>
      sampleStatus([
        sampleBoard("north-1", { firmware: { version, update: { ...steady, ...update } } }),
        boards[1]!,
      ]);
    const old = with1("0.1.0", { stage: "steady" });
    const fetching = with1("0.1.0", { stage: "fetching", percent: 3 });
    expect(told(fetching, old)).toEqual(["info north-1: fetches release 2"]);
    expect(told(with1("0.1.0", { stage: "fetching", percent: 60 }), fetching)).toEqual([]);
    const trial = with1("0.2.0", { stage: "trial" });
    expect(told(trial, fetching)).toEqual([
      "info north-1: runs firmware 0.2.0",
      "info north-1: tries release 2",
    ]);
    expect(told(with1("0.2.0", { stage: "steady", sequence: 2 }), trial)).toEqual([]);
    expect(told(with1("0.1.0", { stage: "rolled-back", reason: "it crashed" }), trial)).toEqual([
      "info north-1: runs firmware 0.1.0",
      "warn north-1: rolled back from release 2: it crashed",
    ]);
  });
});
