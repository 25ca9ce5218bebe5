import fc from "fast-check";
import { expect, test } from "vitest";
import { parseQuery, QueryMistake } from "../../../../host-tools/leader/queries/query-text.ts";

test("a query is read whatever spaces are in it", () => {
  expect(parseQuery("mean(temperature) by board over 10m")).toEqual({
    function: "mean",
    share: undefined,
    metric: "temperature",
    by: "board",
    windowMs: 600_000,
  });
  expect(parseQuery("  p95 ( cpu.load )  over   1.5h ")).toEqual({
    function: "p95",
    share: 0.95,
    metric: "cpu.load",
    by: "all",
    windowMs: 5_400_000,
  });
});

test.each([
  ["", "At character 1: the query ends where a function, such as mean(temperature) is wanted."],
  [
    "avg(x) over 1m",
    'At character 1: "avg" is no function; use mean, min, max, count, sum, stddev or p1 to p99.',
  ],
  [
    "p100(x) over 1m",
    'At character 1: "p100" is no function; use mean, min, max, count, sum, stddev or p1 to p99.',
  ],
  [
    "mean temperature over 1m",
    'At character 6: "temperature" stands where ( and a metric after mean is wanted.',
  ],
  ["mean(Temp) over 1m", 'At character 6: "Temp)" stands where the name of a metric is wanted.'],
  ["mean(x over 1m", 'At character 8: "over" stands where ) after x is wanted.'],
  ["mean(x) per board over 1m", 'At character 9: "per" stands where by or over is wanted.'],
  ["mean(x) by room over 1m", 'At character 12: "room" is no group; use board, model or all.'],
  ["mean(x) by board", "At character 17: the query ends where over is wanted."],
  ["mean(x) over", "At character 13: the query ends where a duration, such as 10m is wanted."],
  ["mean(x) over 10 m", 'At character 14: "10" is no duration; write it as 30s, 10m or 1h.'],
  ["mean(x) over 25h", "At character 14: 25h is not from 1s to 24h."],
  ["mean(x) over 1m please", 'At character 17: "please" follows a whole query; take it away.'],
])("%j is told where it is wrong", (text, says) => {
  expect(() => parseQuery(text)).toThrow(says);
});

test("whatever is written, it is a query or a mistake within it", () => {
  const parts = fc.constantFrom(
    "mean",
    "p9",
    "(",
    ")",
    "x.y",
    " ",
    "by",
    "board",
    "over",
    "5m",
    "\n",
    "1e9h",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(parts).map((all) => all.join("")),
      ),
      (text) => {
        try {
          parseQuery(text);
        } catch (error) {
          expect(error).toBeInstanceOf(QueryMistake);
          expect((error as QueryMistake).position).toBeLessThanOrEqual(text.length + 1);
        }
      },
    ),
  );
});
