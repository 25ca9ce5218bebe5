/** Checks and compiles one rule. */
import type { Output, Rule } from "../../protocols/pipeline/program.ts";
import { compileDuration } from "./compile-duration.ts";
import { outputValue, valueRule } from "./compile-output.ts";
import type { SettingDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, shown } from "./given.ts";
import type { RulePart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

/** What a rule may speak of. */
export interface RuleSurroundings {
  /** The board's metrics and their units. */
  readonly metrics: Readonly<Record<string, string>>;
  /** False when a pipeline names no known sensor: then a missing metric may be that mistake again. */
  readonly metricsKnown: boolean;
  readonly outputs: readonly Output[];
  readonly settings: Readonly<Record<string, SettingDefinition>>;
}

export function compileRule(part: RulePart, board: RuleSurroundings, diagnostics: Diagnostics): Rule {
  const { metric, when, threshold, hysteresis, output } = part;
  const metrics = Object.keys(board.metrics);
  if (!metrics.includes(metric)) {
    if (board.metricsKnown) {
      const text = `the board has no metric ${shown(metric)}${suggestion(metric, metrics)}`;
      diagnostics.add(part.site, [String(metric)], text);
    }
  } else {
    const problem = thresholdProblem(part, board);
    if (problem !== undefined) diagnostics.add(part.conditionSite, [String(threshold)], problem);
  }
  if (!isNumberWithin(hysteresis, 0, Number.MAX_VALUE)) {
    diagnostics.add(
      part.conditionSite,
      ["hysteresis"],
      `hysteresis must be a number, 0 or more, not ${shown(hysteresis)}.`,
    );
  }
  const forMs =
    part.for === undefined ? 0 : compileDuration(part.for, 0, "for", part.conditionSite, diagnostics);
  const value = compileEffect(part, board.outputs, diagnostics);
  return { metric, when, threshold, hysteresis: hysteresis as number, forMs, output, value };
}

/** What a rule or a schedule sets its output to, as the board keeps it. */
export function compileEffect(
  part: Pick<RulePart, "effectSite" | "output" | "value">,
  outputs: readonly Output[],
  diagnostics: Diagnostics,
): number {
  const target = outputs.find(({ name }) => name === part.output);
  if (target === undefined) {
    const names = outputs.map(({ name }) => name);
    const text = `the board has no output ${shown(part.output)}${suggestion(part.output, names)}`;
    diagnostics.add(part.effectSite, [String(part.output)], text);
    return 0;
  }
  const value = outputValue(target.kind, part.value);
  if (value === undefined) {
    const text = `"${target.name}" must be set to ${valueRule(target.kind)}, not ${shown(part.value)}.`;
    diagnostics.add(part.effectSite, [String(part.value)], text);
  }
  return value ?? 0;
}

/** A rule compares plain numbers on the board, so that a setting must be in the metric's own unit. */
export function thresholdProblem(
  { metric, threshold }: Pick<RulePart, "metric" | "threshold">,
  board: Pick<RuleSurroundings, "metrics" | "settings">,
): string | undefined {
  const unit = board.metrics[metric]!;
  if (typeof threshold === "number") {
    return Number.isFinite(threshold) ? undefined : `a threshold must be finite, not ${threshold}.`;
  }
  const known = Object.keys(board.settings);
  if (!known.includes(threshold))
    return `${shown(threshold)} is not a setting${suggestion(threshold, known)}`;
  const setting = board.settings[threshold]!;
  if (setting.type !== "number") return `a threshold is a number, and "${threshold}" is a ${setting.type}.`;
  if (setting.unit === unit) return undefined;
  return `"${threshold}" is in ${setting.unit || "no unit"} and ${metric} in ${unit || "none"}; give the setting ${unit === "" ? "none" : `the unit ${unit}`}.`;
}
