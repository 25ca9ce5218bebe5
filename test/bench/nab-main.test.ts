import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NabResult } from "../../bench/nab/result.ts";

const main = join(import.meta.dirname, "../../bench/nab/main.ts");
let folder: string;

/** 1,000 rows in 5-minute steps from midnight of 1 April 2014; rows 600 to 649 are an anomaly if `spikes`. */
function series(spikes: boolean): string {
  const lines = ["timestamp,value"];
  for (let row = 0; row < 1_000; row++) {
    const value = 20 + Math.sin(row) + (spikes && row === 605 ? 15 : 0);
    lines.push(`${timestamp(row)},${value}`);
  }
  return `${lines.join("\n")}\n`;
}

const timestamp = (row: number) =>
  new Date(Date.UTC(2014, 3, 1) + row * 300_000).toISOString().slice(0, 19).replace("T", " ");

const run = (...flags: string[]) => spawnSync(process.execPath, [main, ...flags], { encoding: "utf8" });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nab-"));
  mkdirSync(join(folder, "data/made"), { recursive: true });
  writeFileSync(join(folder, "data/made/spike.csv"), series(true));
  writeFileSync(join(folder, "data/made/quiet.csv"), series(false));
  const window = [`${timestamp(600)}.000000`, `${timestamp(649)}.000000`];
  writeFileSync(
    join(folder, "windows.json"),
    JSON.stringify({ "made/spike.csv": [window], "made/quiet.csv": [] }),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("scores a folder, writes each row's score, and says how much of the benchmark that is", () => {
  const scores = join(folder, "scores");
  const flags = ["--data", join(folder, "data"), "--windows", join(folder, "windows.json")];
  const json = run(...flags, "--scores", scores, "--json");
  expect(json.stderr).toBe("");
  const result = JSON.parse(json.stdout) as NabResult;
  expect(result.covers).toEqual({ files: 2, ofFiles: 58, windows: 1, ofWindows: 116, rows: 2_000 });
  expect(result.profiles.standard).toMatchObject({ windowsFound: 1, falsePositives: 0 });
  expect(result.profiles.standard.score).toBeGreaterThan(95);

  const rows = readFileSync(join(scores, "made/spike.csv"), "utf8").trim().split("\n");
  expect(rows[0]).toBe("timestamp,value,anomaly_score");
  expect(rows).toHaveLength(1_001);
  const [at, , score] = rows[606]!.split(",");
  expect(at).toBe(timestamp(605));
  expect(Number(score)).toBeGreaterThan(0.5);

  expect(run(...flags).stdout).toMatch(/Covey, on the board .*<- 2 of the 58 files/);
});

test.each([
  ["flags that are missing", [], /--data and --windows are needed/],
  ["a flag that there is none of", ["--dat", "x"], /Unknown option '--dat'/],
  ["a folder that there is none of", ["--data", "/nowhere", "--windows", "windows.json"], /can't be read/],
])("ends with 2 for %s, and says so", (_, flags, says) => {
  const { status, stderr } = run(...flags);
  expect(status).toBe(2);
  expect(stderr).toMatch(says);
});

test("ends with 2 for a window that no row begins, and says which", () => {
  const windows = join(folder, "off.json");
  writeFileSync(
    windows,
    JSON.stringify({
      "made/spike.csv": [["2014-04-01 00:01:00", "2014-04-01 00:05:00"]],
      "made/quiet.csv": [],
    }),
  );
  const { status, stderr } = run("--data", join(folder, "data"), "--windows", windows);
  expect(status).toBe(2);
  expect(stderr).toContain("made/spike.csv: no row is at 2014-04-01 00:01:00");
});
