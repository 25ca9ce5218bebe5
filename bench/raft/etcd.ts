/**
 * `npm run bench:etcd`: three hosts of Covey beside three members of etcd, on this machine and this disk, one after the other. Three
 * processes each, TCP on loopback, every commit on the disks of a majority, values of 64 bytes, the leader asked directly; the same loader.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../../test/end-to-end/running-swarm.ts";
import { percentile } from "../percentile.ts";
import { milliseconds, printTable } from "../table.ts";
import { CoveyCluster } from "./throughput/covey-cluster.ts";
import { EtcdCluster, etcdVersion } from "./throughput/etcd-cluster.ts";
import type { Throughput } from "./throughput/load.ts";
import type { LoaderTask } from "./throughput/loader.ts";
import { runForJson } from "./throughput/started-process.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "8" },
    rounds: { type: "string", default: "3" },
    clients: { type: "string", default: "1,16,256" },
  },
});
const measureMs = Number(values.seconds) * 1000;
const rounds = Number(values.rounds);
const warmUpMs = 10_000;
const clientCounts = values.clients.split(",").map(Number);

type System = LoaderTask["system"];

const version = etcdVersion();
if (version === undefined) {
  console.error(
    "etcd is missing: install Debian's etcd-server (sudo apt-get install etcd-server), then again.",
  );
  process.exit(1);
}

const results = new Map<string, Throughput[]>();
for (let round = 1; round <= rounds; round++) {
  // Whoever is second finds the disk as the first has left it; they take turns.
  const order: System[] = round % 2 === 1 ? ["etcd", "covey"] : ["covey", "etcd"];
  for (const system of order) {
    for (const throughput of await measure(system)) {
      const key = `${system} ${throughput.clients}`;
      results.set(key, [...(results.get(key) ?? []), throughput]);
      console.log(`round ${round}: ${key} clients: ${shown(throughput)}`);
    }
  }
}

printTable(
  `Commits a second, p50 / p99: three hosts beside etcd ${version}, ${cpus().length} cores, median of ${rounds}`,
  clientCounts.flatMap((clients) => {
    const [covey, etcd] = [median("covey", clients), median("etcd", clients)];
    const ratio = covey.commitsPerSecond / etcd.commitsPerSecond;
    return [
      {
        what: `${clients} clients, Covey`,
        figure: shown(covey),
        how: `${ratio.toFixed(2)} of etcd's throughput`,
      },
      {
        what: `${clients} clients, etcd`,
        figure: shown(etcd),
        how: `Covey's p99 is ${(covey.p99Ms / etcd.p99Ms).toFixed(2)} of it`,
      },
    ];
  }),
);

async function measure(system: System): Promise<Throughput[]> {
  const { folder, remove } = temporaryFolder();
  const cluster =
    system === "etcd" ? await EtcdCluster.start(folder) : await CoveyCluster.start(folder, ["a", "b", "c"]);
  try {
    const url =
      cluster instanceof EtcdCluster ? await cluster.leaderUrl() : cluster.urlOf(await cluster.leader(true));
    const measured: Throughput[] = [];
    // A host that has run for a while has its code compiled, a member of etcd always has: both begin warm.
    await runLoad({ system, url, clients: 64, warmUpMs: 0, measureMs: warmUpMs });
    for (const clients of clientCounts) {
      const task: LoaderTask = { system, url, clients, warmUpMs: 1_000, measureMs };
      const before = cluster.pids.map(cpuMs);
      const throughput = await runLoad(task);
      const spentMs = cluster.pids.map((pid, at) => cpuMs(pid) - before[at]!);
      measured.push(throughput);
      const perCommit = spentMs.map((ms) => ((1000 * ms) / throughput.answered).toFixed(0));
      console.log(`  CPU of the three, in microseconds a commit: ${perCommit.join(", ")}`);
    }
    return measured;
  } finally {
    await cluster.end();
    remove();
  }
}

function runLoad(task: LoaderTask): Promise<Throughput> {
  const loader = join(import.meta.dirname, "throughput/loader.ts");
  return runForJson<Throughput>(process.execPath, [loader, JSON.stringify(task)]);
}

function median(system: System, clients: number): Throughput {
  const all = results.get(`${system} ${clients}`)!;
  const of = (pick: (each: Throughput) => number) => percentile(all.map(pick), 50);
  return {
    clients,
    commits: of(({ commits }) => commits),
    answered: of(({ answered }) => answered),
    commitsPerSecond: of(({ commitsPerSecond }) => commitsPerSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    worstMs: of(({ worstMs }) => worstMs),
  };
}

function shown({ commitsPerSecond, p50Ms, p99Ms }: Throughput): string {
  const rate = Math.round(commitsPerSecond).toLocaleString("en-US");
  return `${rate}/s, ${milliseconds(p50Ms)} / ${milliseconds(p99Ms)}`;
}

/** User and system time of a process so far (proc(5)), in milliseconds. */
function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
