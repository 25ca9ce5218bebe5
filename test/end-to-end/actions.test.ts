/** Actions over five real XS boards and two real hosts: all act, or none, whoever dies. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SwarmClient } from "../../host-tools/cli/swarm-client.ts";
import { silenceMs } from "../../host-tools/leader/actions/lost.ts";
import type { AuditEntry } from "../../host-tools/leader/api/types/access.ts";
import type { ActionBegun, ActionStatus } from "../../host-tools/leader/api/types/actions.ts";
import type { BoardSupervisor } from "../../host-tools/simulator/board-supervisor.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { repository, runCovey, sleep } from "./running-swarm.ts";

const temperature = join(repository, "examples/greenhouse/data/office-temperature.csv");
const source = `
import { action, board, metric, output, replay, sense, swarm } from "covey";
const valve = () => board("esp32c3-devkit", {
  sense: [sense("temperature", { every: "200ms" })],
  outputs: { valve: output.digital({ pin: 4, safe: false }), pump: output.pwm({ pin: 5, safe: 10 }) },
  simulate: { temperature: replay("${temperature}", { speed: 60, unit: "°F" }) },
});
export default swarm("waterworks", {
  hosts: ["a", "b"],
  voters: ["b1"],
  boards: { b1: valve(), b2: valve(), b3: valve(), b4: valve(), b5: valve() },
  actions: {
    open: action({ set: { valve: true, pump: 60 }, for: "3s", require: [metric("temperature").between(0, 1e9)] }),
    close: action({ set: { valve: false, pump: 0 } }),
    impossible: action({ set: { valve: true }, require: [metric("temperature").atLeast(1e9)] }),
  },
});
`;

let swarm: DeployedSwarm;
const patient = { timeout: 120_000 };
const all = ["b1", "b2", "b3", "b4", "b5"];
const client = () => SwarmClient.find({ url: swarm.urls(), state: swarm.folder });
const board = (name: string): BoardSupervisor => swarm.boards.find((each) => each.name === name)!;
const act = (...args: string[]) => runCovey(["act", ...args, "--url", swarm.urls()], swarm.folder);

async function until(
  what: string,
  id: string,
  accept: (action: ActionStatus) => boolean,
): Promise<ActionStatus> {
  const deadline = Date.now() + 40_000;
  let last: ActionStatus | undefined;
  while (Date.now() < deadline) {
    try {
      last = (await client().get<ActionStatus[]>("/api/actions")).find((each) => each.id === id) ?? last;
      if (last !== undefined && accept(last)) return last;
    } catch {
      // No leader at the moment.
    }
    await sleep(50);
  }
  throw new Error(`not seen: ${what}; last: ${JSON.stringify(last)}`);
}

const votes = ({ boards }: ActionStatus) => boards.filter(({ stage }) => stage === "yes").length;

/** Value and cause of every board's valve, once they are as wanted or it takes too long. */
const untilValves = (value: number, cause: string) =>
  swarm.until(`valves ${value} by ${cause}`, ({ boards }) =>
    boards.every(({ outputs }) =>
      outputs.some((o) => o.name === "valve" && o.value === value && o.cause === cause),
    ),
  );

afterAll(() => swarm?.end());

