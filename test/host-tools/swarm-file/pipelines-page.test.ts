/** docs/pipelines.md says of each word what it says in swarm.ts, and of each state what the compiler counts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectRoot } from "../../../host-tools/bundler/bundle.ts";
import {
  correlation,
  groupBy,
  join as joined,
  type StatisticName,
  sense,
} from "../../../host-tools/swarm-file/api.ts";
import { compileJoined } from "../../../host-tools/swarm-file/compile-joined.ts";
import { Diagnostics } from "../../../host-tools/swarm-file/diagnostics.ts";
import type { ModelPart } from "../../../host-tools/swarm-file/parts.ts";
import {
  boardStateBytesMax,
  pipelineStateBytesMax,
  stageStateBytes,
} from "../../../host-tools/swarm-file/state-bytes.ts";
import { joinOperations } from "../../../protocols/pipeline/joined-use.ts";
import { operators } from "../../../protocols/pipeline/operators.ts";
import { programLimits } from "../../../protocols/pipeline/program.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { exampleStages } from "../../firmware/sensing/stages/examples.ts";

const page = readFileSync(join(projectRoot, "docs/pipelines.md"), "utf8");
const rows = [...page.matchAll(/^\| `(\w+)\(([^`]*)\)` \|(?:[^|]*\|){3} ([^|]*) \|/gm)].filter(
  ([, , given]) => !given!.startsWith("name, "),
);

/** The words that make stages, and those of operators that have another name. */
const words = Object.entries(sense("temperature", { every: "1s" }))
  .filter(([word, value]) => typeof value === "function" && !["as", "report", "keep"].includes(word))
  .map(([word]) => word);
const wordOf: Partial<Record<Stage["op"], string>> = {
  polynomial: "calibrate",
  table: "calibrate",
  tumbling: "window",
  sliding: "window",
};

test("each word of a pipeline is in the table, and no other", () => {
  expect(new Set(rows.map(([, word]) => word))).toEqual(new Set(words));
});

test("each operator has a word", () => {
  for (const { op } of operators) expect(words).toContain(wordOf[op] ?? op);
});

describe("the state of a stage is what the table says", () => {
  test.each(exampleStages.map((stage) => [JSON.stringify(stage), stage] as const))("%s", (_, stage) => {
    const word = wordOf[stage.op] ?? stage.op;
    const row = rows.find(([, name, given]) => {
      if (name !== word) return false;
      if (stage.op === "tumbling") return given === "length";
      return stage.op !== "sliding" || given === (stage.by === "count" ? "n, { every }" : "time, { every }");
    });
    expect(stageStateBytes(stage)).toBe(bytesOf(row![3]!, stage));
  });
});

describe("what is derived", () => {
  const derived = [...page.matchAll(/^\| `(\w+)\(name, [^|]*\|(?:[^|]*\|){3} ([^|]*) \|/gm)];
  const rowOf = (text: string) =>
    page.split("\n").find((line) => line.includes("(name, ") && line.includes(text))!;

  test("is in the table: each way to join, and the other words", () => {
    for (const operation of joinOperations) expect(rowOf(`"${operation}"`)).toMatch(/^\| `join\(name/);
    expect(new Set(derived.map(([, word]) => word))).toEqual(new Set(["join", "correlation", "groupBy"]));
  });

  test("takes the state that the table says", () => {
    const sources = ["a", "b", "c"].map((metric, i) => {
      return { metric, unit: i < 2 ? "°C" : "%", everyMs: 1000, isSteady: true };
    });
    const stateOf = (part: ModelPart) =>
      compileJoined(part, sources, new Diagnostics("")).map((one) => one.stateBytes);
    expect(stateOf(joined("x", "mean", ["a", "b", "a"]))).toEqual([16 * 3]);
    expect(rowOf('"mean"')).toContain("| 16 n |");
    expect(stateOf(joined("x", "dew-point", ["a", "c"]))).toEqual([32]);
    expect(rowOf('"dew-point"')).toContain("| 32 |");
    expect(stateOf(correlation("x", ["a", "b"], { rows: 60 }))).toEqual([16 * 60 + 56]);
    expect(rowOf("correlation(")).toContain("| 16 rows + 56 |");
    const groups = (stat: StatisticName) =>
      stateOf(groupBy("x", { of: "a", by: "b", groups: { y: 0, z: 1 }, window: "1m", stat }));
    expect([...groups("mean"), ...groups("p95")]).toEqual([64, 64, 112, 112]);
    expect(rowOf("groupBy(")).toContain("| 64 each; percentile 112 |");
  });
});

test("the budget is what the compiler keeps to", () => {
  for (const limit of [pipelineStateBytesMax, boardStateBytesMax]) {
    expect(page).toContain(`${limit.toLocaleString("en")} bytes`);
  }
  expect(page).toContain(`at most ${programLimits.stagesMax} stages`);
  expect(page).toContain(`${programLimits.pipelinesMax} pipelines`);
});

/** `16 n + 16`, `72; percentile 120`, `8 n + 80; slope + 8 n; percentile 16 n + 40`. */
function bytesOf(text: string, stage: Stage): number {
  const [first, ...others] = text.split("; ");
  const statistic = "statistic" in stage ? stage.statistic : "model" in stage ? stage.model : "";
  const other = others
    .find((each) => each.startsWith(statistic) && statistic !== "")
    ?.slice(statistic.length);
  if (other?.startsWith(" + ")) return sum(first!, stage) + sum(other.slice(3), stage);
  return sum(other ?? first!, stage);
}

function sum(text: string, stage: Stage): number {
  let n = 0;
  if ("count" in stage) n = stage.count;
  else if ("samples" in stage) n = stage.samples;
  else if ("coefficients" in stage) n = stage.coefficients.length;
  return text
    .trim()
    .split(" + ")
    .map((term) => (term.endsWith(" n") ? n * Number.parseInt(term, 10) : Number(term)))
    .reduce((a, b) => a + b, 0);
}
