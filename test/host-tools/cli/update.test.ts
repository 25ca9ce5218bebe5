/** `covey update` as a user runs it, against a host with real sockets; what the board does stands in the test. */
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeAppDescriptor, writeAppImage } from "../../../host-tools/images/app-image.ts";
import { issueMembers } from "../../../host-tools/keys/issue.ts";
import type { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import type { HostOptions } from "../../../host-tools/leader/host.ts";
import type { FirmwareHealth } from "../../../protocols/messages/board-messages.ts";
import { descriptor, sampleApp } from "../images/sample-images.ts";
import { issueAll } from "../keys/deployed-keys.ts";
import {
  definition,
  eventually,
  type LeaderUnderTest,
  leaderUnderTest,
} from "../leader/leader-under-test.ts";
import type { RawBoard } from "../leader/raw-board.ts";
import { CoveyProcess, covey, type Ended, scratchFolder } from "./covey-process.ts";

interface Deployed {
  readonly folder: string;
  readonly keys: KeyFolder;
  readonly leader: LeaderUnderTest;
  readonly boards: ReadonlyMap<string, RawBoard>;
  run(...words: string[]): Promise<Ended>;
}

const names = Object.keys(definition.boards);
const steady: FirmwareHealth = { sequence: 0, target: 0, stage: "steady", percent: 0, reason: undefined };

/** A host that runs, its keys, its boards, and `firmware.bin`, version 0.1.0 for their chip. */
async function deploy(joined: readonly string[] = names, more: Partial<HostOptions> = {}): Promise<Deployed> {
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const stateDir = join(folder, ".covey/greenhouse");
  const keys = await issueAll(stateDir, "greenhouse", ["a"], names);
  const leader = await leaderUnderTest({ stateDir, member: keys.readIssued("a"), ...more });
  const boards = new Map<string, RawBoard>();
  for (const name of joined) {
    const board = await leader.join(name, { member: keys.readIssued(name) });
    board.health({ firmware: steady });
    boards.set(name, board);
  }
  writeFileSync(join(folder, "firmware.bin"), sampleApp("esp32c3"));
  return { folder, keys, leader, boards, run: (...words) => covey(["update", ...words], folder) };
}

const lastRelease = (keys: KeyFolder) => keys.ledger().lastRelease;

async function refused(run: Promise<Ended>, says: RegExp, exitCode = 2): Promise<void> {
  const ended = await run;
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({
    exitCode,
    stderr: expect.stringMatching(says),
  });
}

describe("covey update", () => {
  it("says what changes, signs, sends, and has the swarm agree", async () => {
    const { run, keys, leader } = await deploy();
    const { exitCode, stdout } = await run("firmware.bin", "--yes", "--no-watch");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("0.1.0 (1,104 bytes, firmware.bin) for all boards of the kind esp32c3-devkit:");
    expect(stdout).toContain("  south-1  0.1.0 -> 0.1.0\n");
    expect(stdout).toContain("Release 1 (0.1.0) is agreed on; a has the image.\n");
    expect(lastRelease(keys)).toBe(1);
    const again = await run("firmware.bin", "--yes", "--no-watch", "--boards", "south-1", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ releases: [{ sequence: 2, model: "esp32c3-devkit" }] });
    const status = await run("--status");
    expect(status.stdout).toMatch(/^south-1 +esp32c3-devkit +0\.1\.0 +0\.1\.0 \(release 2\) +hears of it$/m);
    expect(status.stdout).toMatch(/^north-1 +esp32c3-devkit +0\.1\.0 +0\.1\.0 \(release 1\) +hears of it$/m);
    expect(status.stdout).toContain("release 2: 0.1.0 for south-1 alone, 1,104 bytes, image at a\n");
    expect(leader.status().violations).toEqual([]);
  }, 30_000);

  it("watches until each board runs it or says why not", async () => {
    const { folder, boards, leader } = await deploy(["north-1", "north-2"]);
    const process = new CoveyProcess(["update", "firmware.bin", "--yes", "--json"], folder);
    const tell = (name: string, firmware: Partial<FirmwareHealth>) =>
      boards.get(name)!.health({ firmware: { ...steady, target: 1, ...firmware } });
    await eventually(() => leader.logged.some((line) => line.includes("image-held")), 10_000);
    tell("north-1", { stage: "fetching", percent: 40 });
    tell("north-2", { stage: "trial", percent: 100 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(process.stdout).toBe("");
    tell("north-1", { stage: "steady", sequence: 1, percent: 100 });
    tell("north-2", { stage: "rolled-back", percent: 100, reason: "it did not join" });
    const { exitCode, stdout } = await process.ended;
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).boards).toEqual([
      { id: "north-1", outcome: "runs", version: "0.1.0", note: "" },
      { id: "north-2", outcome: "rolled-back", version: "0.1.0", note: "it did not join" },
      { id: "south-1", outcome: "away", note: "updates when it is back" },
    ]);
  }, 30_000);

  it("gives up waiting after its time, and says how to go on", async () => {
    const { run } = await deploy(["north-1"]);
    await refused(
      run("firmware.bin", "--yes", "--boards", "north-1", "--timeout", "2s"),
      /After 2 s not done: north-1 \(hears of it\)\. The boards go on without this command; covey update --status shows/,
      1,
    );
  }, 30_000);

  it("continues after the swarm's releases with keys that were put back from an old copy", async () => {
    const { run, keys } = await deploy();
    const ledger = join(keys.path, "ledger.json");
    copyFileSync(ledger, `${ledger}.copy`);
    for (let i = 0; i < 3; i++) await run("firmware.bin", "--yes", "--no-watch");
    copyFileSync(`${ledger}.copy`, ledger);
    expect(lastRelease(keys)).toBeUndefined();
    const { stdout } = await run("firmware.bin", "--yes", "--no-watch", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ releases: [{ sequence: 4 }] });
    expect(lastRelease(keys)).toBe(4);
  }, 60_000);

  it("signs on one computer and updates from another, which has no keys", async () => {
    const { run, keys, folder } = await deploy();
    await run("firmware.bin", "--yes", "--no-watch");
    await refused(
      run("firmware.bin", "--sign-only", "house.release"),
      /could be for esp32c3-devkit or xiao-esp32c3/,
    );
    const model = ["--model", "esp32c3-devkit"];
    const signed = await run("firmware.bin", ...model, "--sign-only", "house.release");
    expect(signed.stdout).toContain("Release 2: 0.1.0 for esp32c3-devkit of greenhouse.\n");
    expect(lastRelease(keys)).toBe(2);
    const moved = `${keys.path}-elsewhere`;
    renameSync(keys.path, moved);
    const { stdout, exitCode } = await run(
      "firmware.bin",
      "--release",
      "house.release",
      "--yes",
      "--no-watch",
    );
    expect(stdout).toContain("Release 2 (0.1.0) is agreed on");
    expect(exitCode).toBe(0);
    // Agreed on already, and then overtaken.
    expect((await run("firmware.bin", "--release", "house.release", "--yes", "--no-watch")).exitCode).toBe(0);
    await run("firmware.bin", "--keys", moved, "--yes", "--no-watch");
    await refused(
      run("firmware.bin", "--release", "house.release", "--yes", "--no-watch"),
      /Release 3 of esp32c3-devkit was agreed on already/,
      1,
    );
    writeFileSync(join(folder, "other.bin"), sampleApp("esp32c3", 900));
    await refused(
      run("other.bin", "--release", "house.release", "--yes"),
      /house\.release has no release of other\.bin for esp32c3-devkit; sign that image with --sign-only/,
    );
    await refused(run("firmware.bin", "--release", "firmware.bin", "--yes"), /holds no releases/);
  }, 60_000);
});

