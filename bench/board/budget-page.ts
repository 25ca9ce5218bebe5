/** The tables of docs/budget.md: written by `npm run bench:board -- --update`, read back as limits by the test. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CodeSize } from "./code-size.ts";
import type { BoardBudget, RamUse, WorkCost } from "./measure.ts";
import type { StepCost } from "./session-costs.ts";

/** How far above its committed figure a measured one may be: compilers differ a little. */
export const toleranceFactor = 1.05;

const page = fileURLToPath(new URL("../../docs/budget.md", import.meta.url));

const workColumns = [
  "workInstructions",
  "allocatedBytes",
  "chipInstructions",
  "collections",
  "calls",
] as const;

/** What is held against its limit; collections and calls are told, and show in the instructions. */
const limitedColumns = ["workInstructions", "allocatedBytes", "chipInstructions"] as const;

/** What the page has a table of. */
type BudgetTable = "work" | "ram" | "code" | "session" | "operators";

export function writeTables({ work, ram, code, session, operators }: Pick<BoardBudget, BudgetTable>): void {
  const workRows = work.map((cost) => row(cost.name, ...workColumns.map((column) => cost[column])));
  const ramRows = ram.map(({ name, amount, unit }) => `${row(name, amount)} ${unit} |`);
  const codeRows = code.map(({ name, bytes }) => row(name, bytes));
  let text = readFileSync(page, "utf8");
  text = replaceRows(text, "work", workRows);
  text = replaceRows(text, "ram", ramRows);
  text = replaceRows(text, "code", codeRows);
  text = replaceRows(text, "session", session.map(stepRow));
  text = replaceRows(text, "operators", operators.map(stepRow));
  writeFileSync(page, text);
}

/** What the page promises. @throws when a table cannot be read. */
export function readLimits(): Pick<BoardBudget, BudgetTable> {
  const text = readFileSync(page, "utf8");
  const work = readRows(text, "work").map(([name, ...figures]) => {
    const fields = workColumns.map((column, i) => [column, number(figures[i])]);
    return { name, ...Object.fromEntries(fields) } as WorkCost;
  });
  const ram = readRows(text, "ram").map(
    ([name, amount, unit]): RamUse => ({ name: name!, amount: number(amount), unit: unit as RamUse["unit"] }),
  );
  const code = readRows(text, "code").map(
    ([name, bytes]): CodeSize => ({ name: name!, bytes: number(bytes) }),
  );
  const session = readRows(text, "session").map(stepOf);
  const operators = readRows(text, "operators").map(stepOf);
  return { work, ram, code, session, operators };
}

/** One sentence for each figure above its limit, and for each that only one side has. */
export function excesses(
  measured: Pick<BoardBudget, BudgetTable>,
  limits: Pick<BoardBudget, BudgetTable>,
): string[] {
  const told: string[] = [];
  const compare = (name: string, what: string, figure: number, limit: number) => {
    if (!(figure <= limit * toleranceFactor)) {
      const over = ((figure / limit - 1) * 100).toFixed(1);
      told.push(`${name}: ${figure} ${what}, ${over} % above the ${limit} of docs/budget.md`);
    }
  };
  for (const [cost, limit] of pairs(measured.work, limits.work, told)) {
    for (const column of limitedColumns) compare(cost.name, column, cost[column], limit[column]);
  }
  for (const [use, limit] of pairs(measured.ram, limits.ram, told)) {
    compare(use.name, use.unit, use.amount, limit.amount);
  }
  for (const [size, limit] of pairs(measured.code, limits.code, told)) {
    compare(size.name, "bytes", size.bytes, limit.bytes);
  }
  const steps = [...pairs(measured.session, limits.session, told)];
  steps.push(...pairs(measured.operators, limits.operators, told));
  for (const [step, limit] of steps) {
    compare(step.name, "instructions", step.instructions, limit.instructions);
    compare(step.name, "allocatedBytes", step.allocatedBytes, limit.allocatedBytes);
  }
  return told;
}

function pairs<Row extends { readonly name: string }>(
  measured: readonly Row[],
  limits: readonly Row[],
  told: string[],
): [Row, Row][] {
  const found: [Row, Row][] = [];
  for (const row of measured) {
    const limit = limits.find(({ name }) => name === row.name);
    if (limit !== undefined) found.push([row, limit]);
    else told.push(`${row.name}: not in docs/budget.md`);
  }
  for (const { name } of limits) {
    if (!measured.some((row) => row.name === name)) told.push(`${name}: in docs/budget.md, not measured`);
  }
  return found;
}

const row = (name: string, ...figures: number[]) =>
  `| ${[name, ...figures.map((figure) => figure.toLocaleString("en-US"))].join(" | ")} |`;

const stepRow = (step: StepCost) => row(step.name, step.instructions, step.allocatedBytes);

const stepOf = ([name, instructions, allocatedBytes]: readonly string[]): StepCost => ({
  name: name!,
  instructions: number(instructions),
  allocatedBytes: number(allocatedBytes),
});

function number(cell: string | undefined): number {
  const value = Number((cell ?? "").replaceAll(",", ""));
  if (!(value >= 0) || cell === "") throw new Error(`docs/budget.md has "${cell}" where a figure was due.`);
  return value;
}

/** The rows of the table after `<!-- name: begin -->`, without its two head lines. */
function readRows(text: string, name: string): string[][] {
  const [begin, end] = bounds(text, name);
  const rows = text.slice(begin, end).trim().split("\n").slice(2);
  return rows.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function replaceRows(text: string, name: string, rows: readonly string[]): string {
  const [begin, end] = bounds(text, name);
  const head = text.slice(begin, end).trim().split("\n").slice(0, 2);
  return `${text.slice(0, begin)}\n${[...head, ...rows].join("\n")}\n${text.slice(end)}`;
}

function bounds(text: string, name: string): [number, number] {
  const opening = `<!-- ${name}: begin -->`;
  const begin = text.indexOf(opening);
  const end = text.indexOf(`<!-- ${name}: end -->`);
  if (begin < 0 || end < begin) throw new Error(`docs/budget.md has no table between ${name}'s markers.`);
  return [begin + opening.length, end];
}
