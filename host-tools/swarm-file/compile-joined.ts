/** Checks and compiles joins, correlations and groups. */
import {
  isOfTwo,
  type JoinedUse,
  type JoinOperation,
  joinedLimits,
  joinOperations,
} from "../../protocols/pipeline/joined-use.ts";
import { isProgramName } from "../../protocols/pipeline/program-codec.ts";
import { compileDuration } from "./compile-duration.ts";
import type { CompiledModel } from "./compile-model.ts";
import { statisticNamed, statisticNames, unitOf } from "./compile-window.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, isRecord, programNameRule, shown } from "./given.ts";
import type { ModelPart } from "./parts.ts";
import { pace, type Source, waitsFor } from "./source.ts";
import { list, suggestion } from "./suggestion.ts";

/** One for each group, else one; none where a mistake leaves nothing to compile. */
export function compileJoined(
  part: ModelPart,
  sources: readonly Source[],
  diagnostics: Diagnostics,
): CompiledModel[] {
  return new JoinedCompilation(part, sources, diagnostics).run();
}

/** So many numbers an accumulator holds; of a percentile more. */
const accumulatorNumbers = 5;
const percentileNumbers = 11;
const groupsMax = 8;

class JoinedCompilation {
  readonly #part: ModelPart;
  readonly #sources: readonly Source[];
  readonly #diagnostics: Diagnostics;
  /** As far as they are there. */
  readonly #joined: readonly Source[];

  constructor(part: ModelPart, sources: readonly Source[], diagnostics: Diagnostics) {
    this.#part = part;
    this.#sources = sources;
    this.#diagnostics = diagnostics;
    const { joins } = part.given;
    const named: readonly unknown[] = Array.isArray(joins) ? joins : [];
    this.#joined = named.flatMap((metric) => this.#source(metric) ?? []);
    this.#checkCount(named);
  }

  run(): CompiledModel[] {
    const { type, metric } = this.#part;
    if (type === "group") return this.#groups();
    this.#checkName(metric);
    const features = this.#joined.map((source) => source.metric);
    const use = { metric, features, waits: waitsFor(features, this.#sources), withinMs: this.#within() };
    return [type === "join" ? this.#join(use) : this.#correlation(use)];
  }

  #join(use: Omit<JoinedUse & { kind: "join" }, "kind" | "operation">): CompiledModel {
    const given = this.#part.given.operation;
    const operation = joinOperations.find((each) => each === given);
    if (operation === undefined) {
      this.#wrong([String(given)], `${shown(given)} is no way to join${suggestion(given, joinOperations)}`);
    }
    const unit = operation === undefined ? "" : this.#unit(operation);
    const compiled = { kind: "join", ...use, operation: operation ?? "sum" } as const;
    return this.#compiled(compiled, unit, 2 * use.features.length, pace(use.features, this.#sources));
  }

  #correlation(use: Omit<JoinedUse & { kind: "correlation" }, "kind" | "rows" | "every">): CompiledModel {
    const { rows, every = 1 } = this.#part.given;
    const { rowsMin, rowsMax } = joinedLimits;
    const isCount = isNumberWithin(rows, rowsMin, rowsMax) && Number.isInteger(rows);
    if (!isCount)
      this.#wrong(["rows"], `rows must be a whole number from ${rowsMin} to ${rowsMax}, not ${shown(rows)}.`);
    const count = isCount ? rows : rowsMin;
    const isHop = isNumberWithin(every, 1, count) && Number.isInteger(every);
    if (isCount && !isHop)
      this.#wrong(["every"], `every must be a whole number from 1 to ${count}, not ${shown(every)}.`);
    const hop = isHop ? every : 1;
    const { everyMs, isSteady } = pace(use.features, this.#sources);
    const compiled = { kind: "correlation", ...use, rows: count, every: hop } as const;
    return this.#compiled(compiled, "", 2 * count + 2 * use.features.length + 3, {
      everyMs: hop * everyMs,
      isSteady,
    });
  }

