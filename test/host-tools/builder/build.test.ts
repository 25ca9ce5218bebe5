/** `covey build`, with and without something in the SDK's place; on-lin/prove.ts runs the SDK itself (docs/sdk.md). */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { covey, scratchFolder } from "../cli/covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);

const environment: NodeJS.ProcessEnv = { ...process.env };
for (const name of ["MODDABLE", "IDF_PATH"]) delete environment[name];

const swarmFile = (sense: string) => `import { board, sense, swarm } from "covey";
export default swarm("house", {
  voters: ["hall"],
  boards: { hall: board("xiao-esp32c3", { sense: [${sense}] }) },
});
`;

beforeAll(() => {
  writeFileSync(join(folder, "swarm.ts"), swarmFile('sense("temperature", { every: "1s" })'));
});

const build = (words: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  covey(["build", ...words], folder, { ...environment, ...more });

describe("without the SDK", () => {
  it("builds all but the last step and says what to install", async () => {
    const { exitCode, stdout } = await build(["--board", "hall"]);
    expect(exitCode).toBe(0);
    for (const step of ["types", "bundle", "frozen", "bytecode", "budget", "project"])
      expect(stdout).toMatch(new RegExp(`^${step} `, "m"));
    expect(stdout).toContain(
      "git clone --depth 1 --branch 8.2.3 https://github.com/Moddable-OpenSource/moddable",
    );
    expect(stdout).toContain("install.sh esp32c3");
  }, 120_000);

  it("has written what the SDK builds from, and nothing of who the board will be", () => {
    const made = join(folder, "build/boards/xiao-esp32c3");
    const { config } = JSON.parse(readFileSync(join(made, "manifest.json"), "utf8"));
    expect(config).toEqual({ model: "xiao-esp32c3", arenaBytes: 94_208 });
    expect(readFileSync(join(made, "partitions.csv"), "utf8")).toContain("ota_1, app, ota_1, 0x1d0000");
    expect(readdirSync(made)).not.toContain("wifi.json");
  });

  it("gives one JSON value, for a kind of board as for a board of the swarm", async () => {
    const { exitCode, stdout } = await build(["--board", "esp32-devkit", "--json"]);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ model: "esp32-devkit", platform: "chip" });
    expect(report.image).toBeUndefined();
    expect(report.missing.map(({ what }: { what: string }) => what)).toEqual([
      "Moddable SDK 8.2.3",
      "ESP-IDF 6.0",
    ]);
    expect(report.measurement.changeable).toEqual([]);
  }, 120_000);

  it.each([
    [
      ["--board", "hal"],
      '"hal" is neither a board of the swarm house nor a kind of board; did you mean "hall"?',
    ],
    [
      ["--board", "hall", "--tls"],
      "hall votes, and a board that votes has no memory left for TLS beside its connections to every host; leave --tls out.",
    ],
    [
      ["--board", "hall", "--hosts", "main=192.0.2.7"],
      "covey build has no option --hosts. See covey build --help.",
    ],
    [[], "Say which board: covey build --board NAME, one of swarm.ts or of covey boards."],
  ])("says in a sentence what is wrong with %j", async (words, sentence) => {
    expect(await build(words)).toEqual({ exitCode: 2, stdout: "", stderr: `${sentence}\n` });
  });

  it("tells a type error with file and line", async () => {
    const file = join(folder, "typed.ts");
    writeFileSync(file, `${swarmFile("")}export const lamp: number = "on";\n`);
    const { exitCode, stderr } = await build([file, "--board", "hall"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${file}:6: Type 'string' is not assignable to type 'number'.`);
  });
});

describe("with tools in the SDK's place", () => {
  const sdk = join(folder, "sdk");
  const tools = join(sdk, `build/bin/${process.platform === "darwin" ? "mac" : "lin"}/release`);

  /** What `mcconfig` is for a test: says its words, and does what the shell lines say, `$OUT` being the output folder. */
  function mcconfig(...lines: readonly string[]): void {
    mkdirSync(tools, { recursive: true });
    mkdirSync(join(sdk, "modules"), { recursive: true });
    const script = [
      "#!/bin/sh",
      'for word; do [ "$last" = -o ] && OUT=$word; last=$word; done',
      'echo "words: $*" >"$OUT/words"',
      ...lines,
    ];
    writeFileSync(join(tools, "mcconfig"), `${script.join("\n")}\n`);
    chmodSync(join(tools, "mcconfig"), 0o755);
  }

  const make =
    "mkdir -p $OUT/bin/lin/mc/release/xiao-esp32c3 && printf image >$OUT/bin/lin/mc/release/xiao-esp32c3/mc.so";
  const words = ["--board", "hall", "--platform", "lin"];

  it("builds the image, and never deploys", async () => {
    mcconfig("echo '# cc one.c.o'", make);
    const { exitCode, stdout, stderr } = await build(words, { MODDABLE: sdk });
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^image .*mc\.so, 5 bytes$/m)]);
    expect(stderr).toContain("Moddable SDK: cc, file 1");
    expect(readFileSync(join(folder, "build/boards/xiao-esp32c3/sdk/words"), "utf8")).toMatch(
      /-m -p lin -t build -o/,
    );
  }, 60_000);

  it("shows the tools' first complaint and where the rest is", async () => {
    mcconfig("echo noise", "echo 'main.js:3: error: no such module' >&2", "exit 1");
    const { exitCode, stderr } = await build(words, { MODDABLE: sdk });
    expect(exitCode).toBe(1);
    const log = join(folder, "build/boards/xiao-esp32c3/sdk/sdk.log");
    expect(stderr).toContain(
      `The Moddable SDK's build failed: main.js:3: error: no such module (all that it said is in ${log}).`,
    );
    expect(stderr).not.toContain("noise");
    expect(readFileSync(log, "utf8")).toContain("noise");
  }, 60_000);

  it("fails on a warning of the linker, which costs every board memory", async () => {
    mcconfig("echo '### warning: table: not frozen'", make);
    const { exitCode, stderr } = await build(words, { MODDABLE: sdk });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("### warning: table: not frozen")]);
  }, 60_000);

  it("does not take an earlier build's image for its own", async () => {
    mcconfig("true");
    const { exitCode, stderr } = await build(words, { MODDABLE: sdk });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("it made no image")]);
  }, 60_000);

  it("says how to build the tools where they are not built", async () => {
    mkdirSync(join(folder, "unbuilt/modules"), { recursive: true });
    const { exitCode, stdout } = await build(words, { MODDABLE: join(folder, "unbuilt") });
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining(`make -C ${folder}/unbuilt/build/makefiles/`),
    ]);
    expect(existsSync(join(folder, "unbuilt/build"))).toBe(false);
  }, 60_000);
});
