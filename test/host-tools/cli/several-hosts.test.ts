/** The verbs that look at the members and change them, against two real hosts; boards made of bytes. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Members } from "../../../host-tools/leader/api/types/members.ts";
import type { Setting } from "../../../host-tools/leader/api/types/settings.ts";
import { listen, portOf } from "../../../host-tools/leader/listen.ts";
import { RawBoard } from "../leader/raw-board.ts";
import { CoveyProcess, covey, scratchFolder } from "./covey-process.ts";
import { giveIdentities } from "./host-identities.ts";

const { folder, remove } = scratchFolder();
const hosts = new Map<string, CoveyProcess>();
const mqttPorts = new Map<string, number>();
const urls = new Map<string, string>();
const boards = new Map<string, RawBoard[]>();
let peerPort: number;

beforeAll(async () => {
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, setting, swarm } from "covey";
const plain = () => board("esp32c3-devkit", { sense: [] });
export default swarm("house", {
  hosts: ["a", "b"],
  voters: ["n1", "n2", "n3"],
  settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
  boards: { n1: plain(), n2: plain(), n3: plain(), n4: plain(), n5: plain(), n6: plain() },
});
`,
  );
  giveIdentities(folder, "house", ["a", "b"]);
  const server = createServer();
  await listen(server, { host: "127.0.0.1", port: 0, purpose: "peer" });
  peerPort = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  await start("a", ["--peer-port", `${peerPort}`]);
  await start("b", ["--peer-port", "0", "--peers", `a=127.0.0.1:${peerPort}`]);
  for (const name of ["n1", "n2", "n3", "n4", "n5"]) await joinBoard(name);
  await until((list) => list.members.filter(({ role }) => role === "voter").length === 4);
}, 60_000);

afterAll(async () => {
  for (const host of hosts.values()) await host.interrupt();
  remove();
});

async function start(name: string, words: readonly string[]): Promise<void> {
  const ports = ["--http-port", "0", "--mqtt-port", `${mqttPorts.get(name) ?? 0}`];
  const host = new CoveyProcess(["lead", "--name", name, ...ports, ...words, "--json"], folder);
  const said = JSON.parse(await host.firstLine());
  expect(said).toMatchObject({ swarm: "house", host: name });
  hosts.set(name, host);
  mqttPorts.set(name, said.mqttPort);
  urls.set(name, said.url);
}

/** A board with a connection to each host, as a voter has. */
async function joinBoard(name: string): Promise<void> {
  const joined: RawBoard[] = [];
  for (const port of mqttPorts.values()) {
    const memory = joined[0]?.memory;
    joined.push(
      await RawBoard.join({ swarm: "house", name, port, ...(memory === undefined ? {} : { memory }) }),
    );
  }
  boards.set(name, joined);
}

function cut(name: string): void {
  for (const board of boards.get(name)!) board.cut();
}

