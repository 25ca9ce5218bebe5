/** `covey act --forget` at hosts that lead one after the other, over boards that are made of bytes. */
import { expect, onTestFinished, test } from "vitest";
import { decodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { silenceMs } from "../../../../host-tools/leader/actions/lost.ts";
import type { AuditEntry } from "../../../../host-tools/leader/api/types/access.ts";
import type { ActionBegun, ActionStatus } from "../../../../host-tools/leader/api/types/actions.ts";
import { slotKey } from "../../../../protocols/two-phase-commit/action.ts";
import { actionFromWire } from "../../../../protocols/two-phase-commit/codec.ts";
import { reportsToWire, type Stage } from "../../../../protocols/two-phase-commit/report.ts";
import { covey, scratchFolder } from "../../cli/covey-process.ts";
import { definition, eventually } from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";
import { SeveralHosts } from "../several-hosts.ts";

const actions = { vent: { set: [{ output: "fan", value: 80 }], require: [], forMs: 0, safetyMs: 0 } };
const hosts = ["a", "b", "c"];

function tell(board: RawBoard, { id }: ActionBegun, stage: Stage): void {
  const told = { slot: 0, id: Number.parseInt(id, 16), stage, reason: "", wallMs: undefined };
  board.publish("action", reportsToWire([{ ...told, boundMs: undefined }]));
}

async function untilPhase(board: RawBoard, phase: string): Promise<void> {
  await eventually(() => {
    const value = board.state.get(slotKey(0));
    return value instanceof Uint8Array && actionFromWire(decodeCbor(value)).phase === phase;
  }, 15_000);
}

test("a board that is lost is given up, over a change of leader; when it is back, what it did is known", async () => {
  const swarm = await SeveralHosts.start(hosts, [], () => ({
    definition: { ...definition, hosts, voters: [], actions },
  }));
  const leads = await swarm.leader();
  await eventually(() => swarm.host(leads).status().leader.voters.length === 3, 15_000);
  const other = hosts.find((name) => name !== leads)!;
  const [north] = await swarm.join("north-1", [other]);
  const [south] = await swarm.join("south-1", [other]);
  await eventually(() => swarm.host(leads).status().boards[2]!.link === "up");
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  // Whichever host is asked.
  const forget = async (host: string, ...words: string[]) => {
    const args = ["act", "--forget", ...words, "--url", swarm.host(host).url];
    const { exitCode, stdout, stderr } = await covey(args, folder);
    return { exitCode, said: stdout + stderr };
  };
  const list = (host: string) => swarm.ask<ActionStatus[]>(host, "/api/actions");

  const begun = await swarm.post<ActionBegun>(leads, "/api/actions/vent", { boards: ["north-1", "south-1"] });
  await untilPhase(south!, "begun");
  const lossy = ["vent", "--boards", "south-1", "--accept-loss", "--yes"];
  expect((await forget(leads, ...lossy)).said).toContain("is not decided yet; it is aborted by itself");
  for (const board of [north!, south!]) tell(board, begun, "yes");
  await untilPhase(north!, "committed");
  tell(north!, begun, "acted");
  await eventually(() => swarm.host(leads).logged.some((line) => line.includes("action-decided")));

  expect((await forget(leads, ...lossy)).said).toContain("south-1 is connected, so it is not lost");
  south!.cut();
  await eventually(() => swarm.host(leads).status().boards[2]!.link === "down");
  const early = await forget(other, ...lossy);
  expect(early.exitCode).toBe(1);
  expect(early.said).toMatch(/has not missed south-1 for long enough; it can be given up in \d+ s/);
  const wrong = async (...words: string[]) => (await forget(leads, ...words)).said.trim();
  expect(await wrong("vent")).toBe("Say which boards are lost: covey act --forget vent --boards north-2.");
  expect(await wrong("vent", "--boards", "south-1")).toMatch(/^Nobody would know any more whether south-1/);
  expect(await wrong(...lossy.slice(0, -1))).toMatch(/without a terminal, say --yes\.$/);
  expect(await wrong("shut", ...lossy.slice(1))).toMatch(/^There is no action shut any more/);
  expect(await wrong("vent", "--boards", "north-1", "--accept-loss", "--yes")).toMatch(
    /knows what north-1 did\.$/m,
  );
  expect(await wrong("vent", "--boards", "north-9", "--accept-loss", "--yes")).toMatch(
    /north-9 is no board of/,
  );
  // The output is still taken.
  expect((await swarm.post(leads, "/api/actions/vent", { boards: ["south-1"] })).error?.code).toBe(
    "conflict",
  );

  await new Promise((resolve) => setTimeout(resolve, silenceMs));
  const done = await forget(other, begun.id, ...lossy.slice(1), "--json");
  expect(done.exitCode).toBe(0);
  const south1 = { board: "south-1", stage: "yes", givenUpBy: "local" };
  await eventually(() => swarm.host(leads).logged.some((line) => line.includes("action-given-up")));
  await expect
    .poll(() => list(leads), { timeout: 10_000 })
    .toMatchObject([{ id: begun.id, isEnded: true, boards: [{ stage: "acted" }, south1] }]);
  expect(await list(other)).toMatchObject([{ id: begun.id, boards: [{}, south1] }]);
  expect((await covey(["act", "--list", "--url", swarm.host(other).url], folder)).stdout).toContain(
    "south-1 was given up by local, and nobody knows what it did; the last that it told: has promised",
  );
  expect((await forget(leads, ...lossy)).said).toContain("south-1 was given up by local already.");
  const audit = async () =>
    (await swarm.ask<AuditEntry[]>(other, "/api/audit")).map(({ who, what }) => `${who}: ${what}`);
  expect(await audit()).toContain(`local: act forget vent ${begun.id} south-1`);

  // Who leads next knows it from the log.
  await swarm.stop(leads);
  const next = await swarm.leader();
  await expect
    .poll(() => list(next), { timeout: 10_000 })
    .toMatchObject([{ id: begun.id, boards: [{}, south1] }]);
  const [back] = await swarm.join("south-1", [other], south!.memory);
  await untilPhase(back!, "committed");
  tell(back!, begun, "acted");
  await expect
    .poll(async () => (await list(next))[0]?.boards, { timeout: 10_000 })
    .toContainEqual(expect.objectContaining({ board: "south-1", stage: "acted" }));
  // What it told is heard at once; that it is not given up any more is agreed on after that.
  await expect
    .poll(async () => (await list(next))[0]?.boards.map(({ givenUpBy }) => givenUpBy), { timeout: 10_000 })
    .toEqual([undefined, undefined]);
  await expect
    .poll(audit, { timeout: 10_000 })
    .toContain(`act ${begun.id}: vent south-1 is back: it had acted`);
  expect((await forget(next, ...lossy)).said).toContain("has ended, and waits for nobody.");
}, 180_000);
