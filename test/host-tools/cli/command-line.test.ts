/** What every verb owes: help with an example, one sentence for a mistake, and with --json one JSON value and nothing else. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { verbs } from "../../../host-tools/cli/verbs/index.ts";
import { reservedPort } from "../../reserved-port.ts";
import { covey, scratchFolder } from "./covey-process.ts";
import { giveIdentities } from "./host-identities.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);

const names = verbs.map(({ usage }) => usage.split(" ")[0]!);

writeFileSync(
  join(folder, "mistaken.ts"),
  `import { board, sense, swarm } from "covey";
export default swarm("house", {
  voters: ["dor"],
  boards: {
    door: board("esp32c3-devkit", { sense: [sense("temprature", { every: "1s" })] }),
  },
});
`,
);
const mistakes = [
  'mistaken.ts:3: the voter "dor" is not a board of this swarm; did you mean "door"?',
  'mistaken.ts:5: "temprature" is not a sensor; did you mean "temperature"?',
];

describe.each(names)("covey %s", (name) => {
  it("has help with an example", async () => {
    const { exitCode, stdout } = await covey([name, "--help"], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Examples?:\\n  \\$ covey ${name}`, "m"));
    expect(stdout).toContain("--json");
  });

  it("refuses an unknown option in one sentence", async () => {
    expect(await covey([name, "--colour"], folder)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `covey ${name} has no option --colour. See covey ${name} --help.\n`,
    });
  });
});

describe("a wrong command line", () => {
  it("is told of an option without its value", async () => {
    const { exitCode, stderr } = await covey(["log", "--limit"], folder);
    expect([exitCode, stderr]).toEqual([2, "--limit needs a value: --limit <n>. See covey log --help.\n"]);
  });

  const noLeader = `No swarm runs from ${folder}/.covey; start one with covey sim or covey lead, or name its hosts with --url.`;
  it.each([
    ["staus", 2, "There is no verb staus; did you mean status? See covey --help."],
    ["help staus", 2, "There is no verb staus; did you mean status? See covey --help."],
    ["--wath", 2, "covey has no option --wath. See covey --help."],
    ["status --wath", 2, "covey status has no option --wath; did you mean --watch? See covey status --help."],
    ["status now", 2, "covey status takes nothing beside its options. See covey status --help."],
    ["set fan.duty", 2, "covey set needs its value: covey set <key> <value>. See covey set --help."],
    ["export --format xml", 2, '--format can\'t be "xml". It takes csv, json. See covey export --help.'],
    ["log --limit 0", 2, '--limit can\'t be "0". Write a whole number from 1 to 1000. See covey log --help.'],
    [
      "set a 1 --timeout 5",
      2,
      '--timeout can\'t be "5". Write a duration such as 500ms, 20s, 2m or 1h. See covey set --help.',
    ],
    ["status --url ftp://here", 2, "ftp://here is no address of a host; write it as http://127.0.0.1:7800."],
    ["export --from yesterday", 1, noLeader],
    ["status", 1, noLeader],
    ["get", 1, noLeader],
    [
      "lead nowhere.ts",
      2,
      `There is no ${folder}/nowhere.ts: name a swarm file, or make one with covey init.`,
    ],
    ["lead mistaken.ts", 2, mistakes.join("\n")],
    ["sim mistaken.ts", 2, mistakes.join("\n")],
  ] as const)("covey %s", async (words, exitCode, says) => {
    expect(await covey(words.split(" "), folder)).toEqual({ exitCode, stdout: "", stderr: `${says}\n` });

    const { exitCode: jsonExitCode, stdout, stderr } = await covey([...words.split(" "), "--json"], folder);
    expect(jsonExitCode).toBe(exitCode);
    expect(stderr).toBe("");
    expect(stdout.trimEnd()).not.toContain("\n");
    expect((JSON.parse(stdout) as { error: unknown }).error).toMatchObject({ message: says, exitCode });
  });

  it("lists the mistakes of a swarm file one by one with --json", async () => {
    const { stdout } = await covey(["sim", "mistaken.ts", "--json"], folder);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "wrong-input", problems: mistakes } });
  });

  it("names a port in use, and what to do", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    writeFileSync(
      join(folder, "house.ts"),
      'import { board, swarm } from "covey";\nexport default swarm("house", { boards: { door: board("esp32-devkit", { sense: [] }) } });\n',
    );
    giveIdentities(folder, "house", ["main"]);
    const words = ["lead", "house.ts", "--http-port", `${port}`, "--mqtt-port", "0", "--log-level", "error"];
    const { exitCode, stderr } = await covey(words, folder);
    server.close();
    expect(stderr).toBe(
      `Port ${port} for HTTP is in use by another program; stop that program or choose another port with --http-port (0 takes any free one).\n`,
    );
    expect(exitCode).toBe(1);
  });

  it("says at another address that no host is there", async () => {
    const port = await reservedPort();
    const { exitCode, stderr } = await covey(["status", "--url", `http://127.0.0.1:${port}`], folder);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `The host at http://127.0.0.1:${port} cannot be reached (ECONNREFUSED); see whether it still runs.\n`,
    );
  });
});

describe("covey", () => {
  it("lists its verbs when it is given none", async () => {
    const { exitCode, stdout } = await covey([], folder);
    expect(exitCode).toBe(0);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  it("asks for a newer Node in one sentence, under one that cannot read TypeScript", () => {
    const older =
      'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.19.0" })';
    const bin = join(import.meta.dirname, "../../../host-tools/cli/bin.js");
    const { status, stderr } = spawnSync(process.execPath, ["--import", older, bin, "status"], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^covey needs Node 22\.18 or newer and this is 20\.19\.0: .+\.\n$/);
  });

  it("keeps what a swarm file prints out of --json", async () => {
    writeFileSync(join(folder, "chatty.ts"), 'console.log("hello");\nexport default 1;\n');
    const { stdout, stderr } = await covey(["lead", "chatty.ts", "--json"], folder);
    expect(JSON.parse(stdout)).toHaveProperty("error");
    expect(stderr).toBe("hello\n");
  });
});
