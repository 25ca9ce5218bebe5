/** Checks and compiles what a host works out of what boards keep. */

import { isProgramName } from "../../protocols/pipeline/program-codec.ts";
import { queryLimits } from "../../protocols/query/messages.ts";
import { compileDuration } from "./compile-duration.ts";
import { areNames } from "./compile-place.ts";
import type { AggregateDefinition, BoardDefinition, TaskDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isRecord, shown } from "./given.ts";
import type { TaskPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

const functions = ["mean", "min", "max", "sum", "count", "stddev", "p50", "p90", "p95", "p99"];

/** Without its unit and, where all that keep the metric are meant, its boards: `joinAggregate`. */
export function compileAggregate(
  name: string,
  part: TaskPart,
  diagnostics: Diagnostics,
): AggregateDefinition {
  const wrong = (path: readonly string[], text: string) =>
    diagnostics.add(part.site, ["aggregate", ...path], text);
  const given = part.given.aggregate;
  if (!isRecord(given)) {
    wrong([], 'aggregate must be an object such as { of: "temperature", every: "1m", as: "mean" }.');
  }
  const { of, every = "1m", as, boards = [], ...others } = isRecord(given) ? given : {};
  const known = ["of", "every", "as", "boards"];
  for (const key of Object.keys(others)) {
    wrong([key], `aggregate has no ${shown(key)}${suggestion(key, known)}`);
  }
  if (!isProgramName(name))
    wrong([], `${shown(name)} cannot name what an aggregation tells; give the task another name.`);
  if (typeof of !== "string" || !isProgramName(of))
    wrong(["of"], `of is the name of a metric, not ${shown(of)}.`);
  const isFunction = typeof as === "string" && (functions.includes(as) || /^p[1-9]\d?$/.test(as));
  if (!isFunction) {
    wrong(["as"], `${shown(as)} is no function; use mean, min, max, sum, count, stddev or p1 to p99.`);
  }
  if (!areNames(boards)) wrong(["boards"], "boards must be a list of names.");
  const everyMs = compileDuration(every, queryLimits.windowMsMin, "every", part.site, diagnostics);
  if (everyMs > queryLimits.windowMsMax)
    wrong(["every"], `every is ${shown(every)}; it must be from 1s to 24h.`);
  const query = `${as}(${of}) over ${everyMs / 1_000}s`;
  return { metric: name, unit: "", query, everyMs, boards: areNames(boards) ? boards : [] };
}

/** What the boards say of it. */
export function joinAggregate(
  aggregate: AggregateDefinition,
  boards: Readonly<Record<string, BoardDefinition>>,
  wrong: (path: readonly string[], text: string) => void,
): Pick<TaskDefinition, "aggregate" | "units"> {
  const { query, everyMs, metric } = aggregate;
  const of = query.slice(query.indexOf("(") + 1, query.indexOf(")"));
  const keeping = Object.entries(boards).filter(([, { program }]) =>
    program.pipelines.some((one) => one.metric === of && (one.keepMs ?? 0) >= everyMs),
  );
  const names = keeping.map(([name]) => name);
  const missing = aggregate.boards.filter((name) => !names.includes(name));
  if (names.length === 0 || missing.length > 0) {
    const [first] = missing;
    const who = first === undefined ? "no board keeps" : `${first} does not keep`;
    const how = 'write sense(...).keep("1m") where it is sensed';
    wrong(["aggregate"], `${who} ${shown(of)} for ${everyMs / 1_000} s or longer; ${how}.`);
  }
  const unit = query.startsWith("count(") ? "" : (keeping[0]?.[1].units[of] ?? "");
  const chosen = aggregate.boards.length > 0 ? aggregate.boards : names;
  return { aggregate: { ...aggregate, unit, boards: chosen }, units: { [metric]: unit } };
}
