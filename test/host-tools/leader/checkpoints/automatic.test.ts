/** Recovery points that nobody asked for: before a `swarm.ts` that asks for something else, and before new firmware. */
import { expect, test } from "vitest";
import type {
  CheckpointDifference,
  CheckpointListing,
} from "../../../../host-tools/leader/api/types/checkpoints.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { propose, someRelease, upload } from "../images/some-release.ts";
import { definition, eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";

async function get<T>(leader: LeaderUnderTest, path: string): Promise<T> {
  return JSON.parse((await leader.request(path)).body) as T;
}

async function names(leader: LeaderUnderTest): Promise<string[]> {
  const { checkpoints } = await get<CheckpointListing>(leader, "/api/checkpoints");
  return checkpoints.filter(({ isComplete }) => isComplete).map(({ name }) => name);
}

/** The same, but that another limit holds for the fan, and that its boards run nothing. */
function changed(max: number): SwarmDefinition {
  const [name, board] = Object.entries(definition.boards)[0]!;
  const program = { ...board.program, pipelines: [] };
  const fan = { type: "number", unit: "%", min: 0, max, initial: 20 } as const;
  return {
    ...definition,
    settings: { ...definition.settings, "fan.duty": fan },
    boards: { ...definition.boards, [name]: { ...board, program } },
  };
}

test("another swarm.ts: the state before it is a checkpoint; the first and the same one make none", async () => {
  const first = await leaderUnderTest();
  await first.put("fan.duty", 90);
  await first.stop();
  const { stateDir } = first;
  const same = await leaderUnderTest({ stateDir });
  await same.put("door.text", "seen");
  expect(await names(same)).toEqual([]);
  expect(same.status().checkpoints).toBeUndefined();
  await same.stop();

  const second = await leaderUnderTest({ stateDir, definition: changed(50) });
  const newest = await eventually(() => second.status().checkpoints);
  expect(newest).toMatchObject({ count: 1, name: expect.stringMatching(/^deploy-\d+$/) });
  await eventually(() => second.status().settings["fan.duty"]!.value === 20);
  const { differences } = await get<CheckpointDifference>(
    second,
    `/api/checkpoints/diff?from=${newest.name}&to=now`,
  );
  expect(differences.map(({ text }) => text)).toEqual([
    "fan.duty: 90 -> 20",
    expect.stringMatching(/-pipeline temperature/),
  ]);
  await second.stop();
}, 30_000);

test("of those before a swarm.ts the last four are kept, and do not push out the others", async () => {
  let leader = await leaderUnderTest();
  const { stateDir } = leader;
  const body = JSON.stringify({ name: "summer" });
  await leader.request("/api/checkpoints", {
    ...{ method: "POST", body },
    headers: { "content-type": "application/json" },
  });
  let newest = "";
  for (let i = 0; i < 6; i++) {
    await leader.stop();
    leader = await leaderUnderTest({ stateDir, definition: i % 2 === 0 ? changed(50) : definition });
    const count = Math.min(i + 2, 5);
    const isNew = (name: string) => name.startsWith("deploy-") && name !== newest;
    newest = await eventually(() => {
      const present = leader.status().checkpoints;
      return present?.count === count && isNew(present.name) && present.name;
    });
  }
  const all = await names(leader);
  expect(all[0]).toBe("summer");
  expect(all).toHaveLength(5);
  await leader.stop();
}, 60_000);

test("new firmware: one for all releases of one update", async () => {
  const leader = await leaderUnderTest();
  await leader.put("fan.duty", 33);
  for (const sequence of [1, 2]) {
    const one = someRelease(sequence);
    expect(await upload(leader, one, one.image)).toMatchObject({ status: 200 });
    expect(await propose(leader, one)).toMatchObject({ status: 200 });
  }
  expect(await names(leader)).toEqual([expect.stringMatching(/^update-\d+$/)]);
  await leader.stop();
}, 30_000);
