/** The whole slice as a user meets it: real XS boards, a real leader process, real sockets and files. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isBoardProcess, processTree } from "../../bench/process-tree.ts";
import type { StoredReading } from "../../host-tools/leader/api/types/readings.ts";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import { alive, RunningSwarm, repository, runCovey, sleep, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
let swarm: RunningSwarm;

beforeAll(async () => {
  swarm = await RunningSwarm.start(folder);
  await swarm.untilSettled(5, 180_000);
});

afterAll(async () => {
  await swarm?.end();
  remove();
});

/** The XS processes below a swarm, by pid. */
const boardProcesses = (pid: number) => processTree(pid).filter(isBoardProcess);

const appliedEverywhere = (index: number) => (status: Status) =>
  status.boards.every((board) => board.link === "up" && board.appliedIndex >= index);

async function set(key: string, value: string): Promise<{ index: number }> {
  const { code, stdout, stderr } = await runCovey(["set", key, value, "--json"], folder);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

describe("a greenhouse of five boards in XS", () => {
  it("runs one process a board, two of them voting with the host", async () => {
    const status = await swarm.untilSettled();
    expect(boardProcesses(swarm.pid)).toHaveLength(5);
    expect(status.boards.filter((board) => board.role === "voter")).toHaveLength(2);
    expect(status.leader.voters).toHaveLength(3);
    expect(status.violations).toEqual([]);
  });

  it("applies a setting on every board, and the output moves", async () => {
    const { index } = await set("fan.duty", "40");
    await swarm.until("applied on all five", appliedEverywhere(index));
    const status = await swarm.until("a fan at 40 %", ({ boards }) =>
      boards.some(({ outputs }) =>
        outputs.some(({ name, value, cause }) => name === "fan" && value === 40 && cause === "setting"),
      ),
    );
    expect(status.settings["fan.duty"]).toMatchObject({ value: 40, index });
  });

  it("refuses a value beyond its limits and proposes nothing", async () => {
    const before = (await swarm.untilSettled()).leader.lastIndex;
    const { code, stderr } = await runCovey(["set", "fan.duty", "140"], folder);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/fan\.duty .*100 %/);
    expect((await swarm.untilSettled()).leader.lastIndex).toBe(before);
  });

  it("answers every command of the README", async () => {
    const commands = readFileSync(join(repository, "README.md"), "utf8")
      .split("\n")
      .filter((line) => /^npx covey (?!init|lead|keys|provision|members (transfer|replace))/.test(line))
      .map((line) =>
        line
          .replace(/ #.*/, "")
          .match(/"[^"]*"|\S+/g)!
          .slice(2),
      )
      .map((words) => words.map((word) => word.replaceAll('"', "")));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const command of commands) {
      const { code, stderr } = await runCovey(command, folder);
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: expect.any(String) });
    }
    expect(readFileSync(join(folder, "temperature.csv"), "utf8")).toMatch(
      /^time,board,metric,value,unit,quality\n/,
    );
    await set("heat.limit", "28");
  });

  it("stores readings from boards and exports them as CSV", async () => {
    await swarm.until("readings of north-1", ({ boards }) =>
      boards.some(({ id, readings }) => id === "north-1" && readings.length > 0),
    );
    const { code, stdout } = await runCovey(
      ["export", "--board", "north-1", "--metric", "temperature"],
      folder,
    );
    expect(code).toBe(0);
    const [header, ...rows] = stdout.trim().split("\n");
    expect(header).toBe("time,board,metric,value,unit,quality");
    expect(rows[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,north-1,temperature,\d+(\.\d+)?,°C,0$/);
  });

  it("counts garbage, closes that connection, and disturbs nobody else", async () => {
    const before = (await swarm.untilSettled()).counters.garbage;
    const { mqttPort } = (await swarm.status())!.leader;
    const closed = await new Promise<boolean>((resolve) => {
      const socket = connect(mqttPort, "127.0.0.1", () => socket.write(Buffer.alloc(64, 0xf7)));
      socket.on("close", () => resolve(true)).on("error", () => undefined);
    });
    expect(closed).toBe(true);
    const after = await swarm.until("the garbage is counted", ({ counters }) => counters.garbage > before);
    expect(after.boards.every(({ link }) => link === "up")).toBe(true);
  });

  it("a board killed at once comes back and catches up with what it missed", async () => {
    await swarm.untilSettled();
    const [victim] = boardProcesses(swarm.pid);
    process.kill(victim!.pid, "SIGKILL");
    const { index } = await set("fan.duty", "55");
    await swarm.until("all five have it", appliedEverywhere(index));
    await swarm.untilSettled();
    const pids = boardProcesses(swarm.pid).map(({ pid }) => pid);
    expect(pids).toHaveLength(5);
    expect(pids).not.toContain(victim!.pid);
  });

  it("a leader killed at once recovers in a later term with nothing lost", async () => {
    const before = await swarm.untilSettled();
    const stored = await readingsOf("north-1");
    await sleep(1_000); // the store commits at most 250 ms after a reading is shown
    process.kill(before.leader.pid, "SIGKILL");
    const after = await swarm.until(
      "a leader of a later term that has applied its log",
      ({ leader }) => leader.term > before.leader.term && leader.appliedIndex > before.leader.commitIndex,
    );
    expect(after.settings["fan.duty"]).toEqual(before.settings["fan.duty"]);
    const { index } = await set("fan.duty", "30");
    await swarm.until("the next set is on all five", appliedEverywhere(index));
    const kept = new Set((await readingsOf("north-1")).map(({ atMs }) => atMs));
    expect(stored.length).toBeGreaterThan(0);
    expect(stored.filter(({ atMs }) => !kept.has(atMs))).toEqual([]);
    expect((await swarm.status())!.violations).toEqual([]);
  });

  it("Ctrl-C stops it cleanly, leaves no process, and the next start has the state", async () => {
    const before = await swarm.untilSettled();
    const pids = processTree(swarm.pid).map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThanOrEqual(7);
    const { code } = await swarm.interrupt();
    expect(code).toBe(0);
    await sleep(200);
    expect(pids.filter(alive)).toEqual([]);

    swarm = await RunningSwarm.start(folder);
    const after = await swarm.untilSettled();
    expect(after.settings["fan.duty"]).toEqual(before.settings["fan.duty"]);
    expect(after.leader.term).toBeGreaterThan(before.leader.term);
    const members = (status: Status) => status.boards.map(({ memberId }) => memberId).sort();
    expect(members(after)).toEqual(members(before));
  });
});

async function readingsOf(board: string): Promise<StoredReading[]> {
  const response = await fetch(`${swarm.url()}/api/readings?board=${board}&limit=10000`);
  return (await response.json()) as StoredReading[];
}
