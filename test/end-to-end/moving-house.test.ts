/** A swarm of five boards in the real engine moves to another Wi-Fi and to other addresses, and back, and finds its hosts by mDNS: as a user does it. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { moveLimits } from "../../firmware/board/contact-rule.ts";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import { greenhouse, RunningSwarm, repository, runCovey, turnsOf } from "./running-swarm.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-moving-"));
const airFile = join(folder, "air.json");
const oldWifi = { ssid: "old", password: "old secret" };
const newWifi = { ssid: "new", password: "new secret" };
let swarm: RunningSwarm;
/** Another address of the host: what comes there goes to its broker. */
let elsewhere: net.Server;

const { port: elsewherePort } = await new Promise<net.AddressInfo>((resolve) => {
  elsewhere = net.createServer();
  elsewhere.listen(0, "127.0.0.1", () => resolve(elsewhere.address() as net.AddressInfo));
});

function air(...accessPoints: readonly object[]): void {
  writeFileSync(airFile, JSON.stringify({ wifi: oldWifi, accessPoints }));
}

const onContact = (number: number) => (status: Status) =>
  status.boards.length === 5 &&
  status.boards.every(({ link, contact }) => link === "up" && contact === number);

beforeAll(async () => {
  air(oldWifi);
  const file = join(folder, "swarm.ts");
  const text = readFileSync(greenhouse, "utf8");
  writeFileSync(file, text.replaceAll('"data/', `"${join(greenhouse, "../data")}/`));
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  swarm = await RunningSwarm.start(folder, ["--air", airFile, "--mdns"], file);
  const { leader } = await swarm.until("all boards have joined", onContact(0), 120_000);
  elsewhere.on("connection", (socket) => {
    const broker = net.connect(leader.mqttPort, "127.0.0.1");
    for (const [from, to] of [
      [socket, broker],
      [broker, socket],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
}, 180_000);

afterAll(async () => {
  await swarm.end();
  elsewhere.close();
  rmSync(folder, { recursive: true, force: true });
});

async function move(
  ...words: readonly string[]
): Promise<{ code: number | null; boards: readonly object[] }> {
  const { code, stdout, stderr } = await runCovey(["move", "--yes", "--json", ...words], folder);
  expect(stderr).not.toContain("secret");
  return { code, boards: (JSON.parse(stdout) as { boards: object[] }).boards };
}

const patience = { timeout: moveLimits.tryMs + 120_000 };

describe("a swarm that moves house", () => {
  it("goes to another Wi-Fi while outputs and readings go on and nothing restarts", patience, async () => {
    const before = (await swarm.status())!;
    writeFileSync(join(folder, "new.json"), JSON.stringify(newWifi), { mode: 0o600 });
    air(oldWifi, newWifi);
    const { mqttPort } = before.leader;
    const moved = await move("--wifi", "new.json", "--hosts", `main=127.0.0.1:${mqttPort}`);
    expect(moved.code).toBe(0);
    expect(moved.boards.map((each) => (each as { outcome: string }).outcome)).toEqual(
      new Array(5).fill("moved"),
    );
    const after = await swarm.until("all on contact 1", onContact(1));
    for (const [i, board] of after.boards.entries()) {
      expect(board.memberId).toBe(before.boards[i]!.memberId);
      expect(board.samplesIn).toBeGreaterThan(before.boards[i]!.samplesIn);
      // An output that restarts is at its safe value first.
      expect(board.outputs.map(({ cause }) => cause)).not.toContain("safe");
    }
    // The old network goes, and nobody minds.
    air(newWifi);
    await swarm.until("all still there", onContact(1));
    expect(after.violations).toEqual([]);
  });

  it("has its voting boards leave one after the other", async () => {
    expect((await turnsOf(folder)).sort()).toEqual(["north-1, to move", "south-1, to move"]);
  });

  it("goes to another address of its host in the network where it is", patience, async () => {
    expect((await move("--hosts", `main=127.0.0.1:${elsewherePort}`)).code).toBe(0);
    air({ ...newWifi, reaches: [`127.0.0.1:${elsewherePort}`] });
    const status = await swarm.until("all on contact 2", onContact(2));
    expect(status.violations).toEqual([]);
    // Only by way of the new address.
    const connections = await new Promise((resolve) =>
      elsewhere.getConnections((_, count) => resolve(count)),
    );
    expect(connections).toBe(5);
  });

  it("finds its hosts by mDNS when they are not where they were said to be", patience, async () => {
    const { leader } = (await swarm.status())!;
    air({ ...newWifi, reaches: [`127.0.0.1:${leader.mqttPort}`] });
    await swarm.until("all without their host", ({ boards }) => boards.some(({ link }) => link === "down"));
    // Found beside the contact, which stays as it is.
    await swarm.until("all found their host", onContact(2), 120_000);
  });

  it("stays where it is when the new network is wrong, and says so", patience, async () => {
    air(newWifi);
    // Those that vote would try it one after the other, two minutes each.
    expect((await runCovey(["members", "demote", "north-1", "south-1"], folder)).code).toBe(0);
    writeFileSync(join(folder, "wrong.json"), JSON.stringify({ ssid: "new", password: "wrong secret" }));
    const { code } = await runCovey(["move", "--wifi", "wrong.json", "--yes", "--no-watch"], folder);
    expect(code).toBe(0);
    await swarm.until("some have tried", ({ boards }) => boards.some(({ link }) => link === "down"), 60_000);
    await swarm.until("all are back", onContact(2), moveLimits.tryMs + 60_000);
    const { stdout } = await runCovey(["status"], folder);
    expect(stdout).toContain("not moved to contact 3: covey move --status.");
  });
});
