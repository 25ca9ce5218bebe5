/** Real hosts on real sockets, and boards that are real members of the group in this process. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CheckpointListing } from "../../../../host-tools/leader/api/types/checkpoints.ts";
import type { LogEntry } from "../../../../host-tools/leader/api/types/log.ts";
import { definition, eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { ask } from "./ask.ts";

test("a checkpoint is listed, compared in words and restored in one entry, with the state before saved", async () => {
  const leader = await leaderUnderTest();
  const { create, list, diff, restore, settings } = ask(leader);
  await leader.put("fan.duty", 40);
  expect(await create("summer")).toMatchObject({
    status: 200,
    name: "summer",
    by: "local",
    copies: { a: "whole" },
  });
  expect((await diff("summer", "now")).differences).toEqual([]);
  await leader.put("fan.duty", 55);
  await leader.put("door.lamp", true);
  await leader.put("door.text", "winter");
  const { differences, restore: planned } = await diff("now", "summer");
  expect(differences.map(({ text }) => text)).toEqual([
    "door.lamp: true -> false",
    'door.text: "winter" -> "hello"',
    "fan.duty: 55 -> 40",
  ]);
  expect(planned).toMatchObject({ fits: true, entries: 1, changes: differences });
  const before = leader.status().leader.lastIndex;
  const done = await restore("summer", planned.digest);
  expect(done).toMatchObject({ status: 200, changed: 3, entries: 1, leftOut: [], saved: `before-${before}` });
  expect(await settings()).toEqual([40, false, "hello"]);
  const log = JSON.parse((await leader.request("/api/log?limit=4")).body) as LogEntry[];
  expect(log.at(-1)).toMatchObject({ kind: "puts", index: done.index });
  expect(log.at(-1)!.text).toContain("; fan.duty = 40");
  const listing = await list();
  expect(listing.checkpoints.map(({ name, isAutomatic }) => [name, isAutomatic])).toEqual([
    ["summer", false],
    [done.saved, true],
  ]);
  expect(listing.restored).toMatch(/^summer by local 20/);
  // And back again.
  const back = await diff("now", done.saved!);
  expect(await restore(done.saved!, back.restore.digest)).toMatchObject({ changed: 3 });
  expect(await settings()).toEqual([55, true, "winter"]);
});

test("what was not shown is not done, what is done already is not done again", async () => {
  const leader = await leaderUnderTest();
  const { create, diff, restore, settings } = ask(leader);
  await create("summer");
  await leader.put("fan.duty", 55);
  const { digest } = (await diff("now", "summer")).restore;
  await leader.put("door.lamp", true);
  expect(await restore("summer", digest)).toMatchObject({ status: 412, error: { code: "unexpected-value" } });
  expect(await settings()).toEqual([55, true, "hello"]);
  const second = (await diff("now", "summer")).restore.digest;
  expect(await restore("summer", second)).toMatchObject({ changed: 2 });
  expect(await restore("summer", second)).toMatchObject({ status: 200, changed: 0 });
  expect(await restore("winter", second)).toMatchObject({ status: 404 });
});

test("in parts: only what was asked for comes back", async () => {
  const leader = await leaderUnderTest();
  const { create, diff, restore, settings } = ask(leader);
  await create("summer");
  await leader.put("fan.duty", 55);
  const voters = await diff("now", "summer", "&only=voters");
  expect(voters.restore.changes).toEqual([]);
  const only = ["settings"];
  const { digest } = (await diff("now", "summer", "&only=settings")).restore;
  expect(await restore("summer", digest, { only })).toMatchObject({ changed: 1 });
  expect(await settings()).toEqual([20, false, "hello"]);
  expect(await restore("summer", digest, { only: ["roster"] })).toMatchObject({ status: 400 });
});

test("what swarm.ts no longer takes is left out and told; its new boards keep their programs", async () => {
  const first = await leaderUnderTest();
  await first.put("fan.duty", 90);
  await ask(first).create("summer");
  await first.put("fan.duty", 10);
  await first.put("door.text", "new");
  await first.stop();
  const { "door.lamp": _, ...settings } = definition.settings;
  const { "south-1": gone, ...boards } = definition.boards;
  const narrowed = {
    ...definition,
    settings: {
      ...settings,
      "fan.duty": { type: "number", unit: "%", min: 0, max: 50, initial: 20 } as const,
    },
    boards: { ...boards, "east-1": gone! },
  };
  const leader = await leaderUnderTest({ stateDir: first.stateDir, definition: narrowed });
  await deployed(leader, "east-1");
  const found = await ask(leader).diff("now", "summer");
  expect(found.leftOut).toEqual(["fan.duty: fan.duty takes 0 to 50 %; 90 is too high"]);
  expect(found.restore.changes.map(({ text }) => text)).toEqual(['door.text: "new" -> "hello"']);
  expect(found.differences.map(({ text }) => text)).toContain("east-1: its program goes");
});

test("restored programs outlive elections, until swarm.ts says something else", async () => {
  const first = await leaderUnderTest();
  await ask(first).create("before");
  await first.stop();
  const [board] = Object.values(definition.boards);
  const program = { ...board!.program, pipelines: [] };
  const changed = (more: object = {}) => ({
    ...definition,
    boards: { ...definition.boards, "north-1": { ...board!, program: { ...program, ...more } } },
  });
  const { stateDir } = first;
  const second = await leaderUnderTest({ stateDir, definition: changed() });
  const { diff, restore } = ask(second);
  await deployed(second, "north-1");
  const found = await diff("now", "before");
  expect(found.restore.changes.map(({ text }) => text)).toEqual(["north-1: +pipeline temperature"]);
  expect(await restore("before", found.restore.digest)).toMatchObject({ changed: 1 });
  await second.stop();
  const third = await leaderUnderTest({ stateDir, definition: changed() });
  expect((await ask(third).diff("now", "before")).differences).toEqual([]);
  await third.stop();
  const fourth = await leaderUnderTest({ stateDir, definition: changed({ outputs: [] }) });
  await deployed(fourth, "north-1");
  const words = (await ask(fourth).diff("before", "now")).differences.map(({ text }) => text);
  expect(words).toEqual(["north-1: -pipeline temperature, -output fan"]);
});

test("there are at most twelve, and four that were made before a restore: the oldest of those go", async () => {
  const leader = await leaderUnderTest();
  const { create, delete: remove, list, diff, restore } = ask(leader);
  for (let i = 0; i < 12; i++) expect(await create(`c${i}`)).toMatchObject({ status: 200 });
  expect(await create("one-more")).toMatchObject({ status: 422 });
  expect(await create("c3")).toMatchObject({ status: 409 });
  expect(await create("Upper")).toMatchObject({ status: 400 });
  expect(await remove("c3")).toMatchObject({ status: 200 });
  expect(await create("one-more")).toMatchObject({ status: 200 });
  const saved: (string | undefined)[] = [];
  for (let i = 0; i < 6; i++) {
    await leader.put("fan.duty", i);
    saved.push((await restore("c0", (await diff("now", "c0")).restore.digest)).saved);
  }
  const { checkpoints } = await list();
  const automatic = checkpoints.filter(({ isAutomatic }) => isAutomatic).map(({ name }) => name);
  expect(automatic).toEqual(saved.slice(2));
  const files = readdirSync(join(leader.stateDir, "host-a", "checkpoints"));
  expect(files).toHaveLength(16);
});

describe("several hosts", () => {
  test("of which the leader goes in the middle of a restore: all of it, or nothing", async () => {
    for (const afterMs of [0, 3, 10]) {
      const several = await SeveralHosts.start(["a", "b", "c"], []);
      const first = await several.leader();
      const leader = several.host(first);
      await eventually(() => leader.status().leader.voters.length === 3);
      await ask(leader).create("summer");
      await leader.put("fan.duty", 55);
      await leader.put("door.text", "winter");
      const { digest } = (await ask(leader).diff("now", "summer")).restore;
      const answer = ask(leader)
        .restore("summer", digest)
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await several.stop(first);
      const next = several.host(await several.leader());
      const [duty, , text] = await ask(next).settings();
      expect([
        [20, "hello"],
        [55, "winter"],
      ]).toContainEqual([duty, text]);
      if ((await answer)?.status === 200) expect(duty).toBe(20);
      // Whoever asks again has it done.
      const again = (await ask(next).diff("now", "summer")).restore;
      if (again.changes.length > 0) {
        expect(await ask(next).restore("summer", again.digest)).toMatchObject({ status: 200, changed: 2 });
      }
      expect(await ask(next).settings()).toEqual([20, false, "hello"]);
      for (const name of [...several.hosts.keys()]) await several.stop(name);
    }
  }, 60_000);

  test("make the same bytes; one that was away, or whose copy is damaged, fetches it", async () => {
    const several = await SeveralHosts.start(["a", "b", "c"], []);
    const leader = several.host(await several.leader());
    // Or the one that goes away may be one of two.
    await eventually(() => leader.status().leader.voters.length === 3, 15_000);
    const { create, list, delete: remove } = ask(leader);
    const away = [...several.hosts.values()].find((host) => host !== leader)!;
    expect(await create("both")).toMatchObject({ status: 200 });
    await eventuallyAll(list, "both", { a: "whole", b: "whole", c: "whole" });
    await several.stop(away.hostName);
    expect(await create("away")).toMatchObject({ status: 200 });
    const back = await several.start(away.hostName);
    await eventuallyAll(list, "away", { a: "whole", b: "whole", c: "whole" });
    const folder = join(several.stateDir, `host-${away.hostName}`, "checkpoints");
    writeFileSync(join(folder, "both.checkpoint"), "nonsense");
    expect((await list()).checkpoints.find(({ name }) => name === "both")?.copies[away.hostName]).toBe(
      "damaged",
    );
    await eventuallyAll(list, "both", { a: "whole", b: "whole", c: "whole" });
    expect(back.logged.some((line) => line.includes("checkpoint-fetched"))).toBe(true);
    await remove("both");
    await eventually(() => !readdirSync(folder).includes("both.checkpoint"));
  }, 60_000);
});

/** The leader has deployed this board's program in this life of the host. */
function deployed(leader: LeaderUnderTest, board: string): Promise<boolean> {
  return eventually(() =>
    leader.logged.some((line) => /deployed/.test(line) && line.includes(`program/${board}`)),
  );
}

async function eventuallyAll(
  list: () => Promise<CheckpointListing>,
  name: string,
  copies: Record<string, string>,
): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    const found = (await list()).checkpoints?.find((listed) => listed.name === name)?.copies;
    if (JSON.stringify(sorted(found)) === JSON.stringify(copies)) return;
    if (performance.now() > deadlineMs) expect(found).toEqual(copies);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function sorted(copies: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(copies).sort(([a], [b]) => (a < b ? -1 : 1)));
}
