/** Checks and compiles one action. */
import { actionLimits, type OutputValue, type Requirement } from "../../protocols/two-phase-commit/action.ts";
import { compileDuration } from "./compile-duration.ts";
import { outputValue, valueRule } from "./compile-output.ts";
import type { ActionDefinition, BoardDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, isPart, isRecord, shown } from "./given.ts";
import type { ActionPart, RequirementPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";

/** How old a required reading may be where that is not said. */
const defaultAgeMs = 10_000;

export function compileAction(
  name: string,
  part: ActionPart,
  boards: Readonly<Record<string, BoardDefinition>>,
  diagnostics: Diagnostics,
): ActionDefinition {
  const wrong = (path: readonly string[], text: string) => diagnostics.add(part.site, path, text);
  const { set, require = [], for: held, safety } = part.given;
  const chosen = compileBoards(part, boards, wrong);
  const definition = {
    boards: chosen,
    set: compileSet(name, set, wrong),
    require: compileRequirements(require, wrong, diagnostics),
    forMs: held === undefined ? 0 : compileDuration(held, 1, "for", part.site, diagnostics),
    safetyMs: safety === undefined ? 0 : compileDuration(safety, 1_000, "safety", part.site, diagnostics),
  };
  // Those that are named must be able to; of the others, at least one.
  const problems = Object.entries(boards).map(
    ([board, each]) => [board, boardProblem(definition, board, each)] as const,
  );
  for (const [board, problem] of problems) {
    if (problem !== undefined && chosen?.includes(board)) wrong(["boards", board], problem);
  }
  const isPossible = problems.some(([, problem]) => problem === undefined);
  if (chosen === undefined && !isPossible) {
    wrong(["set"], `no board can do "${name}": ${problems[0]?.[1] ?? "there is none."}`);
  }
  return definition;
}

/** Why a board can't take part, one sentence; undefined when it can. */
export function boardProblem(
  { set, require }: Pick<ActionDefinition, "set" | "require">,
  name: string,
  { program, units }: Pick<BoardDefinition, "program" | "units">,
): string | undefined {
  const names = program.outputs.map((each) => each.name);
  for (const { output, value } of set) {
    const found = program.outputs.find((each) => each.name === output);
    if (found === undefined) return `${name} has no output ${shown(output)}${suggestion(output, names)}`;
    const isValue = outputValue(found.kind, value) !== undefined;
    if (!isValue) return `"${output}" of ${name} must be set to ${valueRule(found.kind)}, not ${value}.`;
  }
  const metrics = Object.keys(units);
  const missing = require.find(({ metric }) => !metrics.includes(metric))?.metric;
  if (missing === undefined) return undefined;
  return `${name} has no metric ${shown(missing)}${suggestion(missing, metrics)}`;
}

type Wrong = (path: readonly string[], text: string) => void;

function compileBoards(
  { given }: ActionPart,
  boards: Readonly<Record<string, BoardDefinition>>,
  wrong: Wrong,
): string[] | undefined {
  if (given.boards === undefined) return undefined;
  if (!Array.isArray(given.boards) || given.boards.length === 0) {
    wrong(["boards"], "boards must be a list of names of boards.");
    return undefined;
  }
  const known = Object.keys(boards);
  for (const board of given.boards as unknown[]) {
    if (known.includes(board as string)) continue;
    wrong(
      ["boards", String(board)],
      `${shown(board)} is not a board of this swarm${suggestion(board, known)}`,
    );
  }
  return known.filter((board) => given.boards!.includes(board));
}

function compileSet(name: string, given: unknown, wrong: Wrong): OutputValue[] {
  const entries = Object.entries(isRecord(given) ? given : {});
  const { outputsMax } = actionLimits;
  if (entries.length === 0 || entries.length > outputsMax) {
    wrong(["set"], `"${name}" must set 1 to ${outputsMax} outputs; write set: { valve: true }.`);
  }
  return entries.slice(0, outputsMax).map(([output, value]) => {
    const isValue = typeof value === "boolean" || isNumberWithin(value, 0, 100);
    if (!isValue) {
      const what = "true, false or a duty cycle in %";
      wrong(["set", output], `"${output}" must be set to ${what}, not ${shown(value)}.`);
    }
    return { output, value: isValue ? Number(value) : 0 };
  });
}

function compileRequirements(given: unknown, wrong: Wrong, diagnostics: Diagnostics): Requirement[] {
  const { requirementsMax } = actionLimits;
  const areParts = Array.isArray(given) && given.every((one) => isPart<RequirementPart>(one, "requirement"));
  if (!areParts || given.length > requirementsMax) {
    const example = '[metric("pressure").between(1, 3)]';
    wrong(["require"], `require must be a list of at most ${requirementsMax}; write ${example}.`);
    return [];
  }
  return (given as RequirementPart[]).map(({ site, metric, min, max, within }) => {
    const isRange =
      isNumberWithin(min, -Number.MAX_VALUE, Number.MAX_VALUE) && isNumberWithin(max, min, Number.MAX_VALUE);
    if (!isRange) {
      diagnostics.add(site, [metric], `${shown(metric)} must be between two numbers, the lower one first.`);
    }
    const maxAgeMs =
      within === undefined ? defaultAgeMs : compileDuration(within, 1, "within", site, diagnostics);
    return { metric, min: isRange ? min : 0, max: isRange ? max : 0, maxAgeMs };
  });
}
