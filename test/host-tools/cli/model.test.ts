/** `covey model` as a user runs it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataFile } from "../trainer/data.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-model-"));
afterAll(() => rmSync(folder, { recursive: true }));
const covey = join(import.meta.dirname, "../../../host-tools/cli/bin.js");
const out = join(folder, "iris.cvm");
const iris = dataFile("iris");

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [covey, "model", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("train, then eval and info", { timeout: 120_000 }, () => {
  test("tell what the model is worth and what it costs", () => {
    const trained = run("train", iris, "--target", "class", "--kind", "tree", "--out", out, "--json");
    expect(trained.stderr).toBe("");
    const result = JSON.parse(trained.stdout);
    expect(result).toMatchObject({ kind: "tree", classes: ["setosa", "versicolor", "virginica"] });
    expect(result.heldOut.accuracy).toBeGreaterThan(0.9);
    expect(result.folds.accuracies).toHaveLength(5);
    expect(result.instructions).toBeGreaterThan(10_000);
    expect(typeof result.isMeasured).toBe("boolean");

    const judged = run("eval", out, iris, "--target", "class");
    expect(judged.status).toBe(0);
    expect(judged.stdout).toMatch(/class +rows +precision +recall +F1\nsetosa +50 +1\.000/);
    expect(judged.stdout).toMatch(/\d\d\.\d % right of 150 rows/);

    const info = run("info", out);
    expect(info.stdout).toMatch(
      /classes: 0 setosa, 1 versicolor, 2 virginica\n\d+ bytes, one value of the log/,
    );
    expect(info.stdout).toMatch(/instructions an inference \((counted on rv32imac|an estimate)/);
  });
});

test("a file of three rows has three folds, and no figure that is none", { timeout: 60_000 }, () => {
  const few = join(folder, "few.csv");
  writeFileSync(few, "state,a\nx,1\ny,2\nx,1\n");
  const { status, stdout } = run(
    "train",
    few,
    "--target",
    "state",
    "--kind",
    "tree",
    "--out",
    join(folder, "few.cvm"),
    "--json",
  );
  expect(status).toBe(0);
  const { accuracies, mean } = JSON.parse(stdout).folds;
  expect(accuracies).toHaveLength(3);
  expect(mean).toBeLessThanOrEqual(1);
});

test("import tells on how many rows the model and scikit-learn agree", { timeout: 60_000 }, () => {
  const dump = join(import.meta.dirname, "../trainer/dumps/iris-forest.json");
  const { status, stdout } = run("import", dump, "--out", join(folder, "imported.cvm"));
  expect(status).toBe(0);
  expect(stdout).toContain("It says what scikit-learn says of 150 of the dump's 150 rows.");
});

describe("a mistake is one sentence", { timeout: 120_000 }, () => {
  test.each<[string, string[], RegExp]>([
    [
      "an action that there is not",
      ["tran", iris],
      /^There is no action tran; use train, eval, info or import\.\n$/,
    ],
    ["no place for the model", ["train", iris, "--target", "class"], /^Say where the model goes/],
    [
      "no target",
      ["train", iris, "--out", out],
      /^Say which column a forest is to tell: --target COLUMN\.\n$/,
    ],
    [
      "a target that there is not",
      ["train", iris, "--target", "clas", "--out", out],
      /:1: there is no column "clas"; did you mean "class"\?\n$/,
    ],
    ["a file too many", ["info", out, iris], /takes one file/],
    ["no model", ["info", iris], /^.*iris\.csv: it holds no model/],
    [
      "a kind that there is not",
      ["train", iris, "--kind", "svm"],
      /^--kind can't be "svm"\. It takes tree, forest/,
    ],
  ])("%s", (_, args, sentence) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(sentence);
  });
});
