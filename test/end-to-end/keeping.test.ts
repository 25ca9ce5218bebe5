/** Readings kept on boards as they are deployed: two hosts of their own, real XS boards, flash that is really there. */
import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SwarmClient } from "../../host-tools/cli/swarm-client.ts";
import type { KeepRestored, KeepStatus } from "../../host-tools/leader/api/types/keeping.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { runCovey, sleep } from "./running-swarm.ts";

const source = `
import { board, sense, swarm } from "covey";
const keeper = (zone: string) => board("esp32c3-devkit", { sense: [], place: { zone, keeps: true } });
export default swarm("kept", {
  hosts: ["a", "b"],
  voters: ["north-1"],
  boards: {
    meter: board("esp32c3-devkit", { sense: [
      sense("cpu.load", { every: "100ms" }).report({ batch: "1s", copies: 2 }),
      sense("memory.used", { every: "200ms" }).report({ batch: "1s", copies: 2 }),
    ] }),
    "north-1": keeper("north"), "south-1": keeper("south"), "east-1": keeper("east"),
  },
  keeping: { lostAfter: "5s" },
});
`;
/** Processes start slowly where many other things run. */
const patient = { timeout: 180_000 };

let swarm: DeployedSwarm;
/** The keeper that dies. */
let lost: string;
const url = () => ["--url", swarm.urls()];
const boardNamed = (name: string) => swarm.boards.find((one) => one.name === name)!;

async function until(
  what: string,
  accept: (status: KeepStatus) => boolean,
  timeoutMs = 60_000,
): Promise<KeepStatus> {
  const deadlineMs = performance.now() + timeoutMs;
  let last: KeepStatus | Error | undefined;
  while (performance.now() < deadlineMs) {
    last = await SwarmClient.find({ url: swarm.urls(), state: swarm.folder })
      .get<KeepStatus>("/api/keep")
      .catch((error: Error) => error);
    if (!(last instanceof Error) && accept(last)) return last;
    await sleep(100);
  }
  throw new Error(`not seen: ${what}; ${last instanceof Error ? last : JSON.stringify(last)}\n${swarm.said}`);
}

const isWhole = ({ boards: [meter] }: KeepStatus) =>
  meter!.whole === 2 && meter!.keepers.every(({ state }) => state === "whole");
const isAllPlaced = ({ hosts }: KeepStatus) =>
  hosts.length === 2 && hosts.every(({ waiting }) => waiting === 0);

/** Those that came in blocks: what is late or refused is reported by itself. */
async function exported(...options: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await exportMeter(...options);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout
    .split("\n")
    .filter((line) => line.endsWith(",0"))
    .sort();
}

function exportMeter(...options: readonly string[]) {
  return runCovey(["export", "--board", "meter", ...options, ...url()], swarm.folder);
}

const digest = (lines: readonly string[]) => createHash("sha256").update(lines.join("\n")).digest("hex");

/** Metric and value. */
const measuredOf = (line: string) => line.split(",").slice(2, 4).join(" ");

/** By how much the times of two exports differ, reading by reading, at most. */
function apartMs(some: readonly string[], others: readonly string[]): number {
  const times = (lines: readonly string[], metric: string) =>
    lines.filter((line) => line.includes(`,${metric},`)).map((line) => Date.parse(line.split(",")[0]!));
  let most = 0;
  for (const metric of ["cpu.load", "memory.used"]) {
    const [a, b] = [times(some, metric), times(others, metric)];
    for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  }
  return most;
}