async function until(accept: (members: Members) => boolean): Promise<Members> {
  for (const deadline = Date.now() + 20_000; ; ) {
    const members = await membersNow();
    if (members !== undefined && accept(members)) return members;
    if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify(members)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function membersNow(): Promise<Members | undefined> {
  const url = urls.get([...hosts.keys()][0]!)!;
  const response = await fetch(`${url}/api/members`).catch(() => undefined);
  return response?.ok ? ((await response.json()) as Members) : undefined;
}

const roles = ({ members }: Members) => members.map(({ name, role }) => `${name} ${role}`).sort();

describe("covey members", () => {
  it("lists who votes, leads and follows, where each is connected, and what may be lost", async () => {
    const { stdout, exitCode } = await covey(["members"], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^a\.[0-9a-f]{8} +host +leader +\d+ +\d+ +a +now *$/m);
    expect(stdout).toMatch(/^n1\.0000000a +board +voter +\d+ +\d+ +a, b +now *$/m);
    expect(stdout).toMatch(/^n4\.0000000a +board +learner /m);
    expect(stdout).toMatch(/^n6 +board +unknown +- +- +nobody +never *$/m);
    expect(stdout).toMatch(
      /^a\.[0-9a-f]{8} leads in term \d+; 5 of 5 voters answer, 3 must: 2 more may be lost\.$/m,
    );
  });

  it.each([
    ["promote", /^Say which boards: covey members promote north-1\.$/],
    ["replace n1", /^Say which board and by which/],
    ["transfer", /^Say which host is to lead/],
    ["elect b", /^There is no action elect; use promote, demote, replace or transfer\.$/],
    ["promote nobody", /^This swarm has no board nobody; it has n1, n2, n3, n4, n5, n6\.$/],
    ["promote b", /^b is a host: hosts vote as long as swarm\.ts names them\. Name a board\.$/],
    ["promote n1", /^n1 is a voter already\.$/],
    ["promote n6 n4", /^n6 does not answer, so it cannot vote: bring it up first, or choose n4 or n5\.$/],
    ["demote n4", /^n4 is no voter; those that vote are n1, n2, n3\.$/],
    ["replace n4 n5", /^n4 is no voter/],
    ["replace n1 n2", /^n2 is a voter already; to take only n1's vote away: covey members demote n1\.$/],
    ["replace n1 n6", /^n6 does not answer/],
    ["transfer n1", /^n1 is no host: only hosts lead, and this swarm has b\.$/],
    ["transfer a", /^a leads already\.$/],
  ])("%s is refused", async (words, says) => {
    const before = await until(() => true);
    const ended = await covey(["members", ...words.split(" ")], folder);
    expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
    expect(ended.stderr.trimEnd()).toMatch(says);
    const json = JSON.parse((await covey(["members", ...words.split(" "), "--json"], folder)).stdout);
    expect(json.error.message).toMatch(says);
    expect(roles(await until(() => true))).toEqual(roles(before));
  });

  it.each([
    [
      "promote n4",
      /^That makes 6 voters \(a, b, n1, n2, n3, n4\): they survive the loss of 2, as 5 do, and are one more that can fail\. Better, so that n1, n2, n3, n4 and n5 vote: covey members promote n4 n5\. To do it all the same, add --force\.$/,
    ],
    [
      "demote n3",
      /^That makes 4 voters \(a, b, n1, n2\): they survive the loss of 1, as 3 do, and are one more that can fail\. As it is, n1, n2 and n3 vote, which is better\. To do it all the same, add --force\.$/,
    ],
  ])("%s is unwise, and the better command is named", async (words, says) => {
    const ended = await covey(["members", ...words.split(" ")], folder);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr.trimEnd()).toMatch(says);
  });

  it("promotes and demotes, and waits until it is so", async () => {
    const { stdout, exitCode } = await covey(["members", "promote", "n4", "n5"], folder);
    expect(stdout).toMatch(
      /^The voters are a, b, n1, n2, n3, n4, n5; 7 of 7 voters answer, 4 must: 3 more may be lost\.$/m,
    );
    expect(exitCode).toBe(0);
    const forced = await covey(["members", "demote", "n5", "--force", "--json"], folder);
    expect(forced.stderr).toMatch(/^That makes 6 voters/);
    expect(JSON.parse(forced.stdout).voters).toHaveLength(6);
    expect((await covey(["members", "demote", "n4"], folder)).exitCode).toBe(0);
    expect(roles(await until(() => true))).toContain("n4 learner");
  });

  it("replaces a dead board, whose old id follows without a vote when it comes back", async () => {
    cut("n3");
    await until(({ members }) => members.some(({ name, answers }) => name === "n3" && !answers));
    const { stdout, exitCode } = await covey(["members", "replace", "n3", "n4"], folder);
    expect(stdout).toMatch(/^The voters are a, b, n1, n2, n4; 5 of 5 voters answer/m);
    expect(exitCode).toBe(0);
    const [{ memory }] = boards.get("n3")! as [RawBoard];
    boards.set("n3", [
      await RawBoard.join({ swarm: "house", name: "n3", port: mqttPorts.get("a")!, memory }),
    ]);
    const members = await until((list) => list.members.some(({ name, answers }) => name === "n3" && answers));
    expect(roles(members)).toContain("n3 learner");
  });

  it("never leaves a set of voters without a majority, not even by force", async () => {
    for (const name of ["n1", "n2"]) cut(name);
    const isSilent = ({ name, answers }: Members["members"][number]) =>
      ["n1", "n2"].includes(name) && !answers;
    const members = await until((list) => list.members.filter(isSilent).length === 2);
    expect(members).toMatchObject({
      answering: 3,
      spare: 0,
      advice: expect.stringContaining("covey members replace n1 n3"),
    });
    const ended = await covey(["members", "demote", "n4", "--force"], folder);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(
      /^That would leave no quorum: 2 of the 4 voters \(a, b, n1, n2\) answer at the moment, 3 must; n1 and n2 do not\. Better, so that/,
    );
    for (const name of ["n1", "n2"]) await joinBoard(name);
    await until((list) => list.spare === 2);
  });

  it("passes leadership on", async () => {
    const { stdout, exitCode } = await covey(["members", "transfer", "b"], folder);
    expect({ stdout, exitCode }).toEqual({
      stdout: expect.stringMatching(/^b leads in term \d+\.\n$/),
      exitCode: 0,
    });
  });
});

describe("covey set", () => {
  it("sets under a condition, and refuses when it does not hold", async () => {
    expect((await covey(["set", "fan.duty", "50", "--if", "20"], folder)).exitCode).toBe(0);
    const refused = await covey(["set", "fan.duty", "60", "--if", "20 %"], folder);
    expect(refused).toMatchObject({ exitCode: 1, stderr: "fan.duty is 50 by now; nothing was changed.\n" });
  });

  it("survives the leader's kill -9, and so does a set that is under way", async () => {
    const sets = [51, 52, 53].map((value) => covey(["set", "fan.duty", `${value}`, "--json"], folder));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const leader = hosts.get("b")!;
    leader.child.kill("SIGKILL");
    for (const { exitCode, stdout, stderr } of await Promise.all(sets)) {
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect([51, 52, 53]).toContain(JSON.parse(stdout).value);
    }
    const { stdout } = await covey(["get", "fan.duty", "--json"], folder);
    expect([51, 52, 53]).toContain((JSON.parse(stdout) as Setting).value);
    hosts.delete("b");
  });
});

describe("covey recover", () => {
  const recover = (...words: string[]) =>
    covey(["recover", "--name", "b", "--mqtt-port", "0", "--peer-port", "0", ...words], folder);

  it("asks first, so without a terminal it wants --yes", async () => {
    expect(await recover()).toMatchObject({
      exitCode: 2,
      stderr: "covey recover asks before it goes ahead; without a terminal, say --yes.\n",
    });
  });

  it("refuses a host without an identity, and says how to get one", async () => {
    const ended = await recover("--yes", "--state", "nowhere");
    expect(ended).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ended.stderr).toMatch(
      /^Host b has no identity in \S+member\.json: issue it with covey keys issue b /,
    );
  });

  it("refuses a host that runs, and one whose log is sound", async () => {
    const running = await covey(
      ["recover", "--name", "a", "--mqtt-port", "0", "--peer-port", "0", "--yes"],
      folder,
    );
    expect(running).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^Host a runs already \(process \d+/),
    });
    expect(await recover("--yes")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^Host b has a sound Raft log of \d+ entries in .+: start it with covey lead\./,
      ),
    });
  });

  it("refuses where the others can lead: then a plain start is better", async () => {
    rmSync(join(folder, ".covey/house/host-b"), { recursive: true });
    giveIdentities(folder, "house", ["b"]);
    const peers = ["--peers", `a=127.0.0.1:${peerPort}`];
    const ended = await recover("--yes", "--wait", "3s", ...peers);
    expect(ended.stderr).toMatch(
      /start host b plainly with an empty folder, and it joins; nothing is lost that way\.\n$/,
    );
    expect(ended.exitCode).toBe(1);
    expect(existsSync(join(folder, ".covey/house/host-b/raft"))).toBe(false);
  });

  it("says so when nobody comes", async () => {
    const elsewhere = join(folder, "elsewhere");
    giveIdentities(folder, "house", ["b"], "elsewhere");
    const ended = await recover("--yes", "--wait", "500ms", "--state", elsewhere);
    expect(ended).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/No board and no host came within 0\.5 s; .+ with --wait\.\n$/),
    });
  });
});

describe("covey lead", () => {
  it.each([
    [["--name", "z"], "The swarm house has no host z; choose a or b with --name."],
    [["--peers", "z=127.0.0.1:1"], "--peers names z, but the hosts of house are a, b."],
  ])("%j is refused", async (words, says) => {
    expect(await covey(["lead", ...words], folder)).toMatchObject({ exitCode: 2, stderr: `${says}\n` });
  });

  it("refuses peers that are none", async () => {
    const { exitCode, stderr } = await covey(["lead", "--peers", "b"], folder);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Write the other hosts as b=127.0.0.1:7901,c=127.0.0.1:7902.");
  });
});
