/** Actions at a host, over its HTTP interface and by `covey act`; its boards are made of bytes and tell what the test has them tell. */
import { expect, onTestFinished, test } from "vitest";
import { decodeCbor } from "../../../../host-tools/codec/cbor.ts";
import type { ActionStatus } from "../../../../host-tools/leader/api/types/actions.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { actionLimits, slotKey } from "../../../../protocols/two-phase-commit/action.ts";
import { actionFromWire } from "../../../../protocols/two-phase-commit/codec.ts";
import { reportsToWire, type Stage } from "../../../../protocols/two-phase-commit/report.ts";
import { CoveyProcess, covey, scratchFolder } from "../../cli/covey-process.ts";
import { definition, eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";

const vent = { set: [{ output: "fan", value: 80 }], require: [], forMs: 600_000, safetyMs: 0 };
const warm = { ...vent, require: [{ metric: "temperature", min: 10, max: 30, maxAgeMs: 10_000 }] };
const acting: SwarmDefinition = { ...definition, actions: { vent, warm } };
const names = Object.keys(acting.boards);

interface Greenhouse {
  readonly leader: LeaderUnderTest;
  readonly boards: readonly RawBoard[];
  begin(body: object, name?: string): Promise<{ status: number; said: string }>;
  actions(): Promise<ActionStatus[]>;
}

async function greenhouse(): Promise<Greenhouse> {
  const leader = await leaderUnderTest({ definition: acting });
  const boards: RawBoard[] = [];
  for (const name of names) boards.push(await leader.join(name));
  await eventually(() => leader.status().boards.every(({ link }) => link === "up"));
  return {
    ...{ leader, boards },
    begin: async (body, name = "vent") => {
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await leader.request(`/api/actions/${name}`, init);
      return { status: answer.status, said: answer.body };
    },
    actions: async () => JSON.parse((await leader.request("/api/actions")).body) as ActionStatus[],
  };
}

/** Waits until the board knows an action in `slot` that stands like this, and tells how it stands itself. */
async function tell(
  board: RawBoard,
  phase: string,
  stage: Stage,
  { slot = 0, reason = "" } = {},
): Promise<void> {
  const action = await eventually(() => {
    const value = board.state.get(slotKey(slot));
    const known = value instanceof Uint8Array ? actionFromWire(decodeCbor(value)) : undefined;
    return known?.phase === phase ? known : undefined;
  }, 10_000);
  const told = { slot, id: action.id, stage, reason, wallMs: undefined, boundMs: undefined };
  board.publish("action", reportsToWire([told]));
}

async function tellAll(boards: readonly RawBoard[], phase: string, stage: Stage, slot = 0): Promise<void> {
  for (const board of boards) await tell(board, phase, stage, { slot });
}

test("all have promised: it is committed; all have told that they acted: it has ended, and covey act says so", async () => {
  const { leader, boards, actions } = await greenhouse();
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const act = new CoveyProcess(["act", "vent", "--url", leader.url], folder);
  await tellAll(boards, "begun", "yes");
  await tellAll(boards, "committed", "acted");
  const { exitCode, stdout, stderr } = await act.ended;
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^vent [0-9a-f]{8} on north-1, north-2, south-1$/m);
  expect(stdout).toContain("vent was carried out by all 3 boards.");
  expect(await actions()).toMatchObject([{ name: "vent", phase: "committed", isEnded: true }]);
  const audit = JSON.parse((await leader.request("/api/audit")).body) as { what: string }[];
  expect(audit.map(({ what }) => what).join()).toMatch(/act vent [0-9a-f]{8}/);
}, 30_000);

test("one can't: nobody acts, and covey act tells who and why", async () => {
  const { leader, boards } = await greenhouse();
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const act = new CoveyProcess(["act", "vent", "--json", "--url", leader.url], folder);
  await tell(boards[0]!, "begun", "yes");
  await tell(boards[1]!, "begun", "no", { reason: "it is in safe mode" });
  const { exitCode, stdout } = await act.ended;
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ phase: "aborted", reason: "north-2: it is in safe mode", exitCode: 3 },
    boards: [{ stage: "yes" }, { stage: "no" }, { stage: "silent" }],
  });
}, 30_000);

test("a board that goes its own way after the decision is told of: exit code 4", async () => {
  const { leader, boards } = await greenhouse();
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const act = new CoveyProcess(["act", "vent", "--url", leader.url], folder);
  await tellAll(boards, "begun", "yes");
  await tellAll(boards.slice(1), "committed", "acted");
  await tell(boards[0]!, "committed", "settled", { reason: "no decision within 30 s" });
  const { exitCode, stdout } = await act.ended;
  expect(exitCode).toBe(4);
  expect(stdout).toContain("north-1 went to its safe values on its own: no decision within 30 s");
  expect(stdout).toContain("vent was committed, but north-1 did not follow; look after it.");
}, 30_000);

