/**
 * Commits a second of three `Replica`s in one process: real files and syncs, links in memory. It shows what the host's own code costs; the figure beside etcd
 * is of three processes over TCP.
 *
 *     node bench/raft/replicas.ts [seconds]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Replica } from "../../host-tools/leader/raft/replica.ts";
import type { Message } from "../../protocols/raft/types.ts";

const names = ["a", "b", "c"];
const seconds = Number(process.argv[2] ?? 3);
const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), "covey-bench-"));
const replicas = new Map<string, Replica>();

for (const name of names) {
  const replica = Replica.open({
    directory: join(directory, name),
    hostName: name,
    hostNames: names,
    mayFound: name === "a",
    send: (message) => queueMicrotask(() => deliver(message)),
    publish: () => {},
    onApplied: () => {},
    onRestored: () => {},
    onViolation: (violation) => console.error(violation),
    onFailure: (error) => {
      throw error;
    },
  });
  replicas.set(replica.id, replica);
}
for (const replica of replicas.values()) replica.start();
for (const replica of replicas.values()) for (const id of replicas.keys()) replica.addMember(id);

const leader = await electedWithAll();

console.log("clients   commits/s   p50 ms   p99 ms   CPU us a commit, all three");
for (const clients of [1, 16, 256]) {
  await run(clients, 500);
  const before = process.cpuUsage();
  const latencies = await run(clients, seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const commits = latencies.length;
  const at = (share: number) => latencies[Math.floor(commits * share)]!.toFixed(2).padStart(6);
  const perSecond = String(Math.round(commits / seconds)).padStart(9);
  const cpu = String(Math.round((user + system) / commits)).padStart(6);
  console.log(`${String(clients).padStart(7)}   ${perSecond}   ${at(0.5)}   ${at(0.99)}   ${cpu}`);
}
for (const replica of replicas.values()) await replica.stop();
rmSync(directory, { recursive: true });

/** The latency of each commit, in milliseconds, sorted. */
async function run(clients: number, durationMs: number): Promise<Float64Array> {
  const latencies: number[] = [];
  const endMs = performance.now() + durationMs;
  const value = "x".repeat(64);
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < endMs) {
        const startMs = performance.now();
        await leader.propose({ key: `client/${client}`, value });
        latencies.push(performance.now() - startMs);
      }
    }),
  );
  return Float64Array.from(latencies).sort();
}

/** The leader, once all three vote. */
async function electedWithAll(): Promise<Replica> {
  for (;;) {
    const found = [...replicas.values()].find((each) => each.isLeader);
    if (found?.status().voters.length === names.length) return found;
    await pause(50);
  }
}

function deliver(message: Message): void {
  replicas.get(message.to)?.receive(message);
}