describe("actions over five boards", () => {
  beforeAll(async () => {
    swarm = await DeployedSwarm.deploy(source);
    await swarm.start("a", "b");
    await swarm.untilSettled(60_000);
    await swarm.until("readings", ({ boards }) => boards.every(({ samplesIn }) => samplesIn > 5));
  }, patient.timeout);

  it("all act and let go when their time is over; the audit knows who asked", patient, async () => {
    const { code, stdout } = await act("open", "--json");
    const result = JSON.parse(stdout) as ActionStatus & { exitCode: number };
    expect({ code, phase: result.phase, stages: result.boards.map(({ stage }) => stage) }).toEqual({
      ...{ code: 0, phase: "committed" },
      stages: all.map(() => "acted"),
    });
    for (const { wallMs, boundMs } of result.boards) {
      expect(Math.abs(wallMs! - Date.now())).toBeLessThan(30_000);
      expect(boundMs).toBeLessThan(1_000);
    }
    await untilValves(0, "safe");
    const entries = await client().get<AuditEntry[]>("/api/audit");
    expect(entries.some(({ what }) => what.startsWith("act open"))).toBe(true);
  });

  it("what a board can't do none does, and the exit code says so", patient, async () => {
    const { code, stdout } = await act("impossible");
    expect(code).toBe(3);
    expect(stdout).toMatch(/impossible was aborted, and no board acted: b\d: temperature is/);
    const wrong = await act("nothing");
    expect({ code: wrong.code, said: wrong.stderr }).toEqual({
      code: 2,
      said: "There is no action nothing; this swarm has open, close, impossible (actions in swarm.ts).\n",
    });
  });

  it("one killed in mid-prepare: aborted everywhere, and it learns so when it returns", patient, async () => {
    process.kill(board("b5").pid!, "SIGSTOP");
    const { id } = await client().post<ActionBegun>("/api/actions/open", { timeoutMs: 3_000 });
    await until("four promises", id, (action) => votes(action) === 4);
    await board("b5").powerOff();
    const aborted = await until("aborted", id, ({ phase }) => phase === "aborted");
    expect(aborted.reason).toBe("b5 did not answer in time");
    board("b5").powerOn();
    const ended = await until("ended", id, ({ isEnded }) => isEnded);
    expect(ended.boards.map(({ stage }) => stage)).toEqual(all.map(() => "released"));
    await untilValves(0, "safe");
  });

  it(
    "a promise outlives a power cut, and what else wants the outputs is refused meanwhile",
    patient,
    async () => {
      process.kill(board("b5").pid!, "SIGSTOP");
      const { id } = await client().post<ActionBegun>("/api/actions/close", { timeoutMs: 30_000 });
      await until("four promises", id, (action) => votes(action) === 4);
      await board("b4").powerOff();
      board("b4").powerOn();
      const { code, stderr } = await act("open", "--boards", "b4");
      expect(code).toBe(1);
      expect(stderr).toMatch(/^\w+ of b4 is taken by close \(/);
      process.kill(board("b5").pid!, "SIGCONT");
      const ended = await until("ended", id, ({ isEnded }) => isEnded);
      expect(ended.boards.map(({ stage }) => stage)).toEqual(all.map(() => "acted"));
      await untilValves(0, "action");
    },
  );

  it(
    "the leader dies after it is agreed that it has begun: the other host finishes it",
    patient,
    async () => {
      process.kill(board("b5").pid!, "SIGSTOP");
      const { leader, hosts } = (await swarm.status())!;
      const leads = hosts.find(({ memberId }) => memberId === leader.id)!.name;
      const { id } = await client().post<ActionBegun>("/api/actions/open", { timeoutMs: 30_000 });
      await until("four promises", id, (action) => votes(action) === 4);
      await swarm.kill(leads);
      process.kill(board("b5").pid!, "SIGCONT");
      const decided = await until("committed", id, ({ phase }) => phase !== "begun");
      expect(decided.phase).toBe("committed");
      const ended = await until("ended", id, ({ isEnded }) => isEnded);
      expect(ended.boards.map(({ stage }) => stage)).toEqual(all.map(() => "acted"));
      await swarm.start(leads);
    },
  );

  it("at a time to come, all act at that time within what their clocks may be off", patient, async () => {
    const startMs = Date.now() + 10_000;
    const { code, stdout } = await act("open", "--at", new Date(startMs).toISOString(), "--json");
    const { boards } = JSON.parse(stdout) as ActionStatus;
    expect({ code, boards: boards.length }).toEqual({ code: 0, boards: 5 });
    for (const { wallMs } of boards) expect(wallMs! - startMs).toBeGreaterThanOrEqual(0);
    for (const { wallMs } of boards) expect(wallMs! - startMs).toBeLessThan(1_000);
  });

  it("one that dies for good after its promise is given up; should it come back, it does not act and says so", {
    timeout: 200_000,
  }, async () => {
    process.kill(board("b4").pid!, "SIGSTOP");
    const { id } = await client().post<ActionBegun>("/api/actions/close", { timeoutMs: 30_000 });
    await until("four promises", id, (action) => votes(action) === 4);
    await board("b5").powerOff();
    process.kill(board("b4").pid!, "SIGCONT");
    const acted = ({ boards }: ActionStatus) => boards.filter(({ stage }) => stage === "acted").length;
    expect((await until("four acted", id, (action) => acted(action) === 4)).isEnded).toBe(false);
    const forget = () => act("--forget", id, "--boards", "b5", "--accept-loss", "--yes", "--json");
    const early = await forget();
    expect({ code: early.code, said: early.stdout }).toEqual({
      code: 1,
      said: expect.stringMatching(/has not missed b5 for long enough; it can be given up in \d+ s/),
    });
    await sleep(silenceMs);
    const { code, stdout } = await forget();
    expect(code, stdout).toBe(0);
    const ended = await until("ended", id, ({ isEnded }) => isEnded);
    expect(ended.boards[4]).toMatchObject({ board: "b5", stage: "yes", givenUpBy: "local" });
    board("b5").powerOn();
    const back = await until("back", id, ({ boards }) => boards[4]!.givenUpBy === undefined);
    expect(back.boards[4]).toMatchObject({ board: "b5", stage: "released" });
    const status = await swarm.until("b5 decides by itself", ({ boards }) =>
      boards.some(({ id: name, outputs }) => name === "b5" && outputs.length === 2),
    );
    const { outputs } = status.boards.find(({ id: name }) => name === "b5")!;
    expect(outputs.map(({ cause }) => cause)).toEqual(["safe", "safe"]);
    const audited = async () => (await client().get<AuditEntry[]>("/api/audit")).map(({ what }) => what);
    expect(await audited()).toContain(`act forget close ${id} b5`);
    await expect.poll(audited, { timeout: 10_000 }).toContain("close b5 is back: it did not act");
    // Nothing of it is left in the way.
    expect((await act("open", "--json")).code).toBe(0);
  });
});
