/** Two devices with one identity are noticed, and one device never is, whatever it and the network do. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { CloneWatch, cloneLimits } from "../../../../host-tools/leader/trust/clone-watch.ts";
import { eventually, leaderUnderTest } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { memberOf } from "../test-swarm.ts";
import { revoke } from "./revoke.ts";

describe("CloneWatch", () => {
  const watched = () => {
    const reported: string[] = [];
    return { watch: new CloneWatch((board) => reported.push(board)), reported };
  };

  it("takes a board that starts again and again for one", () => {
    const { watch, reported } = watched();
    for (let start = 1; start < 50; start++) {
      watch.greeted("n", start, start * 1_000);
      watch.heard("n", start, start * 1_000 + 900);
    }
    expect(reported).toEqual([]);
  });

  it("takes a hello of an earlier start for that of a second device, once", () => {
    const { watch, reported } = watched();
    for (const [nowMs, start] of [1, 2, 1, 2, 1].entries()) watch.greeted("n", start, nowMs);
    expect(reported).toEqual(["n"]);
    expect([watch.isCloned("n"), watch.isCloned("m")]).toEqual([true, false]);
    watch.forget();
    expect(watch.isCloned("n")).toBe(false);
    for (const [nowMs, start] of [1, 2, 1].entries()) watch.greeted("n", start, 10 + nowMs);
    expect(reported).toEqual(["n", "n"]);
  });

  it("takes two starts that are both heard, at whatever hosts, for two devices after a while", () => {
    const { watch, reported } = watched();
    watch.greeted("n", 1, 0);
    for (let nowMs = 0; nowMs <= cloneLimits.overlapMs; nowMs += 1_000) {
      watch.heard("n", 2, nowMs);
      watch.heard("n", 1, nowMs);
    }
    expect(reported).toEqual([]);
    watch.heard("n", 1, cloneLimits.overlapMs + 1);
    expect(reported).toEqual([]);
    watch.heard("n", 2, cloneLimits.overlapMs + 2);
    expect(reported).toEqual(["n"]);
  });

  it("never accuses one device, whose words reach this host over others out of order and as late as they can", () => {
    const { overlapMs } = cloneLimits;
    // Reconnects say hello here at once; what is said at other hosts comes late.
    const life = fc.record({
      livesMs: fc.nat(60_000),
      isHere: fc.boolean(),
      hellosMs: fc.array(fc.nat(59_999), { maxLength: 4 }),
      words: fc.array(fc.tuple(fc.nat(59_999), fc.nat(overlapMs)), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(life, { minLength: 1, maxLength: 20 }), (lives) => {
        const { watch, reported } = watched();
        const heard: { atMs: number; start: number; isHello: boolean }[] = [];
        let bornMs = 0;
        for (const [start, { livesMs, isHere, hellosMs, words }] of lives.entries()) {
          for (const saidMs of isHere ? hellosMs : []) {
            if (saidMs < livesMs) heard.push({ atMs: bornMs + saidMs, start, isHello: true });
          }
          for (const [saidMs, lateMs] of words) {
            if (saidMs < livesMs) heard.push({ atMs: bornMs + saidMs + lateMs, start, isHello: false });
          }
          bornMs += livesMs + 1;
        }
        heard.sort((a, b) => a.atMs - b.atMs);
        for (const { atMs, start, isHello } of heard) {
          if (isHello) watch.greeted("n", start, atMs);
          else watch.heard("n", start, atMs);
        }
        expect(reported).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("two devices with one identity that displace each other are shown, told and audited; a new identity is a new start", async () => {
  const leader = await leaderUnderTest();
  const { memory } = await leader.join("north-2", { startId: 71 });
  // The copy has all that the board's flash had.
  for (const startId of [72, 71]) await leader.join("north-2", { startId, memory });
  await eventually(() => leader.status().boards[1]!.cloned);
  expect(leader.status().boards.map(({ cloned }) => cloned)).toEqual([false, true, false]);
  const [sentence] = leader.status().violations;
  expect(sentence).toBe(
    "Two living devices have the identity of north-2: one is a copy, and nobody can tell which. " +
      "Revoke it with covey keys revoke north-2, and issue a new one to the real board.",
  );
  expect(leader.logged.join("")).toContain("violation");
  await eventually(() => leader.logged.some((line) => line.includes("one identity for two devices")));
  await revoke(leader, 1, memberOf("greenhouse", "board", "north-2"));
  expect(leader.status().boards[1]).toMatchObject({ cloned: false, link: "down" });
});

test("two devices with one identity, each at a host of its own, are noticed by both hosts", async () => {
  const hosts = await SeveralHosts.start(["a", "b"], []);
  await hosts.leader();
  const real = await hosts.host("a").join("north-2", { startId: 81 });
  const copy = await hosts.host("b").join("north-2", { startId: 82 });
  const speak = setInterval(() => {
    real.health({ samplesIn: 1 });
    copy.health({ samplesIn: 2 });
  }, 500);
  try {
    for (const name of ["a", "b"]) {
      await eventually(() => hosts.host(name).status().boards[1]!.cloned, cloneLimits.overlapMs + 5_000);
    }
  } finally {
    clearInterval(speak);
  }
});
