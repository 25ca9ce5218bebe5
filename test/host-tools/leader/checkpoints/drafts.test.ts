/** Restores of more than an entry holds, on real hosts with boards that are real members of the group in this process. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import type { Pipeline } from "../../../../protocols/pipeline/program.ts";
import { draftKeyPrefix } from "../../../../protocols/state/draft.ts";
import {
  eventually,
  type LeaderUnderTest,
  leaderUnderTest,
  definition as one,
} from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { ask } from "./ask.ts";

const [board] = Object.values(one.boards);

/** So many texts of 128 bytes, besides the settings that there are. */
function withTexts(count: number): SwarmDefinition["settings"] {
  const text = { type: "text", lengthMax: 128, initial: "summer ".repeat(18) } as const;
  return { ...one.settings, ...Object.fromEntries(keysOf(count).map((key) => [key, text])) };
}

function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `text-${i}`);
}

/** Boards whose programs take about so many bytes each. */
function withPrograms(count: number, pipelines: number): SwarmDefinition["boards"] {
  const list = (i: number): Pipeline[] =>
    Array.from({ length: pipelines }, (_, k) => ({
      ...{ metric: `metric-${i}-${k}`, sensor: "temperature", everyMs: 100 + i + k },
      stages: [{ op: "median", count: 3 }],
    }));
  const names = Array.from({ length: count }, (_, i) => `board-${i}`);
  const entries = names.map((name, i) => [
    name,
    { ...board!, program: { ...board!.program, pipelines: list(i) } },
  ]);
  return { ...one.boards, ...Object.fromEntries(entries) };
}

/** Sets every text, many at a time. */
async function setAll(leader: LeaderUnderTest, count: number, value: string): Promise<void> {
  const keys = keysOf(count);
  for (let at = 0; at < count; at += 20) {
    const answers = await Promise.all(keys.slice(at, at + 20).map((key) => leader.put(key, value)));
    for (const { status } of answers) expect(status).toBe(200);
  }
}

/** What every text of the agreed state is. */
function textsOf(state: Pick<RawBoard["state"], "get">, count: number): unknown[] {
  return [...new Set(keysOf(count).map((key) => state.get(key)))];
}

function piecesOn(state: Pick<RawBoard["state"], "keys">): string[] {
  return [...state.keys()].filter((key) => key.startsWith(draftKeyPrefix));
}

/** Resolves as soon as the log of this host is so long. */
async function untilIndex(host: LeaderUnderTest, index: number): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (host.status().leader.lastIndex < index && performance.now() < deadlineMs) await turn();
}

describe("one host", () => {
  test("sixty settings and long programs come back at once, and a board that learns has them", async () => {
    const settings = {
      ...one.settings,
      ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`z-${i}`, one.settings["fan.duty"]!])),
    };
    const before = { ...one, settings, boards: withPrograms(20, 6) };
    const first = await leaderUnderTest({ definition: before });
    expect(await ask(first).create("summer")).toMatchObject({ status: 200 });
    await first.stop();
    const after = { ...before, boards: withPrograms(20, 1) };
    const leader = await leaderUnderTest({ stateDir: first.stateDir, definition: after });
    const { diff, restore, log, underWay, list } = ask(leader);
    for (let i = 0; i < 60; i++) await leader.put(`z-${i}`, 77);
    await eventually(() => leader.status().checkpoints?.name.startsWith("deploy-"));
    const planned = (await diff("now", "summer")).restore;
    expect(planned).toMatchObject({ fits: true, keys: 82 });
    expect(planned.objection).toBeUndefined();
    expect(planned.entries).toBeGreaterThan(5);
    const done = await restore("summer", planned.digest);
    expect(done).toMatchObject({ status: 200, changed: 80, entries: planned.entries });
    expect(await underWay()).toEqual({ status: 200 });
    expect((await list()).restored).toMatch(/^summer by local 20/);
    const learner = await leader.join("north-2");
    await eventually(() => learner.appliedIndex >= done.index!);
    expect(piecesOn(learner.state)).toEqual([]);
    expect((await diff("now", "summer")).restore.changes).toEqual([]);
    for (let i = 0; i < 60; i++) expect(learner.state.get(`z-${i}`)).toBe(20);
    const entries = await log(planned.entries);
    expect(entries.at(-1)).toMatchObject({
      ...{ kind: "adoption", index: done.index },
      text: expect.stringMatching(/^the draft of \d+ pieces: 82 keys in \d+ bytes, all at once$/),
    });
    expect(entries[0]).toMatchObject({ kind: "put", text: "draft, piece 0, 900 bytes" });
    // Restored programs stay, as they do when one entry restores them.
    await leader.stop();
    const again = await leaderUnderTest({ stateDir: first.stateDir, definition: after });
    expect((await ask(again).diff("now", "summer")).restore.changes).toEqual([]);
  }, 30_000);

  test("more than a draft holds is refused with how much it is, and nothing is put", async () => {
    const settings = withTexts(430);
    const leader = await leaderUnderTest({ definition: { ...one, settings } });
    const { create, diff, restore } = ask(leader);
    await create("summer");
    await setAll(leader, 430, "winter ".repeat(18));
    const planned = (await diff("now", "summer")).restore;
    expect(planned).toMatchObject({ fits: false, keys: 431, objection: expect.stringContaining("57600") });
    const { lastIndex } = leader.status().leader;
    expect(await restore("summer", planned.digest)).toMatchObject({
      status: 422,
      error: { message: planned.objection },
    });
    expect(leader.status().leader.lastIndex).toBe(lastIndex);
  }, 30_000);

  test("a second one is told which is under way; whoever asks for the same again has its answer", async () => {
    const settings = withTexts(100);
    const leader = await leaderUnderTest({ definition: { ...one, settings } });
    const { create, diff, restore, underWay } = ask(leader);
    await create("summer");
    await setAll(leader, 100, "winter");
    await create("winter");
    await leader.put("fan.duty", 3);
    const [summer, winter] = [await diff("now", "summer"), await diff("now", "winter")];
    const first = restore("summer", summer.restore.digest);
    while ((await underWay()).name === undefined) await turn();
    expect(await underWay()).toMatchObject({ name: "summer", by: "local" });
    const [second, again] = await Promise.all([
      restore("winter", winter.restore.digest),
      restore("summer", summer.restore.digest),
    ]);
    expect(second).toMatchObject({
      status: 409,
      error: {
        code: "conflict",
        message: expect.stringMatching(/^local is restoring summer at this moment/),
      },
    });
    const done = await first;
    expect(done).toMatchObject({ status: 200, changed: 101 });
    expect(again).toEqual(done);
    expect(await underWay()).toEqual({ status: 200 });
  }, 30_000);
});

