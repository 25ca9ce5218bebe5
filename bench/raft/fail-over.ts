/**
 * `npm run bench:failover`: hosts under load, and the one that leads is killed with SIGKILL. How long until the first command that a
 * client sent after that is committed? First three hosts alone, then two hosts with three XS boards that vote. 50 times each.
 */
import { parseArgs } from "node:util";
import { DeployedSwarm } from "../../test/end-to-end/deployed-swarm.ts";
import { sleep, temporaryFolder } from "../../test/end-to-end/running-swarm.ts";
import { percentile } from "../percentile.ts";
import { milliseconds, printTable, type Row } from "../table.ts";
import { RetryingClients } from "./fail-over/retrying-clients.ts";
import { CoveyCluster } from "./throughput/covey-cluster.ts";
import { keyOf } from "./throughput/load.ts";

const { values } = parseArgs({
  options: { trials: { type: "string", default: "50" }, only: { type: "string" } },
});
const trials = Number(values.trials);
const clients = 8;

const twoHostsThreeBoards = `
import { board, setting, swarm } from "covey";
const voter = () => board("esp32c3-devkit", { sense: [] });
export default swarm("failover", {
  hosts: ["a", "b"],
  voters: ["v1", "v2", "v3"],
  settings: { level: setting.text({ lengthMax: 64, initial: "" }) },
  boards: { v1: voter(), v2: voter(), v3: voter() },
});
`;

/** What a trial needs of hosts, however they run. */
interface Hosts {
  readonly names: readonly string[];
  urlOf(name: string): string;
  /** When all is well: everybody who ought to vote does, and is up to date. Gives who leads. */
  settled(): Promise<string>;
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
}

const rows: Row[] = [];
if (values.only !== "boards") rows.push(...(await threeHosts()));
if (values.only !== "hosts") rows.push(...(await twoHostsAndBoards()));
printTable(`From kill -9 of the leader to the first new commit, ${trials} times, ${clients} clients`, rows);

async function threeHosts(): Promise<Row[]> {
  const { folder, remove } = temporaryFolder();
  const cluster = await CoveyCluster.start(folder, ["a", "b", "c"]);
  try {
    const hosts: Hosts = {
      names: cluster.names,
      urlOf: (name) => cluster.urlOf(name),
      settled: () => cluster.leader(true, 60_000),
      kill: (name) => cluster.kill(name),
      restart: async (name) => cluster.restart(name),
    };
    return rowsOf("three hosts", await killRepeatedly(hosts, keyOf(0)));
  } finally {
    await cluster.end();
    remove();
  }
}

async function twoHostsAndBoards(): Promise<Row[]> {
  const swarm = await DeployedSwarm.deploy(twoHostsThreeBoards);
  try {
    await swarm.start("a", "b");
    const hosts: Hosts = {
      names: swarm.definition.hosts,
      urlOf: (name) => swarm.url(name),
      settled: async () => {
        await swarm.untilSettled(120_000);
        // A host that was killed before is of use to a voter only once that is connected to it again.
        const { leader, hosts } = await swarm.until(
          "every board is connected to both hosts",
          ({ boards }) => boards.every((board) => board.hosts.length === swarm.definition.hosts.length),
          120_000,
        );
        return hosts.find(({ memberId }) => memberId === leader.id)!.name;
      },
      kill: (name) => swarm.kill(name),
      restart: (name) => swarm.start(name),
    };
    return rowsOf("two hosts, three XS boards voting", await killRepeatedly(hosts, "level"));
  } finally {
    await swarm.end();
  }
}

/** Milliseconds of each trial. */
async function killRepeatedly(hosts: Hosts, key: string): Promise<number[]> {
  const tookMs: number[] = [];
  while (tookMs.length < trials) {
    const leader = await hosts.settled();
    const urls = hosts.names.map((name) => hosts.urlOf(name));
    const load = new RetryingClients({ urls, first: hosts.urlOf(leader), clients, key });
    try {
      // Anywhere between two heartbeats.
      await sleep(500 + Math.random() * 250);
      const killedMs = performance.now();
      const killing = hosts.kill(leader);
      const committedMs = await load.firstCommitAfter(killedMs, 30_000);
      await killing;
      tookMs.push(committedMs - killedMs);
    } finally {
      await load.end();
    }
    await hosts.restart(leader);
    process.stderr.write(`${tookMs.length}: ${milliseconds(tookMs.at(-1)!)}\n`);
  }
  return tookMs;
}

function rowsOf(what: string, tookMs: readonly number[]): Row[] {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (percent: number) => milliseconds(percentile(sorted, percent));
  return [
    {
      what,
      figure: `${at(50)} / ${milliseconds(sorted.at(-1)!)}`,
      how: `median / worst; quickest ${milliseconds(sorted[0]!)}, p90 ${at(90)}`,
    },
  ];
}
