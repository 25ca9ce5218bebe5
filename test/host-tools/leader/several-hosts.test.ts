import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./leader-under-test.ts";
import { SeveralHosts } from "./several-hosts.ts";

test("two hosts found one group: the first leads, the second votes, and any of them answers", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  expect(await swarm.set("b", "fan.duty", 41)).toMatchObject({ value: 41, index: expect.any(Number) });
  for (const name of ["a", "b"]) {
    const status = await swarm.status(name);
    expect(status).toMatchObject({
      isConfirmed: true,
      leader: { role: "leader", id: expect.stringMatching(/^a\./) },
    });
    expect(status.settings["fan.duty"]!.value).toBe(41);
    expect(status.hosts.map((host) => `${host.name} ${host.role} ${host.link} ${host.isVoter}`)).toEqual([
      "a leader up true",
      "b follower up true",
    ]);
  }
  swarm.expectNoViolations();
});

test("the first host waits with founding until the second has said that it has no log", async () => {
  const swarm = new SeveralHosts(["a", "b"], []);
  const a = await swarm.start("a");
  expect((await swarm.set("a", "fan.duty", 41)).error?.code).toBe("not-leader");
  expect(a.status()).toMatchObject({ leader: { role: "follower", commitIndex: 0 }, isConfirmed: false });
  await swarm.start("b");
  expect(await swarm.leader()).toBe("a");
});

test("a board at the follower is led through it, and both hosts know it and have its readings", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  const [north] = await swarm.join("north-2", ["b"]);
  await swarm.set("a", "fan.duty", 42);
  await eventually(() => north!.state.get("fan.duty") === 42);
  north!.report(0, [{ metric: "temperature", takenMs: 0, value: 21, quality: 0 }]);
  for (const name of ["a", "b"]) {
    await eventually(() => {
      const [, board] = swarm.host(name).status().boards;
      return board!.readings[0]?.value === 21 && board!.hosts.join() === "b" && board!.link === "up";
    });
    expect(await swarm.ask<unknown[]>(name, "/api/readings")).toHaveLength(1);
  }
  north!.cut();
  await eventually(() => swarm.host("a").status().boards[1]!.link === "down");
  swarm.expectNoViolations();
});

test("committed entries are published once per broker, whatever the number of boards", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  const boards = [
    ...(await swarm.join("north-1", ["a"])),
    ...(await swarm.join("north-2", ["a"])),
    ...(await swarm.join("south-1", ["b"])),
  ];
  const applied = (value: number) =>
    eventually(() => boards.every((board) => board.state.get("fan.duty") === value));
  await swarm.set("a", "fan.duty", 1);
  await applied(1);
  const before = ["a", "b"].map((name) => swarm.host(name).status().counters);
  await swarm.set("a", "fan.duty", 2);
  await applied(2);
  const after = ["a", "b"].map((name) => swarm.host(name).status().counters);
  expect(after.map((counters, i) => counters.publications - before[i]!.publications)).toEqual([1, 1]);
  expect(after.map((counters, i) => counters.publicationWrites - before[i]!.publicationWrites)).toEqual([
    2, 1,
  ]);
  expect(boards.every(({ publications }) => publications.length > 0)).toBe(true);
});

test.each(["a", "b"])(
  "with three voting boards host %s may die: the other leads on, and nothing is lost",
  async (victim) => {
    const swarm = await SeveralHosts.start(["a", "b"], ["north-1", "north-2", "south-1"]);
    await swarm.leader();
    for (const name of swarm.definition.voters) await swarm.join(name, ["a", "b"]);
    await eventually(() => swarm.host("a").status().leader.voters.length === 5, 15_000);
    await swarm.set("a", "fan.duty", 43);
    await swarm.stop(victim);
    const survivor = victim === "a" ? "b" : "a";
    expect(await swarm.set(survivor, "fan.duty", 44)).toMatchObject({ value: 44 });
    expect((await swarm.status(survivor)).settings["fan.duty"]!.value).toBe(44);
    await swarm.start(victim);
    await eventually(() => swarm.host(victim).status().settings["fan.duty"]!.value === 44, 15_000);
    swarm.expectNoViolations();
  },
);