describe("covey update refuses, and nothing is signed for", () => {
  it("what no board of the swarm could run", async () => {
    const { folder, keys, run } = await deploy(["north-1"]);
    const file = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
    file("xtensa.bin", sampleApp("esp32"));
    await refused(
      run("xtensa.bin", "--yes"),
      /No board of this swarm has an ESP32, for which xtensa\.bin was built/,
    );
    const torn = sampleApp("esp32c3").slice(0, -40);
    file("torn.bin", torn);
    await refused(run("torn.bin", "--yes"), /torn\.bin: .*app image/i);
    const changed = sampleApp("esp32c3");
    changed[500]! ^= 1;
    file("changed.bin", changed);
    await refused(run("changed.bin", "--yes"), /checksum is wrong/);
    file("large.bin", sampleApp("esp32c3", 1_769_472));
    await refused(
      run("large.bin", "--yes"),
      /large\.bin has 1,769,872 bytes, and a slot of esp32c3-devkit 1,769,472/,
    );
    const foreign = writeAppDescriptor({ ...descriptor, project: "blink", version: "7" });
    const flash = { mode: 2, frequency: 0, sizeBytes: 4 * 1024 * 1024 };
    file(
      "blink.bin",
      writeAppImage({ chipId: 5, entry: 0, flash, segments: [{ address: 0x3c000020, data: foreign }] }),
    );
    await refused(run("blink.bin", "--yes"), /blink\.bin is firmware of another project \(blink 7\)/);
    await refused(run("firmware.bin", "--yes", "--boards", "nobody"), /has no board nobody; it has north-1/);
    await refused(run("firmware.bin"), /asks before it goes ahead; without a terminal, say --yes/);
    await refused(run("nowhere"), /There is no nowhere; build firmware with covey build/);
    await refused(run(), /Name the firmware/);
    await refused(
      run("firmware.bin", "--model", "esp32-devkit", "--yes"),
      /None of these boards is of the kind esp32-devkit/,
    );
    await refused(run("firmware.bin", "--status"), /--status changes nothing/);
    expect(lastRelease(keys)).toBeUndefined();
    expect(existsSync(join(folder, ".covey/greenhouse/host-a/images"))).toBe(false);
    expect(readFileSync(join(keys.path, "ledger.json"), "utf8")).not.toContain("lastRelease");
  }, 60_000);

  it("for whoever may not decide it", async () => {
    const { run, keys, leader } = await deploy(["north-1"], { reach: { requireLogin: true } });
    issueMembers(
      keys,
      await keys.unlock(),
      [
        { name: "otto", role: "operator" },
        { name: "ann", role: "admin" },
      ],
      Date.now(),
    );
    const words = ["firmware.bin", "--yes", "--no-watch"];
    await refused(run(...words), /This host wants to know who asks; log in first/, 1);
    await refused(
      run(...words, "--as", keys.issuedPath("otto")),
      /otto \(operator\) may not update covey\/firmware: that takes an identity whose scope has covey\/firmware:u/,
      1,
    );
    const { exitCode, stdout } = await run(...words, "--as", keys.issuedPath("ann"));
    expect(stdout).toContain("is agreed on; a has the image.");
    expect(exitCode).toBe(0);
    await eventually(() => leader.logged.some((line) => line.includes("update covey/firmware")));
  }, 60_000);
});
