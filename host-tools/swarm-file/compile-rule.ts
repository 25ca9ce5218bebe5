/** Checks and compiles one rule. */
import type { Condition, Output, Proposal, Rule } from "../../protocols/pipeline/program.ts";
import { compileDuration } from "./compile-duration.ts";
import { outputValue, valueRule } from "./compile-output.ts";
import type { Agreed, RegisterDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, shown } from "./given.ts";
import type { ConditionPart, ProposalPart, RulePart } from "./parts.ts";
import { registerValueProblem } from "./register-value.ts";
import { suggestion } from "./suggestion.ts";

/** What a rule may speak of. */
export interface RuleSurroundings {
  /** The board's metrics and their units. */
  readonly metrics: Readonly<Record<string, string>>;
  /** False when a pipeline names no known sensor: then a missing metric may be that mistake again. */
  readonly metricsKnown: boolean;
  readonly outputs: readonly Output[];
  /** Settings and registers. */
  readonly agreed: Agreed;
  readonly registers: Readonly<Record<string, RegisterDefinition>>;
  /** Tasks that boards hold. */
  readonly boardTasks: readonly string[];
  /** Tasks that hosts hold. */
  readonly hostTasks: readonly string[];
}

export function compileRule(part: RulePart, board: RuleSurroundings, diagnostics: Diagnostics): Rule {
  const condition = compileCondition(part, board, diagnostics);
  return { ...condition, output: part.output, value: compileEffect(part, board.outputs, diagnostics) };
}

export function compileProposal(
  part: ProposalPart,
  board: RuleSurroundings,
  diagnostics: Diagnostics,
): Proposal {
  const condition = compileCondition(part, board, diagnostics);
  const { register, value, effectSite } = part;
  const problem = proposalProblem(register, value, board);
  if (problem !== undefined) diagnostics.add(effectSite, [String(register), String(value)], problem);
  return { ...condition, register, value: value as Proposal["value"] };
}

function compileCondition(
  part: Omit<ConditionPart, "kind">,
  board: RuleSurroundings,
  diagnostics: Diagnostics,
): Condition {
  const { metric, when, threshold, hysteresis, as } = part;
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
  const condition = { metric, when, threshold, hysteresis: hysteresis as number, forMs };
  if (as === undefined) return condition;
  const problem = asProblem(as, board);
  if (problem !== undefined) diagnostics.add(part.conditionSite, ["as", String(as)], problem);
  return { ...condition, as };
}

/** Why the register can't have the value; undefined when it can. */
function proposalProblem(
  register: unknown,
  value: unknown,
  { registers, agreed }: RuleSurroundings,
): string | undefined {
  const known = Object.keys(registers);
  if (typeof register !== "string" || !Object.hasOwn(registers, register)) {
    if (Object.hasOwn(agreed, String(register))) {
      return `${shown(register)} is a setting, which hosts change; what boards propose is a register.`;
    }
    return `${shown(register)} is not a register${suggestion(register, known)}`;
  }
  const declared = registers[register]!;
  if (declared.type === "coordinator") {
    return `the boards choose ${shown(register)} themselves; take this proposal away.`;
  }
  const problem = registerValueProblem(declared, value);
  return problem === undefined ? undefined : `"${register}" takes ${problem}, not ${shown(value)}.`;
}

function asProblem(as: unknown, board: RuleSurroundings): string | undefined {
  const { registers, agreed, boardTasks, hostTasks } = board;
  const coordinators = Object.keys(registers).filter((name) => registers[name]!.type === "coordinator");
  if (boardTasks.includes(as as string)) {
    if (!Object.hasOwn(agreed, as as string)) return undefined;
    return `${shown(as)} names a task and ${Object.hasOwn(registers, as as string) ? "a register" : "a setting"}; give one of them another name.`;
  }
  if (coordinators.includes(as as string)) return undefined;
  if (hostTasks.includes(as as string)) {
    return `${shown(as)} is held by a host; a rule is a board's, so name a task that boards hold.`;
  }
  if (Object.hasOwn(registers, String(as))) {
    return `as names a task, or a register that names a board, such as register.coordinator(), and ${shown(as)} is a ${registers[String(as)]!.type}.`;
  }
  return `${shown(as)} is no register that names a board, and no task${suggestion(as, [...coordinators, ...boardTasks])}`;
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
  board: Pick<RuleSurroundings, "metrics" | "agreed">,
): string | undefined {
  const unit = board.metrics[metric]!;
  if (typeof threshold === "number") {
    return Number.isFinite(threshold) ? undefined : `a threshold must be finite, not ${threshold}.`;
  }
  const known = Object.keys(board.agreed);
  if (!known.includes(threshold))
    return `${shown(threshold)} is not a setting${suggestion(threshold, known)}`;
  const setting = board.agreed[threshold]!;
  if (setting.type !== "number") return `a threshold is a number, and "${threshold}" is a ${setting.type}.`;
  if (setting.unit === unit) return undefined;
  return `"${threshold}" is in ${setting.unit || "no unit"} and ${metric} in ${unit || "none"}; give the setting ${unit === "" ? "none" : `the unit ${unit}`}.`;
}