describe("readings kept on XS boards", () => {
  beforeAll(async () => {
    swarm = await DeployedSwarm.deploy(source);
    await swarm.start("a", "b");
    await swarm.untilSettled(90_000);
  }, patient.timeout);
  afterAll(() => swarm?.end());

  it("lie on two boards of different zones", patient, async () => {
    const { boards, keepers } = await until("two whole copies", isWhole);
    expect(boards[0]).toMatchObject({ board: "meter", metrics: ["cpu.load", "memory.used"], copies: 2 });
    expect(new Set(boards[0]!.keepers.map(({ zone }) => zone)).size).toBe(2);
    expect(keepers.map(({ board, bytes }) => [board, bytes])).toEqual(
      ["east-1", "north-1", "south-1"].map((name) => [name, 262_144]),
    );
    const listed = await runCovey(["keep", "list", ...url()], swarm.folder);
    expect(listed.stdout).toContain("meter (cpu.load, memory.used)");
    expect(listed.stdout).toContain("2 of 2");
  });

  it("are copied to a third zone when a keeper is dead", patient, async () => {
    // Some seconds of readings, so that there is something to copy.
    await sleep(5_000);
    const before = await until("two whole copies", isWhole);
    const left = before.boards[0]!.keepers[1]!.board;
    lost = before.boards[0]!.keepers[0]!.board;
    await boardNamed(lost).powerOff();
    const after = await until("another keeper, whole", (status) => {
      const names = status.boards[0]!.keepers.map(({ board }) => board);
      return isWhole(status) && !names.includes(lost) && names.includes(left);
    });
    expect(new Set(after.boards[0]!.keepers.map(({ zone }) => zone)).size).toBe(2);
    expect(after.mending.copied).toBeGreaterThan(4);
  });

  it("say why there are too few when nobody else may keep them", patient, async () => {
    const { boards } = await until("two whole copies", isWhole);
    const [one] = boards[0]!.keepers;
    await boardNamed(one!.board).powerOff();
    const reason = (status: KeepStatus) =>
      status.boards[0]!.keepers.find(({ board }) => board === one!.board)?.state;
    await until("a keeper away", (status) => reason(status) === "away");
    // What is reported meanwhile waits for it.
    await until("blocks that wait", ({ hosts }) => hosts.some(({ waiting }) => waiting > 2));
    await boardNamed(one!.board).powerOn();
    await until("two whole copies again", isWhole);
  });

  it("come back into hosts that have lost theirs", patient, async () => {
    await boardNamed("meter").powerOff();
    await until("all placed", (status) => isAllPlaced(status) && isWhole(status));
    const had = await exported();
    expect(had.length).toBeGreaterThan(100);
    const kept = await exported("--from-boards");
    // Each host places a report on its own clock; what is kept stands where the host did that took it.
    expect(kept.map(measuredOf).sort()).toEqual(had.map(measuredOf).sort());
    expect(apartMs(kept, had)).toBeLessThan(1_000);

    await swarm.kill("a", "b");
    for (const host of ["a", "b"]) {
      const folder = join(swarm.stateDir, `host-${host}`);
      for (const file of readdirSync(folder)) {
        if (file.startsWith("telemetry.sqlite")) rmSync(join(folder, file));
      }
    }
    await swarm.start("a", "b");
    await until("the keepers are back", ({ boards }) =>
      boards[0]!.keepers.every(({ state }) => state === "whole"),
    );
    expect((await exportMeter()).stderr).toContain("No reading matches --board meter");
    // Nothing has gone from the boards meanwhile.
    expect(await exported("--from-boards")).toEqual(kept);
    const restored = await runCovey(["keep", "restore", "--json", ...url()], swarm.folder);
    expect(restored.stderr).toBe("");
    const told = JSON.parse(restored.stdout) as KeepRestored;
    // How many it says is of the leader that ended it; hosts that have just started may elect another one meanwhile.
    expect(told, JSON.stringify(told)).toMatchObject({
      state: "done",
      series: 2,
      missing: 0,
      hosts: ["a", "b"],
    });
    expect(digest(await exported())).toBe(digest(kept));
    // Asked once more, there is nothing to do.
    const again = await runCovey(["keep", "restore", "--json", ...url()], swarm.folder);
    expect(JSON.parse(again.stdout)).toMatchObject({ state: "done", readings: 0 });
    // The other host has them as well; the board that was dead may be the one that votes.
    await boardNamed(lost).powerOn();
    await swarm.until(
      "it is back",
      ({ boards }) => boards.some(({ id, link }) => id === lost && link === "up"),
      60_000,
    );
    const leader = (await swarm.status())!.leader.id.split(".")[0]!;
    await swarm.kill(leader);
    const other = leader === "a" ? "b" : "a";
    await swarm.until("the other leads", ({ leader: now }) => now.id.startsWith(`${other}.`), 60_000);
    const left = await runCovey(["export", "--board", "meter", "--url", swarm.url(other)], swarm.folder);
    expect(
      digest(
        left.stdout
          .split("\n")
          .filter((line) => line.endsWith(",0"))
          .sort(),
      ),
    ).toBe(digest(kept));
  });
});