describe("three hosts", () => {
  test("a setting that changes while the pieces are put: refused, nothing changed, no piece left", async () => {
    const several = new SeveralHosts(["a", "b", "c"], []);
    Object.assign(several, { definition: { ...several.definition, settings: withTexts(200) } });
    for (const name of ["a", "b", "c"]) await several.start(name);
    const leader = several.host(await several.leader());
    await eventually(() => leader.status().leader.voters.length === 3, 15_000);
    const [watching] = await several.join("north-2", [leader.hostName]);
    const { create, diff, restore } = ask(leader);
    await create("summer");
    await setAll(leader, 200, "winter");
    const { digest, entries } = (await diff("now", "summer")).restore;
    expect(entries).toBeGreaterThan(30);
    for (const pieces of [1, 9, 20]) {
      const { lastIndex } = leader.status().leader;
      const refused = restore("summer", digest);
      // The checkpoint that is made before takes two entries.
      await untilIndex(leader, lastIndex + 2 + pieces);
      expect(await leader.put("text-7", "meanwhile")).toMatchObject({ status: 200 });
      expect(await refused).toMatchObject({
        status: 412,
        error: { message: 'text-7 is "meanwhile" by now; nothing was changed.' },
      });
      await eventually(() => watching!.appliedIndex === leader.status().leader.lastIndex);
      expect(piecesOn(watching!.state)).toEqual([]);
      expect(textsOf(watching!.state, 200).sort()).toEqual(["meanwhile", "winter"]);
      await leader.put("text-7", "winter");
    }
    several.expectNoViolations();
  }, 60_000);

  test("of which the leader goes at any moment: the next one removes the pieces, all is restored or nothing", async () => {
    const several = new SeveralHosts(["a", "b", "c"], []);
    Object.assign(several, { definition: { ...several.definition, settings: withTexts(200) } });
    for (const name of ["a", "b", "c"]) await several.start(name);
    let leader = several.host(await several.leader());
    await eventually(() => leader.status().leader.voters.length === 3, 15_000);
    const summer = "summer ".repeat(18);
    const winter = "winter ".repeat(18);
    await ask(leader).create("summer");
    await setAll(leader, 200, winter);
    await ask(leader).create("winter");
    let wasLeft = 0;
    let now = winter;
    // Behind the two entries of the checkpoint before it: with the first sixteen pieces, the next, the last, the adoption.
    for (const after of [3, 17, 20, 25, 35, 37]) {
      const name = now === winter ? "summer" : "winter";
      const { digest } = (await ask(leader).diff("now", name)).restore;
      const { lastIndex } = leader.status().leader;
      const answer = ask(leader)
        .restore(name, digest)
        .catch(() => undefined);
      await Promise.race([untilIndex(leader, lastIndex + after), answer]);
      const gone = leader.hostName;
      await several.stop(gone);
      leader = several.host(await several.leader());
      const [watching] = await several.join("north-2", [leader.hostName]);
      await eventually(
        () =>
          watching!.appliedIndex === leader.status().leader.lastIndex && watching!.appliedIndex > lastIndex,
      );
      expect(piecesOn(watching!.state)).toEqual([]);
      const [found, ...others] = textsOf(watching!.state, 200);
      expect(others).toEqual([]);
      const wanted = name === "summer" ? summer : winter;
      expect([now, wanted]).toContain(found);
      if ((await answer)?.status === 200) expect(found).toBe(wanted);
      if (leader.logged.some((line) => line.includes("draft-removed"))) {
        wasLeft++;
        const removal = {
          kind: "puts",
          text: expect.stringMatching(/^a draft that was not adopted is removed: \d+ pieces$/),
        };
        expect(await ask(leader).log(60)).toContainEqual(expect.objectContaining(removal));
      }
      // Asked again, as somebody does who had no answer: what is left is done.
      const again = await ask(leader).restore(name, digest);
      expect(again).toMatchObject({ status: 200, changed: found === wanted ? 0 : 200 });
      await eventually(() => watching!.appliedIndex === leader.status().leader.lastIndex);
      expect(textsOf(watching!.state, 200)).toEqual([wanted]);
      expect(piecesOn(watching!.state)).toEqual([]);
      now = wanted;
      watching!.cut();
      await several.start(gone);
    }
    expect(wasLeft).toBeGreaterThan(0);
    several.expectNoViolations();
  }, 120_000);
});
