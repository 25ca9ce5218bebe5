/** `covey move` as a user runs it, against a host with real sockets; what the boards do stands in the test. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import type { AgreedContact } from "../../../host-tools/leader/api/types/contact.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import {
  type Contact,
  contactKeyOf,
  openContact,
  sealContact,
} from "../../../protocols/provisioning/contact.ts";
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
  /** What the swarm agreed on, as a board reads it. */
  agreed(): Promise<Contact | undefined>;
}

const names = Object.keys(definition.boards);
const password = "correct horse battery";

async function deploy(joined: readonly string[] = [], passphrase?: string): Promise<Deployed> {
  const { folder, remove } = scratchFolder();
  onTestFinished(remove);
  const stateDir = join(folder, ".covey/greenhouse");
  const keys = await issueAll(stateDir, "greenhouse", ["a"], names, passphrase);
  const leader = await leaderUnderTest({ stateDir, member: keys.readIssued("a") });
  const boards = new Map<string, RawBoard>();
  for (const name of joined) {
    const board = await leader.join(name, { member: keys.readIssued(name) });
    board.health({ contact: 0 });
    boards.set(name, board);
  }
  writeFileSync(join(folder, "wifi.json"), JSON.stringify({ ssid: "flock", password }), { mode: 0o600 });
  const agreed = async () => {
    const answer = await fetch(`${leader.url}/api/contact`);
    const { sealed } = (await answer.json()) as AgreedContact;
    if (sealed === undefined) return undefined;
    const key = contactKeyOf(nodeCiphers, (await keys.unlock()).root, "greenhouse");
    return openContact(nodeCiphers, key, "greenhouse", new Uint8Array(Buffer.from(sealed, "base64url")));
  };
  return { folder, keys, leader, boards, agreed, run: (...words) => covey(["move", ...words], folder) };
}

async function refused(run: Promise<Ended>, says: RegExp, exitCode = 2): Promise<void> {
  const ended = await run;
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({
    exitCode,
    stderr: expect.stringMatching(says),
  });
}

