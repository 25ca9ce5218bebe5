/**
 * The list of a box of boards, CSV with a header line. A board is a line; `name` must be there, the rest may.
 *
 * | column | |
 * | --- | --- |
 * | name | in the swarm |
 * | model | kind of board; what swarm.ts says if not said |
 * | mac | of the one piece of hardware that this is to be |
 * | port | where it is attached |
 * | scope | what it may, as for `covey keys issue` |
 * | wifi | JSON file with its network, from the list's folder; the command's own if not said |
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import type { Scope } from "../../protocols/security/identity/scope.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { CannotIssue } from "../keys/key-error.ts";
import { parseScope } from "../keys/scope-text.ts";
import { isName, nameRule } from "../swarm-file/given.ts";

export interface BoxRow {
  readonly name: string;
  readonly model: BoardDescription;
  /** As `24:0a:c4:12:34:56`. */
  readonly mac: string | undefined;
  readonly port: string | undefined;
  readonly scope: Scope | undefined;
  /** Absolute. */
  readonly wifiFile: string | undefined;
}

/** The list can't be used: a sentence for each line that is wrong. */
export class BoxListError extends Error {
  override readonly name = "BoxListError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * @param models by name
 * @param modelOf what swarm.ts says of a board
 * @throws {BoxListError}
 */
export function readBoxList(
  file: string,
  models: ReadonlyMap<string, BoardDescription>,
  modelOf: (name: string) => string | undefined,
): BoxRow[] {
  const records = recordsOf(file);
  const problems: string[] = [];
  const rows: BoxRow[] = [];
  const seen = new Map<string, number>();
  for (const { record, info } of records) {
    const wrong = (what: string) => void problems.push(`${file}:${info.lines}: ${what}`);
    const row = rowOf(record, dirname(file), models, modelOf, wrong);
    if (row === undefined) continue;
    const keys = [
      `the name ${row.name}`,
      row.mac && `the MAC ${row.mac}`,
      row.port && `the port ${row.port}`,
    ];
    for (const key of keys.filter((each) => each !== undefined)) {
      const before = seen.get(key);
      if (before !== undefined) wrong(`${key} is in line ${before} too.`);
      seen.set(key, info.lines);
    }
    rows.push(row);
  }
  if (problems.length > 0) throw new BoxListError(problems);
  if (rows.length === 0)
    throw new BoxListError([
      `${file} names no board; write a header line such as name,mac and a line for each board.`,
    ]);
  return rows;
}

/** As `24:0a:c4:12:34:56`; undefined for what is no MAC. */
export function macOf(text: string): string | undefined {
  const digits = text.replaceAll(/[:-]/g, "").toLowerCase();
  return /^[0-9a-f]{12}$/.test(digits) ? digits.match(/../g)!.join(":") : undefined;
}

const columns = ["name", "model", "mac", "port", "scope", "wifi"] as const;
type Column = (typeof columns)[number];
type Record_ = Partial<Record<Column, string>>;

function recordsOf(file: string): { record: Record_; info: { lines: number } }[] {
  const text = textOf(file);
  try {
    return parse(text, {
      ...{
        bom: true,
        trim: true,
        skip_empty_lines: true,
        comment: "#",
        comment_no_infix: true,
        info: true,
        relax_column_count_less: true,
      },
      columns: (names: string[]) => {
        const unknown = names.find((name) => !columns.includes(name as Column));
        if (unknown !== undefined || !names.includes("name"))
          throw new BoxListError([
            `${file}:1: the header must name the columns, of ${columns.join(", ")}, and name among them${unknown === undefined ? "" : `; "${unknown}" is none`}.`,
          ]);
        return names;
      },
    }) as unknown as { record: Record_; info: { lines: number } }[];
  } catch (error) {
    if (error instanceof BoxListError) throw error;
    if (error instanceof CsvError)
      throw new BoxListError([`${file} does not read as CSV: ${error.message}.`]);
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new BoxListError([
      `${file} can't be read (${(error as NodeJS.ErrnoException).code}); check --from.`,
    ]);
  }
}

function rowOf(
  { name = "", model, mac, port, scope, wifi }: Record_,
  folder: string,
  models: ReadonlyMap<string, BoardDescription>,
  modelOf: (name: string) => string | undefined,
  wrong: (what: string) => void,
): BoxRow | undefined {
  if (!isName(name)) return wrong(`${JSON.stringify(name)} cannot name a board: ${nameRule}.`) as undefined;
  const kind = model || modelOf(name);
  const description = kind === undefined ? undefined : models.get(kind);
  if (description === undefined) {
    return wrong(
      kind === undefined
        ? `${name} is no board of swarm.ts; say its kind in a column model.`
        : `"${kind}" is not a kind of board; covey boards lists them.`,
    ) as undefined;
  }
  const address = mac ? macOf(mac) : undefined;
  if (mac && address === undefined)
    return wrong(`"${mac}" is no MAC such as 24:0a:c4:12:34:56.`) as undefined;
  try {
    return {
      ...{ name, model: description, mac: address, port: port || undefined },
      scope: scope ? parseScope(scope) : undefined,
      wifiFile: wifi ? resolve(folder, wifi) : undefined,
    };
  } catch (error) {
    if (error instanceof CannotIssue) return wrong(error.message) as undefined;
    throw error;
  }
}
