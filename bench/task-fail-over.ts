/**
 * `npx node bench/task-fail-over.ts`: a role with a lease of 3 s that two hosts stand ready for. How long between the last thing that the gateway of the one did and the first
 * of the other, when the holder's host is killed (kill -9), when what holds the role is, and when the host is drained? Real processes on this computer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DeployedSwarm } from "../test/end-to-end/deployed-swarm.ts";
import { covey, runCovey, sleep } from "../test/end-to-end/running-swarm.ts";
import { percentile } from "./percentile.ts";
import { milliseconds, printTable, type Row } from "./table.ts";

const { values } = parseArgs({ options: { trials: { type: "string", default: "10" } } });
const trials = Number(values.trials);

const source = `
import { board, swarm, task } from "covey";
export default swarm("gateways", {
  hosts: ["a", "b"],
  voters: ["v1"],
  boards: { v1: board("esp32c3-devkit", { sense: [] }) },
  tasks: { gateway: task({ on: "hosts", role: true, lease: "3s" }) },
});
`;

const swarm = await DeployedSwarm.deploy(source);
const notes = join(swarm.folder, "notes");
const holds = new Map<string, ChildProcess>();

/** What the gateways wrote: when, and where each ran. */
function written(): { atMs: number; host: string }[] {
  if (!existsSync(notes)) return [];
  const lines = readFileSync(notes, "utf8").trim().split("\n");
  return lines.map((line) => ({ atMs: Number(line.split(" ")[0]), host: line.split(" ")[1]! }));
}

function standReady(host: string): void {
  const loop = `while true; do echo "$(date +%s%3N) $COVEY_HOST" >> ${notes}; sleep 0.02; done`;
  const args = ["task", "hold", "gateway", "--url", swarm.url(host), "--", "sh", "-c", loop];
  holds.set(host, spawn(process.execPath, [covey, ...args], { cwd: swarm.folder, stdio: "ignore" }));
}

async function holder(): Promise<string> {
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    const last = written().at(-1);
    if (last !== undefined && Date.now() - last.atMs < 200) return last.host;
    await sleep(50);
  }
  throw new Error("nobody holds the role");
}

/** Milliseconds in which nobody did anything. */
async function gapAfter(host: string, act: () => Promise<unknown>): Promise<number> {
  await act();
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    const all = written();
    const first = all.findLastIndex((one) => one.host === host) + 1;
    if (first > 0 && first < all.length) return all[first]!.atMs - all[first - 1]!.atMs;
    await sleep(50);
  }
  throw new Error("nobody took over");
}

async function killHold(host: string): Promise<void> {
  const closed = once(holds.get(host)!, "close");
  holds.get(host)!.kill("SIGKILL");
  await closed;
}

const url = () => ["--url", swarm.urls()];
const faults = [
  {
    name: "the holder's host is killed",
    act: (host: string) => swarm.kill(host),
    mend: async (host: string) => {
      await swarm.start(host);
      await swarm.untilSettled(60_000);
    },
  },
  { name: "what holds the role is killed", act: killHold, mend: async (host: string) => standReady(host) },
  {
    name: "the host is drained",
    act: (host: string) => runCovey(["task", "drain", host, ...url()], swarm.folder),
    mend: (host: string) => runCovey(["task", "undrain", host, ...url()], swarm.folder),
  },
];

try {
  await swarm.start("a", "b");
  await swarm.untilSettled(60_000);
  standReady("a");
  standReady("b");
  const rows: Row[] = [];
  for (const { name, act, mend } of faults) {
    const gaps: number[] = [];
    for (let trial = 0; trial < trials; trial++) {
      const host = await holder();
      gaps.push(await gapAfter(host, () => act(host)));
      await mend(host);
      // Until the other one stands ready again, and its host says so.
      await sleep(5_000);
    }
    const worst = milliseconds(Math.max(...gaps));
    rows.push({
      what: name,
      figure: milliseconds(percentile(gaps, 50)),
      how: `median of ${trials}, worst ${worst}`,
    });
  }
  printTable("A role of hosts, lease 3 s: time in which nobody carries it out", rows);
} finally {
  for (const child of holds.values()) child.kill("SIGKILL");
  await swarm.end();
}