  #groups(): CompiledModel[] {
    const { given, metric: name, site } = this.#part;
    const found = statisticNamed(given.statistic);
    if (found === undefined)
      this.#wrong(["stat"], `${shown(given.statistic)} is no statistic; use ${statisticNames}.`);
    const lengthMs = compileDuration(given.window, 1, "window", site, this.#diagnostics);
    const { statistic, percent } = found ?? { statistic: "mean", percent: 0 };
    const groups = isRecord(given.groups) ? Object.entries(given.groups) : [];
    if (groups.length === 0 || groups.length > groupsMax) {
      this.#wrong(
        ["groups"],
        `groups must be 1 to ${groupsMax} names and their numbers: { closed: 0, open: 1 }.`,
      );
    }
    const unit = unitOf(statistic, this.#joined[0]?.unit ?? "");
    const features = this.#joined.map(({ metric }) => metric);
    const numbers =
      (statistic === "percentile" ? percentileNumbers : accumulatorNumbers) + 1 + features.length;
    return groups.map(([group, value]) => {
      const { groupMax } = joinedLimits;
      if (!isNumberWithin(value, 0, groupMax) || !Number.isInteger(value)) {
        this.#wrong(
          ["groups", group],
          `a group is a whole number from 0 to ${groupMax}, not ${shown(value)}.`,
        );
      }
      const metric = `${name}.${group}`;
      this.#checkName(metric);
      // What it is grouped by is a state: it need not come anew.
      const use = {
        kind: "group",
        metric,
        features,
        waits: 1,
        group: value as number,
        lengthMs,
        statistic,
        percent,
      } as const;
      return this.#compiled(use, unit, numbers, { everyMs: lengthMs, isSteady: false });
    });
  }

  #compiled(
    use: JoinedUse,
    unit: string,
    numbers: number,
    pace: Pick<Source, "everyMs" | "isSteady">,
  ): CompiledModel {
    return { use, unit, stateBytes: 8 * numbers, deployed: undefined, ...pace };
  }

  /** What the operation makes of the units; notes those that it can't take. */
  #unit(operation: JoinOperation): string {
    const units = this.#joined.map(({ unit }) => unit);
    const [first = "", second = first] = units;
    switch (operation) {
      case "dew-point":
      case "heat-index":
        this.#checkAir(operation, units);
        return "°C";
      case "absolute-humidity":
        this.#checkAir(operation, units);
        return "g/m³";
      case "vapour-deficit":
        this.#checkAir(operation, units);
        return "kPa";
      case "product":
        if (units.length === 2 && [first, second].sort().join() === "A,V") return "W";
        return units.filter((unit) => unit !== "").join("·");
      case "ratio":
        if (first === second) return "";
        return second === "" ? first : `${first || "1"}/${second}`;
      default: {
        const other = this.#joined.find(({ unit }) => unit !== first);
        if (other !== undefined) {
          this.#wrong(
            [other.metric],
            `a ${operation} is of values in one unit, and ${shown(other.metric)} is in ${other.unit || "no unit"}, not in ${first || "none"}; convert it.`,
          );
        }
        return first;
      }
    }
  }

  #checkAir(operation: JoinOperation, units: readonly string[]): void {
    if (units.length !== 2 || (units[0] === "°C" && units[1] === "%")) return;
    this.#wrong(
      ["join"],
      `${shown(operation)} takes a temperature in °C and a relative humidity in %, in this order, not ${list(units)}.`,
    );
  }

  #within(): number {
    const { site, given } = this.#part;
    if (given.within !== undefined)
      return compileDuration(given.within, 1, "within", site, this.#diagnostics);
    const unsteady = this.#joined.find(({ isSteady }) => !isSteady);
    if (unsteady !== undefined) {
      this.#wrong(
        [unsteady.metric],
        `${shown(unsteady.metric)} comes at no steady rate, so say how old it may be: within.`,
      );
    }
    return Math.max(1, ...this.#joined.map(({ everyMs }) => everyMs));
  }

  #source(metric: unknown): Source | undefined {
    const found = this.#sources.find((source) => source.metric === metric);
    if (found !== undefined) return found;
    const known = this.#sources.map((source) => source.metric);
    this.#wrong([String(metric)], `the board has no metric ${shown(metric)}${suggestion(metric, known)}`);
    return undefined;
  }

  #checkCount(named: readonly unknown[]): void {
    const { type, given } = this.#part;
    const operation = joinOperations.find((each) => each === given.operation);
    const { featuresMax } = joinedLimits;
    const isMany = type === "join" && operation !== undefined && !isOfTwo(operation);
    const what = type === "join" ? `${shown(given.operation)} joins` : `a ${type} takes`;
    if (isMany ? named.length >= 2 && named.length <= featuresMax : named.length === 2) return;
    if (type === "join" && operation === undefined) return;
    this.#wrong(
      [type === "group" ? "groupBy" : type],
      `${what} ${isMany ? `2 to ${featuresMax}` : "two"} metrics, not ${named.length}.`,
    );
  }

  #checkName(metric: unknown): void {
    if (typeof metric === "string" && isProgramName(metric)) return;
    this.#wrong([String(metric)], `${shown(metric)} cannot name a metric: ${programNameRule}.`);
  }

  #wrong(path: readonly string[], text: string): void {
    this.#diagnostics.add(this.#part.site, path, text);
  }
}
