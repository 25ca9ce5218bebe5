/** `covey keys` from a new swarm to a revocation that its host agrees on. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { readMemberFile } from "../../../host-tools/security/member-file.ts";
import { SimulationKeys } from "../../../host-tools/simulator/simulation-keys.ts";
import { rosterKey } from "../../../protocols/security/identity/roster.ts";
import { CoveyProcess, covey, type Ended, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
const stateDir = join(folder, ".covey/house");
const program = join(import.meta.dirname, "../../../host-tools/cli/bin.js");
const passphrase = "four words are enough";
const { COVEY_PASSPHRASE: _, ...bare } = process.env;

beforeAll(() => {
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, swarm } from "covey";
const plain = () => board("esp32c3-devkit", { sense: [] });
export default swarm("house", { boards: { door: plain(), gate: plain() } });
`,
  );
  const greenhouse = readFileSync(join(folder, "swarm.ts"), "utf8").replace("house", "greenhouse");
  writeFileSync(join(folder, "greenhouse.ts"), greenhouse.replace("gate", '"north-2"'));
  writeFileSync(join(folder, "passphrase"), `${passphrase}\n`);
});

afterAll(remove);

const keys = (...words: string[]): Promise<Ended> => covey(["keys", ...words], folder, bare);
const withFile = (...words: string[]): Promise<Ended> => keys(...words, "--passphrase-file", "passphrase");
const open = () => KeyFolder.open(join(stateDir, "keys"));

async function refused(run: Promise<Ended>, exitCode: number, says: RegExp): Promise<void> {
  const ended = await run;
  expect(ended).toMatchObject({ exitCode, stdout: "" });
  expect(ended.stderr.split("\n").at(-2)).toMatch(says);
}

describe("covey keys init", () => {
  it("without keys, every other action names it", async () => {
    for (const words of [["list"], ["issue"], ["revoke", "door"]]) {
      await refused(
        keys(...words),
        1,
        /^There are no keys of a swarm in .+; make them with covey keys init, once for a swarm\.$/,
      );
    }
  });

  it("without a terminal, says where else the passphrase may come from", async () => {
    await refused(
      keys("init"),
      2,
      /^The root's passphrase is asked for at a terminal; without one, say --passphrase-file FILE or set COVEY_PASSPHRASE\.$/,
    );
    await refused(
      keys("init", "--passphrase-file", "nowhere"),
      2,
      /^The passphrase cannot be read from nowhere \(ENOENT\); check --passphrase-file\.$/,
    );
    const short = covey(["keys", "init"], folder, { ...bare, COVEY_PASSPHRASE: "short" });
    await refused(short, 2, /^A passphrase has 8 to 1024 characters, and this one 5; /);
    expect(existsSync(stateDir)).toBe(false);
  });

  it("asks for it twice at a terminal, and does not show it", async () => {
    const typed = ["a long passphrase\r", "another passphrase\r", `${passphrase}x\x7f\r`, `${passphrase}\r`];
    const first = await atTerminal(["keys", "init"], typed.slice(0, 2));
    expect(first.said).toContain("The two passphrases differ; start again.");
    expect(existsSync(join(stateDir, "keys"))).toBe(false);
    const second = await atTerminal(["keys", "init"], typed.slice(2));
    expect(second.said).toContain("The root of house is in .covey/house/keys, under your passphrase.");
    for (const { said } of [first, second]) expect(said).not.toMatch(/long passphrase|another|four words/);
    expect(await open().unlock(passphrase)).toMatchObject({ root: expect.any(Uint8Array) });
  }, 30_000);

  it("keeps all of it out of git", () => {
    expect(readFileSync(join(folder, ".covey/.gitignore"), "utf8")).toBe("*\n");
  });

  it("is done once for a swarm", async () => {
    await refused(
      withFile("init"),
      2,
      /holds the keys of the swarm house already; covey keys issue adds members/,
    );
  });
});

describe("covey keys issue", () => {
  it("asks for the right passphrase", async () => {
    await refused(
      covey(["keys", "issue"], folder, { ...bare, COVEY_PASSPHRASE: "a wrong passphrase" }),
      2,
      /^The passphrase does not open .+root\.json; try again, and mind the keyboard's layout\.$/,
    );
    expect(open().ledger().entries).toEqual([]);
  });

  it("gives all of swarm.ts their identities, and says where each is and what to do with it", async () => {
    const { stdout, exitCode } = await withFile("issue");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("main (host, *:rwcu,covey/*:rwcu): .covey/house/keys/issued/main.json\n");
    expect(stdout).toContain("door (board, door:rw): .covey/house/keys/issued/door.json\n");
    expect(stdout).toContain("The host main finds its own here: .covey/house/host-main/member.json.\n");
    expect(stdout).toContain("A board: its file goes into its flash when it is provisioned.\n");
    expect(readMemberFile(join(stateDir, "host-main/member.json")).identity).toMatchObject({
      name: "main",
      role: "host",
    });
  });

  it("again has nothing to do, but brings a host its file when that is lost", async () => {
    rmSync(join(stateDir, "host-main"), { recursive: true });
    const { stdout } = await keys("issue");
    expect(stdout).toContain("The host main finds its own here: .covey/house/host-main/member.json.\n");
    expect(stdout).toContain("Nobody in swarm.ts lacks an identity; covey keys list shows them.\n");
    expect(statSync(join(stateDir, "host-main/member.json")).mode & 0o777).toBe(0o600);
  });

  it("gives a person one, with the scope that was said", async () => {
    const issued = await withFile("issue", "anna", "--role", "operator", "--scope", "fan.*:rw,*:r", "--json");
    expect(JSON.parse(issued.stdout)).toMatchObject({
      swarm: "house",
      simulated: false,
      issued: [
        {
          name: "anna",
          role: "operator",
          scope: [
            { resource: "fan.*", permissions: 3 },
            { resource: "*", permissions: 1 },
          ],
        },
      ],
    });
    expect(open().readIssued("anna").identity.role).toBe("operator");
  });

  it.each<[string, RegExp]>([
    [
      "door",
      /^door has an identity \(board, of \d{4}-\d\d-\d\d\); revoke it first: covey keys revoke door\.$/,
    ],
    [
      "berta",
      /^swarm\.ts names no host or board berta; say what it is with --role host, board, viewer, operator or admin\.$/,
    ],
    ["berta --role admin --scope fan", /^"fan" is no entry of a scope; /],
    [
      "berta --role admin --address ::1",
      /^Only a host is reached under an address, and berta has the role admin\.$/,
    ],
    ["--role admin", /^Say whose role or scope it is: /],
    ["--address leader.local", /^Say whose address it is: covey keys issue NAME --address leader\.local\.$/],
    ["berta --role king", /^--role can't be "king"/],
    ["berta --role admin --swarm ../house", /^There are no keys of \.\.\/house in /],
  ])("%s is refused before the passphrase is asked for", async (words, says) => {
    const ended = await keys("issue", ...words.split(" "));
    expect(ended.stderr.trimEnd()).toMatch(says);
    expect(ended.stdout).toBe("");
    expect(ended.exitCode).toBeGreaterThan(0);
  });

  it("of a host takes its addresses into the certificate", async () => {
    await withFile("issue", "spare", "--role", "host", "--address", "leader.local,192.0.2.7");
    const { stdout } = await keys("show", "spare");
    expect(stdout).toMatch(/^ {2}reached {4}leader\.local, 192\.0\.2\.7$/m);
  });
});

describe("covey keys list and show", () => {
  it("need no passphrase", async () => {
    const { stdout, exitCode } = await keys("list");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^door +board +[0-9a-f]{16} +door:rw +0 +\d{4}-\d\d-\d\d +here$/m);
    expect(stdout).toContain("house is in epoch 0.\n");
    const list = JSON.parse((await keys("list", "--json")).stdout);
    expect(list).toMatchObject({ swarm: "house", simulated: false, epoch: 0 });
    expect(list.identities[0]).toMatchObject({
      name: "main",
      standing: "belongs",
      file: join(stateDir, "keys/issued/main.json"),
    });
  });

  it("show the root, with the authority's certificate for others", async () => {
    const { root, authority } = JSON.parse((await keys("show", "--json")).stdout);
    expect(Buffer.from(root, "base64url")).toEqual(Buffer.from(open().root));
    expect(Buffer.from(authority.der, "base64url")).toEqual(Buffer.from(open().authority));
    expect((await keys("show")).stdout).toContain("-----BEGIN CERTIFICATE-----");
    await refused(keys("show", "nobody"), 2, /under the name nobody; covey keys list shows who was\.$/);
  });
});

describe("covey keys revoke and rotate", () => {
  it("without a host that answers, keep the statement and do not claim that it is in force", async () => {
    const ended = await withFile("revoke", "gate", "--why", "stolen");
    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toBe("gate is revoked in epoch 1.\n");
    expect(ended.stderr).toMatch(
      /but the swarm could not be told, and goes on as before: No swarm runs from .+ covey keys push sends it\.\n$/,
    );
    expect((await keys("list")).stdout).toMatch(
      /The swarm does not know of epoch 1 yet; covey keys push tells it\.\n$/,
    );
    expect((await keys("show", "gate")).stdout).toMatch(/^gate: board, revoked \d{4}-\d\d-\d\d: stolen$/m);
  });

  it("refuse who is unknown or revoked already before the passphrase is asked for", async () => {
    await refused(keys("revoke", "nobody"), 2, /^Nobody was ever issued an identity under the name nobody; /);
    await refused(
      keys("revoke", "gate"),
      2,
      /^gate was revoked on \S+ already \(stolen\); covey keys issue gate /,
    );
    await refused(keys("revoke"), 2, /^Say who belongs no more: covey keys revoke north-1\.$/);
    await refused(keys("rotate", "gate"), 2, /^covey keys rotate takes no names\.$/);
    await refused(
      keys("sing"),
      2,
      /^There is no action sing; use init, issue, list, show, revoke, rotate or push\.$/,
    );
  });

  it("a running host agrees on what is pushed, and on what follows at once", async () => {
    const leader = new CoveyProcess(
      ["lead", "--http-port", "0", "--mqtt-port", "0", "--log-level", "error"],
      folder,
      bare,
    );
    await leader.firstLine();
    try {
      const pushed = await keys("push");
      expect(pushed).toMatchObject({ exitCode: 0, stdout: "The swarm has agreed on epoch 1.\n" });
      const log = await covey(["log", "--json"], folder);
      expect(log.stdout).toContain(rosterKey);
      const revoked = await withFile("revoke", "door", "--json");
      expect(JSON.parse(revoked.stdout)).toEqual({ swarm: "house", revoked: ["door"], epoch: 2 });
      expect(await withFile("rotate")).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("Epoch 3 begins"),
      });
      expect(open().ledger().roster).toMatchObject({ epoch: 3, delivery: "done" });
    } finally {
      await leader.interrupt();
    }
  }, 30_000);

  it("rotate --all issues everybody anew, and tells the swarm only when the user says so", async () => {
    const before = readFileSync(join(stateDir, "host-main/member.json"), "utf8");
    const ended = await withFile("rotate", "--all");
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toContain("main: .covey/house/keys/issued/main.json\n");
    expect(ended.stdout).not.toContain("gate");
    expect(ended.stderr).toMatch(
      /The swarm is not told of epoch 4 until you say so: covey keys push, once every member has its new file\.\n$/,
    );
    expect(readFileSync(join(stateDir, "host-main/member.json"), "utf8")).not.toBe(before);
    expect((await keys("list")).stdout).toMatch(/^main .+ replaced by a new one$/m);
  });
});

it("a simulated swarm's keys are used where there are no others, and it says so", async () => {
  const state = join(folder, "simulated");
  const boards = { door: {}, gate: {} } as never;
  await SimulationKeys.prepare(join(state, "house"), { name: "house", hosts: ["main"], boards } as never);
  const list = await keys("list", "--state", state);
  expect(list).toMatchObject({
    exitCode: 0,
    stderr: "These are the keys of the simulation of house; it has no others.\n",
  });
  const revoked = await keys("revoke", "gate", "--state", state);
  expect(revoked.stdout).toBe("gate is revoked in epoch 1.\n");
  const issued = await keys("issue", "gate", "--state", state);
  expect(issued.stdout).toContain("The simulation takes them up at its next start.\n");
});

it("the folder that --keys names is taken, whatever lies elsewhere", async () => {
  const elsewhere = join(folder, "safe/keys");
  const other = await KeyFolder.create(elsewhere, "house", undefined);
  const shown = await keys("show", "--keys", elsewhere, "--json");
  expect(JSON.parse(shown.stdout).root).toBe(Buffer.from(other.root).toString("base64url"));
  const issued = await keys("issue", "door", "--keys", elsewhere, "--json");
  expect([issued.exitCode, issued.stderr]).toEqual([0, ""]);
  expect(other.readIssued("door")).toMatchObject({ privateKey: expect.any(Uint8Array) });
  await refused(keys("list", "--keys", "nowhere"), 1, /nowhere/);
});

describe("covey lead", () => {
  it("without an identity names the command that gives one", async () => {
    await refused(
      covey(["lead", "--state", "elsewhere"], folder, bare),
      1,
      /^Host main has no identity in .+elsewhere\/house\/host-main\/member\.json: issue it with covey keys issue main \(after covey keys init, once for the swarm\), or say with --member where its file is\.$/,
    );
  });

  it("with another's identity says whose it is", async () => {
    await refused(
      covey(["lead", "--member", ".covey/house/keys/issued/door.json"], folder, bare),
      1,
      /door\.json is of door \(board\) in the swarm house, not of host main in house; choose another with --member, or the host with --name\.$/,
    );
  });
});

it("carries out every command of the documentation", async () => {
  const documented = ["README.md", "docs/keys.md"].map((file) =>
    readFileSync(join(import.meta.dirname, "../../..", file), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("npx covey keys "))
      .map((line) => line.replace(/ #.*/, "").trim().split(/\s+/).slice(2)),
  );
  for (const [i, commands] of documented.entries()) {
    expect(commands.length).toBeGreaterThanOrEqual(4);
    const state = `documented-${i}`;
    let leader: CoveyProcess | undefined;
    try {
      for (const command of commands) {
        if (command[1] === "revoke") {
          const place = ["--state", state, "--http-port", "0", "--mqtt-port", "0", "--log-level", "error"];
          leader = new CoveyProcess(["lead", "greenhouse.ts", ...place], folder, bare);
          await leader.firstLine();
        }
        const words = [...command, "--state", state, "--file", "greenhouse.ts"];
        const { exitCode, stderr } = await covey(words, folder, { ...bare, COVEY_PASSPHRASE: passphrase });
        expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: expect.any(String) });
      }
    } finally {
      await leader?.interrupt();
    }
  }
}, 60_000);

/** Types each answer once it is asked for; the terminal is one of util-linux's `script`. */
async function atTerminal(words: readonly string[], answers: readonly string[]): Promise<{ said: string }> {
  const command = [process.execPath, program, ...words].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: folder,
    env: { ...bare, NO_COLOR: "1" },
  });
  let said = "";
  let asked = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    const questions = said.match(/swarm's root: |again: /g)?.length ?? 0;
    while (asked < Math.min(questions, answers.length)) child.stdin.write(answers[asked++]!);
  });
  await new Promise((resolve) => child.once("close", resolve));
  return { said };
}
