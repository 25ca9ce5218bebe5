/** What a task in `swarm.ts` compiles to, and what is said of mistakes in it. */
import { expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import {
  board,
  output,
  register,
  sense,
  setting,
  swarm,
  task,
  when,
} from "../../../host-tools/swarm-file/api.ts";
import { compileSwarm } from "../../../host-tools/swarm-file/compile.ts";
import type { TaskPart } from "../../../host-tools/swarm-file/parts.ts";

const temperature = (metric: string) => sense("temperature", { every: "1s" }).as(metric);

function compile(tasks: Record<string, TaskPart>) {
  const boards = {
    a: board("esp32c3-devkit", {
      sense: [temperature("room"), sense("humidity", { every: "1s" }).keep("1h").as("damp")],
      place: { zone: "north", has: ["modbus"], weight: 2 },
    }),
    b: board("esp32c3-devkit", { sense: [], place: { battery: true } }),
    c: board("esp32c3-devkit", {
      sense: [],
      sleep: { awake: "5s", every: "1m" },
      place: { has: ["camera"] },
    }),
  };
  const hosts = { attic: { has: ["stick"], zone: "top", weight: 3 }, cellar: {} };
  return compileSwarm(swarm("house", { hosts, boards, tasks }), "/swarm.ts", loadBoards());
}

/** What is said of `given`. */
function said(given: unknown, name = "watch"): string {
  try {
    compile({ [name]: task(given as never), other: task({ sense: [temperature("other")] }) });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

test("a task and the places of boards compile to what was said, and to what is usual where nothing was", () => {
  const { tasks, boards } = compile({
    watch: task({
      sense: [temperature("gateway")],
      strategy: "rendezvous",
      requires: { has: ["modbus"], zones: ["north"], mains: true, apartFrom: ["plain"] },
      lease: "20s",
    }),
    plain: task({ sense: [sense("humidity", { every: "1s" })] }),
  });
  expect(tasks).toMatchObject({
    watch: {
      ...{ strategy: "rendezvous", leaseMs: 20_000, units: { gateway: "°C" } },
      requires: { needs: ["modbus"], zones: ["north"], mains: true, apartFrom: ["plain"] },
      pipelines: [{ metric: "gateway", sensor: "temperature" }],
    },
    plain: {
      ...{ strategy: "least-loaded", leaseMs: 10_000 },
      requires: { needs: [], zones: [], mains: false, apartFrom: [] },
    },
  });
  expect(boards.a!.place).toEqual({ zone: "north", has: ["modbus"], onBattery: false, weight: 2 });
});

test("an aggregation, and roles of hosts and of boards", () => {
  const { tasks, hosts, hostPlaces } = compile({
    mean: task({ on: "hosts", aggregate: { of: "damp", every: "1m", as: "p95" } }),
    zigbee: task({ on: "hosts", role: true, requires: { has: ["stick"] } }),
    beacon: task({ role: true }),
  });
  expect(tasks).toMatchObject({
    mean: {
      ...{ on: "hosts", pipelines: [], units: { mean: "%" } },
      aggregate: { query: "p95(damp) over 60s", everyMs: 60_000, boards: ["a"], metric: "mean", unit: "%" },
    },
    zigbee: { on: "hosts", pipelines: [], requires: { needs: ["stick"] } },
    beacon: { on: "boards", pipelines: [] },
  });
  expect(tasks!.zigbee).not.toHaveProperty("aggregate");
  expect(hosts).toEqual(["attic", "cellar"]);
  expect(hostPlaces!.attic).toEqual({ has: ["stick"], zone: "top", weight: 3, onBattery: false });
});

test("a swarm without tasks has no word of them", () => {
  expect(compile({})).not.toHaveProperty("tasks");
});

test.each([
  [
    "an unknown strategy",
    { sense: [temperature("x")], strategy: "least-load" },
    '"least-load" is no strategy',
  ],
  ["a lease too short", { sense: [temperature("x")], lease: "1s" }, "it must be from 2s to 24h"],
  ["a lease too long", { sense: [temperature("x")], lease: "1h" }, "it must be from 2s to 10m"],
  ["nothing to sense", { sense: [] }, "sense must be a list of pipelines"],
  [
    "a metric of a board",
    { sense: [temperature("room")] },
    'the board "a" and the task "watch" both have "room"',
  ],
  ["a metric of another task", { sense: [temperature("other")] }, 'both have "other"'],
  ["one metric twice", { sense: [temperature("x"), temperature("x")] }, 'has two pipelines for "x"'],
  ["a metric too long", { sense: [temperature("a-name-of-25-characters.x")] }, "24 characters are the most"],
  [
    "what no board has",
    { sense: [temperature("x")], requires: { has: ["sonar"] } },
    "no board can hold the task",
  ],
  [
    "what only a sleeper has",
    { sense: [temperature("x")], requires: { has: ["camera"] } },
    "no board can hold the task",
  ],
  [
    "a requirement unknown",
    { sense: [temperature("x")], requires: { zone: ["north"] } },
    'requires has no "zone"',
  ],
  [
    "to be apart from nobody",
    { sense: [temperature("x")], requires: { apartFrom: ["othr"] } },
    "is no other task",
  ],
  ["pipelines on a host", { on: "hosts", sense: [temperature("x")] }, "hosts run no pipelines"],
  ["an aggregation on a board", { aggregate: { of: "damp", every: "1m", as: "mean" } }, 'write on: "hosts"'],
  ["two kinds at once", { role: true, sense: [temperature("x")] }, "only one of them"],
  [
    "what nobody keeps",
    { on: "hosts", aggregate: { of: "room", every: "1m", as: "mean" } },
    'no board keeps "room" for 60 s or longer',
  ],
  [
    "a board that does not keep it",
    { on: "hosts", aggregate: { of: "damp", every: "1m", as: "mean", boards: ["b"] } },
    'b does not keep "damp"',
  ],
  [
    "no function",
    { on: "hosts", aggregate: { of: "damp", every: "1m", as: "avg" } },
    '"avg" is no function; use mean, min',
  ],
  [
    "what no host has",
    { on: "hosts", role: true, requires: { has: ["modbus"] } },
    "no host can hold the task",
  ],
])("is told of %s", (_what, given, says) => {
  expect(said(given)).toContain(says);
});

/** What is said of a rule `as` something, in a swarm of tasks, registers and settings. */
function saidOfRule(as: string): string {
  const rule = when("temperature").above(1, { as }).set("siren", true);
  const siren = output.digital({ pin: 4, safe: false });
  const hall = () =>
    board("esp32c3-devkit", { sense: [temperature("temperature")], outputs: { siren }, rules: [rule] });
  const given = swarm("house", {
    settings: { both: setting.number({ unit: "", min: 0, max: 1, initial: 0 }) },
    registers: {
      boards: ["a", "b", "c"],
      names: { first: register.coordinator(), loud: register.boolean({ initial: false }) },
    },
    boards: { a: hall(), b: hall(), c: hall() },
    tasks: {
      warden: task({ role: true }),
      both: task({ role: true }),
      gateway: task({ sense: [sense("humidity", { every: "1s" }).as("gateway")] }),
      stick: task({ on: "hosts", role: true }),
    },
  } as never);
  try {
    const { boards } = compileSwarm(given, "/swarm.ts", loadBoards());
    return `as ${boards.a!.program.rules[0]!.as}`;
  } catch (error) {
    return (error as Error).message;
  }
}

test("a rule may be that of whoever holds a task, if boards hold it", () => {
  for (const as of ["warden", "gateway", "first"]) expect(saidOfRule(as)).toBe(`as ${as}`);
  expect(saidOfRule("stick")).toContain('"stick" is held by a host; a rule is a board\'s');
  expect(saidOfRule("both")).toContain('"both" names a task and a setting; give one of them another name.');
  expect(saidOfRule("loud")).toContain('"loud" is a boolean.');
  expect(saidOfRule("wardn")).toContain(
    'no register that names a board, and no task; did you mean "warden"?',
  );
});
