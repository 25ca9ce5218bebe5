import { expect, it } from "vitest";
import { queryLines } from "../../../host-tools/cli/query-lines.ts";
import type { QueryAnswer } from "../../../host-tools/leader/api/types/queries.ts";

const answer: QueryAnswer = {
  query: "mean(temperature) over 10m",
  function: "mean",
  metric: "temperature",
  by: "all",
  unit: "°C",
  windowMs: 600_000,
  rows: [{ group: "all", samples: 20, value: 21.5, error: 0 }],
  boards: 2,
  answered: 2,
  silent: [],
  coveredMs: [118_700, 119_400],
};
const terminal = { style: (_: unknown, text: string) => text };

it.each([
  [[118_700, 119_400], "the last 119 s"],
  [[60_000, 600_000], "the last 60 s to 10 min"],
] as const)("of the times that boards answer for, %j, it says %s", (coveredMs, reach) => {
  expect(queryLines({ ...answer, coveredMs }, terminal)).toEqual([
    "all  21.5 °C of 20 samples",
    `2 of 2 boards answered, ${reach}.`,
  ]);
});