test("who does not answer until the deadline has it aborted", async () => {
  const { boards, begin, actions } = await greenhouse();
  await begin({ timeoutMs: 400 });
  await tell(boards[0]!, "begun", "yes");
  await tell(boards[0]!, "aborted", "released");
  expect(await actions()).toMatchObject([
    { phase: "aborted", reason: "north-2 and 1 more did not answer in time", isEnded: false },
  ]);
}, 30_000);

test("two that want the same output of a board take turns; two that do not go side by side", async () => {
  const { boards, begin } = await greenhouse();
  expect(await begin({ boards: ["north-1"] })).toMatchObject({ status: 200 });
  const refused = await begin({ boards: ["north-1", "south-1"] });
  expect(refused.status).toBe(409);
  expect(refused.said).toMatch(/fan of north-1 is taken by vent \([0-9a-f]{8}\), which is begun; try again/);
  expect(await begin({ boards: ["south-1"] })).toMatchObject({ status: 200 });
  await tell(boards[0]!, "begun", "yes");
  await tell(boards[0]!, "committed", "acted");
  await eventually(() => {
    const value = boards[0]!.state.get(slotKey(0));
    return value instanceof Uint8Array && actionFromWire(decodeCbor(value)).isEnded;
  });
  expect(await begin({ boards: ["north-1"] })).toMatchObject({ status: 200 });
}, 30_000);

test("of more than fit, the last is refused with what to do", async () => {
  const { boards, begin } = await greenhouse();
  for (let slot = 0; slot < actionLimits.slots; slot++) {
    expect(await begin({ boards: ["north-1"] })).toMatchObject({ status: 200 });
    await tell(boards[0]!, "begun", "yes", { slot });
    // The output is free again, and the action is not: north-1 told of it, and nobody else is in it.
    await tell(boards[0]!, "committed", "acted", { slot });
    await eventually(() => {
      const value = boards[0]!.state.get(slotKey(slot));
      return value instanceof Uint8Array && actionFromWire(decodeCbor(value)).isEnded;
    });
  }
  // Those that ended give way.
  expect(await begin({ boards: ["north-1"] })).toMatchObject({ status: 200 });
}, 60_000);

test.each([
  ["no such action", "open", {}, 404, "There is no action open; this swarm has vent, warm"],
  ["no such board", "vent", { boards: ["north-9"] }, 400, "north-9 is no board of this swarm."],
  ["boards that are no list", "vent", { boards: "north-1" }, 400, "Name boards as in"],
  ["nobody", "vent", { boards: [] }, 400, "Name boards as in"],
  ["a time that is over", "vent", { startMs: 1_000 }, 400, "1970-01-01T00:00:01.000Z is over"],
  ["a time too far away", "vent", { startMs: 1e15 }, 400, "within a week from now"],
  ["no time to answer", "vent", { timeoutMs: 1 }, 400, "timeoutMs must be a whole number from 100 to 600000"],
])("refuses %s", async (_what, name, body, status, says) => {
  const { leader } = await refusing();
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await leader.request(`/api/actions/${name}`, init);
  expect(answer.status).toBe(status);
  expect(answer.body).toContain(says);
});

test("covey act refuses what it can't read, and names what there is", async () => {
  const { leader } = await refusing();
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const wrong = async (...words: string[]) => {
    const { exitCode, stderr } = await covey(["act", ...words, "--url", leader.url], folder);
    return [exitCode, stderr.trim()];
  };
  expect(await wrong()).toEqual([2, "Say which action, as in covey act open-valves; or see --list."]);
  expect(await wrong("vent", "--at", "noon")).toEqual([2, "noon is no time; write it as 2027-06-01T06:00Z."]);
  expect(await wrong("open")).toEqual([2, expect.stringContaining("this swarm has vent, warm")]);
  const { stdout } = await covey(["act", "--list", "--url", leader.url], folder);
  expect(stdout).toBe("No action was begun yet.\n");
}, 30_000);

/** A host alone, whose swarm needs no board to agree. */
async function refusing(): Promise<{ leader: LeaderUnderTest }> {
  const leader = await leaderUnderTest({ definition: { ...acting, voters: [] } });
  await eventually(() => leader.status().leader.role === "leader");
  return { leader };
}
