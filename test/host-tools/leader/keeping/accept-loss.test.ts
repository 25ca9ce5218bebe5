/** `covey keep accept-loss` at two real hosts, one of which has lost blocks before. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AuditEntry } from "../../../../host-tools/leader/api/types/access.ts";
import type { KeepStatus } from "../../../../host-tools/leader/api/types/keeping.ts";
import { Outbox } from "../../../../host-tools/leader/keeping/outbox.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { covey, scratchFolder } from "../../cli/covey-process.ts";
import { definition, eventually } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";

const hosts = ["a", "b"];
const [north, south] = [definition.boards["north-1"]!, definition.boards["south-1"]!];
const place = (zone: string) => ({ has: [], zone, weight: 1, onBattery: false, keeps: true });
const keeping: SwarmDefinition = {
  ...{ ...definition, hosts, voters: [], keeping: { lostAfterMs: 60_000 } },
  boards: {
    "north-1": { ...north, kept: { copies: 2, metrics: ["temperature"] } },
    "north-2": { ...north, place: place("north") },
    "south-1": { ...south, place: place("south") },
  },
};

/** As it is after a disk that refused, or boards that were away for too long. */
function loseBlocks(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true });
  const outbox = new Outbox(join(folder, "keeping.sqlite"), 0, () => "abc123");
  const block = { board: "north-1", metric: "temperature", lastMs: 9, bytes: new Uint8Array(3) };
  for (let i = 0; i < count; i++) outbox.take({ ...block, firstMs: -1 });
  outbox.take({ ...block, firstMs: 1 });
  outbox.write();
  outbox.close();
}

test("what a host counts as lost is counted no more, on whichever host it is asked, and stays so", async () => {
  const swarm = new SeveralHosts(hosts, [], () => ({ definition: keeping }));
  loseBlocks(join(swarm.stateDir, "host-b"), 3);
  for (const name of hosts) await swarm.start(name);
  const leads = await swarm.leader();
  const lost = async (host: string) => {
    const { hosts: counted } = await swarm.ask<KeepStatus>(leads, "/api/keep");
    return counted?.find((each) => each.host === host)?.lost;
  };
  await expect.poll(() => lost("b"), { timeout: 15_000 }).toBe(3);
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const accept = (...words: string[]) =>
    covey(["keep", "accept-loss", ...words, "--url", swarm.host("a").url], folder);

  expect((await accept()).stderr).toBe("Say which host counts them: covey keep accept-loss attic.\n");
  expect((await accept("b")).stderr).toMatch(/^b counts 3 blocks that no board has, and 0 .*--yes\.\n$/s);
  expect((await accept("c", "--yes")).stderr).toMatch(/^Nothing is known of blocks of c; there are a, b\.$/m);
  expect((await accept("a", "--yes")).stderr).toMatch(
    /^a has lost no blocks; there is nothing to accept\.$/m,
  );
  const { exitCode, stdout } = await accept("b", "--yes", "--json");
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, { host: "b", short: 0, lost: 3 }]);

  expect(await lost("b")).toBe(0);
  expect((await swarm.status(leads)).keeping?.lost).toBe(0);
  await expect
    .poll(async () => (await swarm.ask<AuditEntry[]>(leads, "/api/audit")).map(({ what }) => what))
    .toContain("keep accept-loss b 3 lost 0 short");
  // It is written down where it is counted.
  await swarm.stop("b");
  await swarm.start("b");
  const next = await swarm.leader();
  await eventually(() => swarm.host(next).status().leader.voters.length === 2, 15_000);
  await expect
    .poll(async () => (await swarm.ask<KeepStatus>(next, "/api/keep")).hosts?.map((each) => each.lost), {
      timeout: 15_000,
    })
    .toEqual([0, 0]);
}, 90_000);