test("a command with an id is carried out once, however often and wherever it is sent", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  const { headers } = await swarm.host("b").request("/api/settings/fan.duty");
  const id = { "idempotency-key": headers.get("idempotency-key")! };
  const first = await swarm.set("b", "fan.duty", 45, id);
  await swarm.set("a", "fan.duty", 46);
  expect(await swarm.set("a", "fan.duty", 45, id)).toEqual(first);
  expect(await swarm.set("b", "fan.duty", 45, id)).toEqual(first);
  expect((await swarm.status("a")).settings["fan.duty"]!.value).toBe(46);
});

test("a set with a condition is made only if the value is the expected one", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  expect(await swarm.set("b", "fan.duty", 50, {}, 20)).toMatchObject({ value: 50 });
  expect((await swarm.set("b", "fan.duty", 51, {}, 20)).error).toEqual({
    code: "unexpected-value",
    message: "fan.duty is 50 by now; nothing was changed.",
  });
  expect((await swarm.set("a", "fan.duty", 51, { "idempotency-key": "x" })).error?.code).toBe("bad-request");
});

test("leadership passes to another host when asked to", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  expect(await swarm.post("b", "/api/members/transfer", { to: "b" })).toEqual({ to: "b" });
  await eventually(() => swarm.host("b").status().leader.role === "leader");
  expect(await swarm.set("a", "fan.duty", 47)).toMatchObject({ value: 47 });
  expect((await swarm.post("a", "/api/members/transfer", { to: "b" })).error?.message).toBe(
    "b leads already.",
  );
  expect((await swarm.post("a", "/api/members/transfer", { to: "north-1" })).error?.message).toBe(
    "north-1 is no host: only hosts lead, and this swarm has a.",
  );
});

test("a host whose folder is gone is taken in again under a new id, which replaces the old one", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], ["north-1"]);
  await swarm.leader();
  await swarm.join("north-1", ["a", "b"]);
  await eventually(() => swarm.host("a").status().leader.voters.length === 3, 15_000);
  await swarm.set("a", "fan.duty", 48);
  const old = swarm.host("a").status().leader.id;
  await swarm.stop("a");
  rmSync(join(swarm.stateDir, "host-a"), { recursive: true });
  await swarm.start("a");
  const id = swarm.host("a").status().leader.id;
  expect(id).not.toBe(old);
  await eventually(() => {
    const { voters } = swarm.host("b").status().leader;
    return voters.includes(id) && !voters.includes(old);
  }, 15_000);
  await eventually(() => swarm.host("a").status().settings["fan.duty"]!.value === 48);
  swarm.expectNoViolations();
});

test("no group is founded while a board remembers one: the operator is told to recover", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], ["north-1"]);
  await swarm.leader();
  const [north] = await swarm.join("north-1", ["a", "b"]);
  await eventually(
    () => north!.appliedIndex > 3 && swarm.host("a").status().leader.voters.length === 3,
    15_000,
  );
  for (const name of ["a", "b"]) {
    await swarm.stop(name);
    rmSync(join(swarm.stateDir, `host-${name}`), { recursive: true });
  }
  const a = await swarm.start("a");
  await swarm.join("north-1", ["a"], north!.memory);
  await eventually(() => a.status().boards[0]!.link === "up");
  await swarm.start("b");
  const [sentence] = await eventually(() => a.status().violations.length > 0 && a.status().violations);
  expect(sentence).toMatch(
    /^No host has a log, but north-1 was led in term \d+ and has applied \d+ entries: no group is founded\. .+ covey recover/,
  );
  expect(a.status().leader).toMatchObject({ role: "follower", commitIndex: 0 });
});

test("whoever watches a host is shown what the leader says, and is sent on when another one leads", async () => {
  const swarm = await SeveralHosts.start(["a", "b"], []);
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  for (const next of ["b", "a"]) {
    let told = "";
    const response = await fetch(`${swarm.host("b").url}/api/events`);
    const ended = (async () => {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) told += text;
    })();
    const leading = next === "b" ? "a" : "b";
    await eventually(() => told.includes(`"role":"leader"`) && told.includes(`"id":"${leading}.`));
    await swarm.post("b", "/api/members/transfer", { to: next });
    await ended;
    expect(await swarm.leader()).toBe(next);
  }
});
