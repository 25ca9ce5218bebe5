/** The verbs that speak to a swarm, against a real host. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nothingKept } from "../../../host-tools/cli/keep-lines.ts";
import type { LogEntry } from "../../../host-tools/leader/api/types/log.ts";
import type { Setting } from "../../../host-tools/leader/api/types/settings.ts";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import { CoveyProcess, covey, scratchFolder } from "./covey-process.ts";
import { giveIdentities } from "./host-identities.ts";

const { folder, remove } = scratchFolder();
let leader: CoveyProcess;

beforeAll(async () => {
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, setting, swarm } from "covey";
export default swarm("house", {
  settings: {
    "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }),
    "lamp.on": setting.boolean({ initial: false }),
    note: setting.text({ initial: "", lengthMax: 8 }),
  },
  boards: { door: board("esp32-devkit", { sense: [] }) },
});
`,
  );
  giveIdentities(folder, "house", ["main"]);
  leader = new CoveyProcess(["lead", "--http-port", "0", "--mqtt-port", "0", "--json"], folder);
  expect(JSON.parse(await leader.firstLine())).toMatchObject({ swarm: "house", host: "main" });
}, 30_000);

afterAll(async () => {
  await leader.interrupt();
  remove();
});

async function json<T>(...words: string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await covey([...words, "--json"], folder);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

it("shows its status", async () => {
  const status = await json<Status>("status");
  expect(status).toMatchObject({ swarm: "house", leader: { role: "leader" }, boards: [{ id: "door" }] });
  const { stdout } = await covey(["status"], folder);
  expect(stdout).toMatch(/^house {2}1 board {2}http:\/\/127\.0\.0\.1:\d+$/m);
  expect(stdout).toMatch(/^door +unknown +down/m);
  expect(stdout).not.toContain("Ctrl-C");
});

it("sets and gets a setting", async () => {
  const { stdout, exitCode } = await covey(["set", "fan.duty", "40"], folder);
  expect(stdout).toMatch(/^fan\.duty = 40 % \(entry \d+, term \d+\)\n$/);
  expect(exitCode).toBe(0);
  expect((await covey(["get", "fan.duty"], folder)).stdout).toBe("40\n");
  expect(await json<Setting>("get", "fan.duty")).toMatchObject({ key: "fan.duty", value: 40, unit: "%" });
});

it("reads a value as the setting's own kind", async () => {
  expect(await json("set", "fan.duty", "35%")).toMatchObject({ value: 35 });
  expect(await json("set", "lamp.on", "on")).toMatchObject({ value: true });
  expect(await json("set", "note", "40")).toMatchObject({ value: "40" });
  expect((await covey(["get"], folder)).stdout).toMatch(/^note = "40" \(entry \d+\)$/m);
});

it("waits with --wait for the boards that are linked, of which there are none", async () => {
  expect(await json("set", "fan.duty", "36", "--wait")).toMatchObject({ value: 36, appliedOn: [] });
});

it.each([
  [["set", "fan.duty", "400"], 2, "fan.duty takes 0 to 100 %; 400 is too high."],
  [["set", "fan.duty", "-1"], 2, "fan.duty takes 0 to 100 %; -1 is too low."],
  [["set", "fan.duty", "much"], 2, 'fan.duty takes a number in %, not "much".'],
  [["set", "lamp.on", "1"], 2, 'lamp.on takes on or off (or true or false), not "1".'],
  [["get", "fan.dutty"], 2, "There is no setting fan.dutty; this swarm has fan.duty, lamp.on, note."],
  [["keep", "restore"], 1, nothingKept],
  [
    ["export", "--out", "nowhere/readings.csv"],
    1,
    `${join(folder, "nowhere/readings.csv")} could not be written: there is no folder ${join(folder, "nowhere")}.`,
  ],
  [
    ["export", "--from", "yesterday"],
    2,
    '--from takes a time such as 2026-11-22T08:00:00Z or Unix milliseconds, not "yesterday".',
  ],
  [
    ["export", "--json", "--format", "csv"],
    2,
    "--json prints JSON; leave out --format csv, or write the CSV to a file with --out.",
  ],
])("covey %j is refused", async (words, exitCode, says) => {
  const ended = await covey(words, folder);
  expect(ended.exitCode).toBe(exitCode);
  if (words.includes("--json")) expect(JSON.parse(ended.stdout)).toMatchObject({ error: { message: says } });
  else expect(ended).toMatchObject({ stdout: "", stderr: `${says}\n` });
});

it("lists the log", async () => {
  const entries = await json<LogEntry[]>("log", "--from", "1", "--limit", "1000");
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, i) => i + 1));
  expect(entries.map(({ text }) => text)).toContain("fan.duty = 40");
  const { stdout } = await covey(["log", "--limit", "2"], folder);
  expect(stdout.trimEnd().split("\n")).toHaveLength(2);
});

it("says of an entry that is still to come that it is", async () => {
  expect(await covey(["log", "--from", "100000"], folder)).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "The log has no entry 100000 yet.\n",
  });
});

it("follows the log", async () => {
  const following = new CoveyProcess(["log", "--follow"], folder);
  await following.firstLine();
  await covey(["set", "note", "followed"], folder);
  while (!following.stdout.includes("followed")) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await following.interrupt()).exitCode).toBe(0);
});

it("exports as CSV, as JSON, and to a file", async () => {
  expect((await covey(["export"], folder)).stdout).toBe("time,board,metric,value,unit,quality\n");
  expect(await json("export")).toEqual([]);
  const file = join(folder, "readings.csv");
  expect(await json("export", "--out", file)).toEqual({ file, format: "csv", readings: 0 });
  expect(readFileSync(file, "utf8")).toBe("time,board,metric,value,unit,quality\n");
});

it("says that nothing was found where a name may be mistyped", async () => {
  const { stderr } = await covey(["export", "--board", "nowhere", "--metric", "heat"], folder);
  expect(stderr).toBe(
    "No reading matches --board nowhere --metric heat; covey status shows what boards measure.\n",
  );
  expect((await covey(["export"], folder)).stderr).toBe("There are no readings yet.\n");
});

it("refuses a second process of the same host, and says who the first is", async () => {
  const { exitCode, stderr } = await covey(["lead", "--http-port", "0", "--mqtt-port", "0"], folder);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    new RegExp(
      `^Host main runs already \\(process ${leader.child.pid}, http://\\S+\\) and is using ${folder}/.covey/house/host-main; stop it first, .+\\n$`,
    ),
  );
});

it("ends with Ctrl-C, and is found no more", async () => {
  expect(await leader.interrupt()).toMatchObject({ exitCode: 0 });
  expect(leader.stdout.trimEnd()).not.toContain("\n");
  expect(existsSync(join(folder, ".covey/house/host-main/host.json"))).toBe(false);
  expect(await covey(["status"], folder)).toMatchObject({ exitCode: 1 });
});
