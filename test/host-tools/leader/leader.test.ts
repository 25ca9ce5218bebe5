import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { HostFile } from "../../../host-tools/leader/host-directory.ts";
import { eventually, leaderUnderTest, temporaryFolder } from "./leader-under-test.ts";

test("a board that says hello gets the whole log, votes once it has caught up, and applies what is set", async () => {
  const leader = await leaderUnderTest();
  const north = await leader.join("north-1");
  const south = await leader.join("south-1");
  await eventually(() => leader.status().leader.voters.includes(north.memberId));

  const { status, index } = await leader.put("fan.duty", 40);

  expect(status).toBe(200);
  await eventually(() => north.state.get("fan.duty") === 40 && south.state.get("fan.duty") === 40);
  expect(north.state.get("program/north-1")).toBeInstanceOf(Uint8Array);
  const { boards, settings, violations } = leader.status();
  expect(settings["fan.duty"]).toMatchObject({ value: 40, unit: "%", index });
  expect(boards.map(({ id, role, link }) => `${id} ${role} ${link}`)).toEqual([
    "north-1 voter up",
    "north-2 unknown down",
    "south-1 learner up",
  ]);
  expect(violations).toEqual([]);
});

test("a restarted leader keeps what was agreed and commits again only with its voters", async () => {
  const stateDir = temporaryFolder();
  const first = await leaderUnderTest({ stateDir });
  const north = await first.join("north-1");
  await eventually(() => first.status().leader.voters.length === 2);
  await first.put("fan.duty", 55);
  await first.stop();
  await north.closed;

  const second = await leaderUnderTest({ stateDir });
  expect(second.status().leader.role).toBe("candidate");
  expect((await second.put("fan.duty", 60)).error).toMatchObject({ code: "not-leader" });
  await second.join("north-1", { memory: north.memory });
  await eventually(() => second.status().settings["fan.duty"]?.value === 55);
  expect((await second.put("fan.duty", 60)).status).toBe(200);
  expect(second.status().violations).toEqual([]);
});

test("a value set the moment the leader answers is not undone by its initial value", async () => {
  const leader = await leaderUnderTest();
  expect((await leader.put("fan.duty", 61)).status).toBe(200);
  await eventually(() => leader.status().leader.commitIndex >= 9);
  expect(leader.status().settings["fan.duty"]!.value).toBe(61);
});

test("host.json says where the host answers, while it does", async () => {
  const leader = await leaderUnderTest();
  const file = join(leader.stateDir, "host-a", "host.json");
  const announced = JSON.parse(readFileSync(file, "utf8")) as HostFile;
  expect(announced).toEqual({ swarm: "greenhouse", host: "a", pid: process.pid, url: leader.url });
  await leader.stop();
  expect(() => readFileSync(file)).toThrow("ENOENT");
});
