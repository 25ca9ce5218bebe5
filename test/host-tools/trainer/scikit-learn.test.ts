/** Dumps that scikit-learn 1.2.1 wrote (`dumps/make.py`): what is imported says what scikit-learn said. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DumpError } from "../../../host-tools/trainer/scikit-learn/dump.ts";
import { importDump } from "../../../host-tools/trainer/scikit-learn/import.ts";
import { readModel } from "../../../protocols/model/codec.ts";

const dumps = join(import.meta.dirname, "dumps");
const folder = mkdtempSync(join(tmpdir(), "covey-dump-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of which a network of 8-bit integers may say otherwise than scikit-learn's of doubles; no other kind may. */
const offMax: Readonly<Record<string, number>> = { "iris-mlp.json": 1, "iris-mlp-unscaled.json": 2 };

describe("every row's prediction is scikit-learn's", () => {
  const names = readdirSync(dumps).filter((name) => name.endsWith(".json"));

  test("of every kind that can be imported", () => {
    const kinds = names.map((name) => readModel(importDump(join(dumps, name)).file.bytes).kind);
    expect(new Set(kinds)).toEqual(
      new Set(["forest", "boosted", "logistic", "network", "bayes", "clusters"]),
    );
  });

  test.each(names)("%s", (name) => {
    const { rows, agreeing, file } = importDump(join(dumps, name));
    expect(rows).toBeGreaterThan(140);
    expect(rows - agreeing).toBeLessThanOrEqual(offMax[name] ?? 0);
    expect(file.note).toMatch(/^scikit-learn /);
  });
});

describe("a dump that is none is told by what is wrong with it", () => {
  const good = JSON.parse(readFileSync(join(dumps, "iris-tree.json"), "utf8"));
  const changed = (change: (dump: typeof good) => void) => {
    const dump = structuredClone(good);
    change(dump);
    const path = join(folder, "dump.json");
    writeFileSync(path, JSON.stringify(dump));
    return path;
  };

  test.each<[string, (dump: typeof good) => void, RegExp]>([
    [
      "of something else",
      (dump) => {
        dump.format = "other";
      },
      /no dump of covey_dump\.py/,
    ],
    [
      "of an estimator that is not known",
      (dump) => {
        dump.estimator = "SVC";
      },
      /a SVC cannot be imported; what can: /,
    ],
    [
      "without rows",
      (dump) => {
        dump.rows = [];
      },
      /"rows" must be some of the data/,
    ],
    [
      "with a row too short",
      (dump) => {
        dump.rows[3] = [1];
      },
      /"rows" must be 4 numbers, not \[1\]/,
    ],
    [
      "with a prediction too few",
      (dump) => {
        dump.predictions.pop();
      },
      /"predictions" must be 150 numbers/,
    ],
    [
      "with a tree that goes in circles",
      (dump) => {
        dump.trees[0].left[2] = 0;
        dump.trees[0].right[2] = 0;
      },
      /"trees" must be trees/,
    ],
    [
      "with a feature that there is not",
      (dump) => {
        dump.trees[0].feature[0] = 9;
      },
      /"feature" must be below 4/,
    ],
    [
      "with columns of several lengths",
      (dump) => {
        dump.trees[0].right.pop();
      },
      /must be 1 rows of/,
    ],
    [
      "with no features",
      (dump) => {
        dump.features = [];
      },
      /"features" must be a list of 1 to 64 texts/,
    ],
  ])("%s", (_, change, sentence) => {
    const path = changed(change);
    expect(() => importDump(path)).toThrow(DumpError);
    expect(() => importDump(path)).toThrow(sentence);
  });

  test("not even JSON, or not there", () => {
    const path = join(folder, "text.json");
    writeFileSync(path, "{");
    expect(() => importDump(path)).toThrow(/it is no JSON/);
    expect(() => importDump(join(folder, "none.json"))).toThrow(/there is no such file/);
  });
});