describe("covey move", () => {
  it("has the swarm agree on what is said, and leaves the rest as it was agreed on last", async () => {
    const { run, agreed } = await deploy();
    const first = await run("--hosts", "a=192.0.2.7", "--yes", "--no-watch");
    expect([first.exitCode, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toContain("Wi-Fi        as each board has it\nhosts        a=192.0.2.7:7883\n");
    expect(first.stdout).toMatch(/^Contact 1 is agreed on \(entry \d+\)\.$/m);
    const hosts = [{ name: "a", address: "192.0.2.7", port: 7883 }];
    expect(await agreed()).toEqual({ number: 1, wifi: undefined, hosts, timeServer: undefined });

    const wifi = { ssid: "flock", password };
    await run("--wifi", "wifi.json", "--time-server", "time.example", "--yes", "--no-watch");
    expect(await agreed()).toEqual({ number: 2, wifi, hosts, timeServer: "time.example" });
    await run("--hosts", "mdns", "--time-server", "none", "--yes", "--no-watch");
    expect(await agreed()).toEqual({ number: 3, wifi, hosts: [], timeServer: undefined });
    const again = await run("--again", "--yes", "--no-watch", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ contact: { number: 4 }, boards: [] });
    expect(await agreed()).toEqual({ number: 4, wifi, hosts: [], timeServer: undefined });
  }, 60_000);

  it("says the password nowhere: not on the screen, in a log, in the agreed state, or in a file that it writes", async () => {
    const { run, leader, folder } = await deploy();
    const { stdout, stderr } = await run(
      "--wifi",
      "wifi.json",
      "--hosts",
      "a=192.0.2.7",
      "--yes",
      "--no-watch",
    );
    const { stdout: log } = await covey(["log"], folder);
    expect(log).toContain("covey/contact = ");
    expect(stdout).toContain("Wi-Fi        flock\n");
    expect([stdout, stderr, log, ...leader.logged].join("\n")).not.toContain(password);
    const found = await covey(["log", "--json"], folder);
    expect(found.stdout).not.toContain(Buffer.from(password).toString("hex"));
  }, 30_000);

  it("watches until each board has moved or went back", async () => {
    const { folder, boards } = await deploy(["north-1", "north-2"]);
    const process = new CoveyProcess(["move", "--hosts", "a=192.0.2.7", "--yes", "--timeout", "20s"], folder);
    for (const line of ["north-1: knows it", "south-1: is not connected (learns of it when it is back)"])
      await eventually(() => process.stderr.includes(line), 10_000);
    for (const board of boards.values()) board.health({ contact: 1 });
    const { exitCode, stdout } = await process.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain("north-1  has moved\nnorth-2  has moved\nsouth-1  is not connected");
  }, 30_000);

  it("shows who is where, as covey status does", async () => {
    const { run, boards, folder, leader } = await deploy(["north-1", "north-2"]);
    expect((await run("--status")).stdout).toContain("The swarm has agreed on no contact");
    await run("--hosts", "a=192.0.2.7", "--yes", "--no-watch");
    boards.get("north-1")!.health({ contact: 1 });
    await eventually(() => leader.status().boards.some(({ contact }) => contact === 1), 5_000);
    const { stdout } = await run("--status");
    expect(stdout).toContain("north-1  contact 1\nnorth-2  contact 0\nsouth-1  not connected, no contact");
    const status = await covey(["status"], folder);
    expect(status.stdout).toContain("north-2 has not moved to contact 1: covey move --status.");
  }, 30_000);

  it("refuses what makes no sense, in a sentence, before anything is changed", async () => {
    const { run, agreed, folder } = await deploy();
    await refused(run("--yes"), /Say what is new: --wifi, --hosts, --time-server; or --again, or --status\./);
    await refused(run("--again", "--yes"), /has agreed on no contact yet that boards could take/);
    await refused(run("--status", "--hosts", "a=b"), /--status changes nothing/);
    await refused(run("--again", "--hosts", "a=b"), /--again repeats/);
    await refused(run("--hosts", "c=192.0.2.7", "--yes"), /no host "c"/);
    await refused(run("--hosts", "a=192.0.2.7"), /say --yes/);
    await refused(run("--wifi", "none.json", "--hosts", "a=1.2.3.4", "--yes"), /none\.json is not there/);
    writeFileSync(join(folder, "half.json"), '{"ssid": "flock", "pasword": "correct horse"}', {
      mode: 0o600,
    });
    await refused(run("--wifi", "half.json", "--hosts", "a=1.2.3.4", "--yes"), /the password is missing/);
    await refused(run("--hosts", "a=bad host", "--yes"), /"bad host" is no address of a/);
    const server = ["--hosts", "a=1.2.3.4", "--time-server", "bad host"];
    await refused(run(...server, "--yes"), /"bad host" is no time server/);
    expect(await agreed()).toBeUndefined();
    await run("--hosts", "a=192.0.2.7", "--yes", "--no-watch");
    await refused(run("--hosts", "a=192.0.2.7", "--yes"), /agreed on already; say --again/);
  }, 60_000);

  it("refuses what is wrong before it asks for the root's passphrase", async () => {
    const { run } = await deploy([], "four words are enough");
    await refused(run("--hosts", "a=bad host", "--yes"), /"bad host" is no address of a/);
    await refused(run("--wifi", "none.json", "--yes"), /none\.json is not there/);
    await refused(run("--hosts", "a=192.0.2.7", "--yes"), /passphrase is asked for at a terminal/);
  }, 30_000);

  it("takes no keys but those of the swarm that runs, and goes on after a contact under others", async () => {
    const { run, folder, leader, agreed } = await deploy();
    const others = await issueAll(join(folder, "other"), "greenhouse", [], []);
    await refused(
      run("--hosts", "a=192.0.2.7", "--yes", "--keys", others.path),
      /are not those of the greenhouse that runs; say --keys/,
    );
    expect(await agreed()).toBeUndefined();

    const key = contactKeyOf(nodeCiphers, (await others.unlock()).root, "greenhouse");
    const foreign = { number: 1, wifi: undefined, hosts: [], timeServer: undefined };
    const sealed = sealContact(nodeCiphers, key, "greenhouse", foreign, new Uint8Array(13));
    await fetch(`${leader.url}/api/contact`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ sealed: Buffer.from(sealed).toString("base64url") }),
    });
    const next = await run("--hosts", "a=192.0.2.7", "--yes", "--no-watch");
    expect([next.exitCode, next.stderr]).toEqual([0, expect.stringContaining("no board took it")]);
    expect(await agreed()).toMatchObject({ number: 2, hosts: [{ name: "a", address: "192.0.2.7" }] });
  }, 30_000);

  it("takes the simulation's keys when the simulation is what runs", async () => {
    const { run, folder, agreed, keys } = await deploy();
    const stateDir = join(folder, ".covey/greenhouse");
    renameSync(keys.path, join(stateDir, "simulation-keys"));
    await issueAll(stateDir, "greenhouse", [], []);
    const moved = await run("--hosts", "a=192.0.2.7", "--yes", "--no-watch");
    expect([moved.exitCode, moved.stderr]).toEqual([
      0,
      expect.stringContaining("is the simulation of greenhouse"),
    ]);
    renameSync(join(stateDir, "keys"), join(stateDir, "real-keys"));
    renameSync(join(stateDir, "simulation-keys"), keys.path);
    expect(await agreed()).toMatchObject({ number: 1 });
  }, 30_000);

  it("refuses a contact that is not newer, and what is none", async () => {
    const { run, leader } = await deploy();
    await run("--hosts", "a=192.0.2.7", "--yes", "--no-watch");
    const url = `${leader.url}/api/contact`;
    const { sealed } = (await (await fetch(url)).json()) as AgreedContact;
    await run("--hosts", "a=192.0.2.8", "--yes", "--no-watch");
    const post = async (body: object) => {
      const headers = { "content-type": "application/json" };
      return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json();
    };
    expect(await post({ sealed })).toMatchObject({ error: { code: "not-newer" } });
    expect(await post({ sealed: "AAAA" })).toMatchObject({ error: { code: "bad-request" } });
    expect(await post({})).toMatchObject({ error: { code: "bad-request" } });
  }, 30_000);
});
