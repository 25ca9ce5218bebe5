import { stripVTControlCharacters, styleText } from "node:util";
import { describe, expect, it } from "vitest";
import { frame, type SwarmView } from "../../../../host-tools/cli/live-view/frame.ts";
import type { BoardStatus, Status } from "../../../../host-tools/leader/api/types/status.ts";
import { sampleBoard as board, sampleHost, sampleStatus } from "./sample-status.ts";

const plain = (_style: unknown, text: string) => text;

function view(boards: readonly BoardStatus[], over: Partial<SwarmView> = {}): SwarmView {
  const status = sampleStatus(boards);
  return {
    swarm: "greenhouse",
    engine: "5 boards in XS, 32-bit",
    url: "http://127.0.0.1:7800",
    status,
    silentSinceMs: undefined,
    restarts: new Map(),
    events: Array.from({ length: 9 }, (_, i) => ({
      atMs: 0,
      source: "north-1",
      level: "info" as const,
      text: `event ${i}`,
    })),
    nowMs: 90_000,
    hint: "Ctrl-C stops the swarm; the next start continues from here.",
    ...over,
  };
}

const five = ["north-1", "north-2", "south-1", "south-2", "door"].map((id) => board(id));
const sizes = [
  [40, 10],
  [60, 16],
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

describe("the picture of a swarm", () => {
  it.each(sizes)("fits %i columns and %i rows, styled or not", (columns, rows) => {
    const many = Array.from({ length: 50 }, (_, i) => board(`board-with-a-long-name-${i}`));
    for (const boards of [five, many, []]) {
      for (const paint of [
        plain,
        (style: "red", text: string) => styleText(style, text, { validateStream: false }),
      ]) {
        const lines = frame(view(boards), { columns, rows }, paint as typeof plain);
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) {
          expect([...stripVTControlCharacters(line)].length).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  it("names what is not good of a reading", () => {
    const reading = { metric: "temperature", value: 99, unit: "°C", atMs: 0, quality: 3 };
    const text = frame(view([board("cellar", { readings: [reading] })]), { columns: 120, rows: 40 }, plain);
    expect(text.join("\n")).toContain("temperature 99 °C (stuck)");
  });

  it("shows of each board its role, link, term, applied index, heap, readings and outputs", () => {
    const text = frame(view(five), { columns: 120, rows: 40 }, plain).join("\n");
    const row = text.split("\n").find((line) => line.startsWith("north-1"))!;
    expect(row.split(/\s{2,}/).map((each) => each.trim())).toEqual([
      ...["north-1", "learner", "up", "2", "9"],
      expect.stringMatching(/^█+.*40\/92K$/),
      "temperature 28.31 °C",
      "fan 90 % rule",
    ]);
    expect(text).toContain("http://127.0.0.1:7800");
    expect(text).toContain("a.11aa22bb: leader");
    expect(text).toContain("Ctrl-C");
  });

  it("shows which firmware a board runs, and how far another one is", () => {
    const update = { sequence: 0, target: 1, percent: 40, reason: undefined };
    const boards = [
      board("a", { firmware: { version: "0.1.0", update: undefined } }),
      board("b", { firmware: { version: "0.1.0", update: { ...update, stage: "fetching" } } }),
      board("c", { firmware: { version: "0.2.0", update: { ...update, stage: "trial" } } }),
      board("d", { firmware: { version: "0.1.0", update: { ...update, stage: "rolled-back" } } }),
    ];
    const lines = frame(view(boards), { columns: 140, rows: 40 }, plain);
    const shown = lines.flatMap((line) => / 9 +(0\.\d\.0(?: [\w %]*\S)?) {2}/.exec(line)?.[1] ?? []);
    expect(shown).toEqual(["0.1.0", "0.1.0 fetching 40 %", "0.2.0 on trial", "0.1.0 rolled back"]);
  });

  it("shows those that need a look when not all fit, and sums up the rest", () => {
    const boards = Array.from({ length: 50 }, (_, i) => board(`b${i}`));
    boards[33] = board("b33", { link: "down" });
    boards[41] = board("b41", { appliedIndex: 4 });
    boards[17] = board("b17", { heapPeakBytes: 90_000 });
    const lines = frame(view(boards), { columns: 80, rows: 24 }, plain);
    const text = lines.join("\n");
    for (const id of ["b17", "b33", "b41"]) expect(text).toMatch(new RegExp(`^${id} `, "m"));
    const shown = lines.filter((line) => /^b\d+ /.test(line)).length;
    expect(text).toContain(`and ${50 - shown} more: ${50 - shown} up, applied 9, heap peak at most 50 KiB`);
  });

  it("shows which of several hosts leads, and which is down", () => {
    const hosts = [
      sampleHost("a", { link: "down", role: "unknown" }),
      sampleHost("b", { role: "leader" }),
      sampleHost("c", { isVoter: false }),
    ];
    const text = (over: Partial<Status>) => {
      const status = sampleStatus(five, { hosts, ...over });
      return frame(view(five, { status }), { columns: 120, rows: 24 }, plain)[1];
    };
    expect(text({})).toMatch(/^a down {2}b leads {2}c follows \(learner\) {2}term 2/);
    expect(text({ isConfirmed: false })).toMatch(/^not confirmed by a majority {2}a down/);
    const leader = { ...sampleStatus(five).leader, role: "candidate" as const };
    expect(text({ leader })).toMatch(/^no leader {2}a down/);
  });

  it("says for how long no host has answered", () => {
    const text = frame(view(five, { silentSinceMs: 78_000 }), { columns: 80, rows: 24 }, plain).join("\n");
    expect(text).toContain("No host has answered for 0:12");
  });

  it("lets no text from a board steer the terminal", () => {
    const events = [{ atMs: 0, source: "door", level: "info" as const, text: "\x1b[2Jgone\r\n" }];
    const text = frame(view(five, { events }), { columns: 80, rows: 24 }, plain).join("");
    expect(text).not.toContain("\x1b");
    expect(text).not.toContain("\r");
  });
});
