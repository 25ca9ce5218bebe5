/**
 * Queries as people write them:
 *
 * ```
 * query      FUNCTION(METRIC) [by GROUP] over DURATION
 * FUNCTION   mean | min | max | count | sum | stddev | p1 ... p99
 * GROUP      board | model | all          all, if not said
 * DURATION   30s | 10m | 1.5h             1 s to 24 h
 * ```
 */
import { queryLimits } from "../../../protocols/query/messages.ts";
import { parseDuration } from "../../swarm-file/duration.ts";

export type QueryGroup = "board" | "model" | "all";

export interface Query {
  readonly function: string;
  /** Of `p95`: 0.95. */
  readonly share: number | undefined;
  readonly metric: string;
  readonly by: QueryGroup;
  readonly windowMs: number;
}

/** `text` is no query; the message says where, counted from 1, and what would be one. */
export class QueryMistake extends Error {
  override readonly name = "QueryMistake";
  /** From 1, in UTF-16 code units. */
  readonly position: number;

  constructor(position: number, problem: string) {
    super(`At character ${position}: ${problem}`);
    this.position = position;
  }
}

/** The longest text that is read. */
export const queryTextLengthMax = 256;

/** @throws {QueryMistake} */
export function parseQuery(text: string): Query {
  if (text.length > queryTextLengthMax) {
    throw new QueryMistake(queryTextLengthMax + 1, `a query has at most ${queryTextLengthMax} characters.`);
  }
  const words = new Words(text);
  const name = words.next("a function, such as mean(temperature)", functionForm);
  const share = shareOf(name.text);
  if (share === undefined && !plainFunctions.includes(name.text)) {
    throw new QueryMistake(
      name.position,
      `${shown(name.text)} is no function; use ${plainFunctions.join(", ")} or p1 to p99.`,
    );
  }
  words.next(`( and a metric after ${name.text}`, /\(/y);
  const metric = words.next("the name of a metric", /[a-z0-9.-]+/y);
  words.next(`) after ${metric.text}`, /\)/y);
  const by = groupOf(words);
  words.next(by === undefined ? "by or over" : "over", /over\b/y);
  const duration = words.next("a duration, such as 10m", /\S+/y);
  const windowMs = parseDuration(duration.text);
  if (windowMs === undefined) {
    throw new QueryMistake(
      duration.position,
      `${shown(duration.text)} is no duration; write it as 30s, 10m or 1h.`,
    );
  }
  if (windowMs < queryLimits.windowMsMin || windowMs > queryLimits.windowMsMax) {
    throw new QueryMistake(duration.position, `${duration.text} is not from 1s to 24h.`);
  }
  words.end();
  return {
    function: name.text,
    ...{ share, metric: metric.text },
    ...{ by: by ?? "all", windowMs },
  };
}

const plainFunctions: readonly string[] = ["mean", "min", "max", "count", "sum", "stddev"];
const functionForm = /[A-Za-z][A-Za-z0-9]*/y;

/** Of a percentile its share. */
function shareOf(name: string): number | undefined {
  const [, percent] = /^p([1-9]\d?)$/.exec(name) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

function groupOf(words: Words): QueryGroup | undefined {
  if (!words.take(/by\b/y)) return undefined;
  const group = words.next("board, model or all after by", /[^\s]+/y);
  if (group.text === "board" || group.text === "model" || group.text === "all") return group.text;
  throw new QueryMistake(group.position, `${shown(group.text)} is no group; use board, model or all.`);
}

class Words {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next word, which is to be of this form; spaces before it are passed over. */
  next(wanted: string, form: RegExp): { readonly text: string; readonly position: number } {
    this.#skip();
    const position = this.#at + 1;
    const text = this.#match(form);
    if (text !== undefined) return { text, position };
    const found = this.#at === this.#text.length ? "the query ends" : `${shown(this.#rest)} stands`;
    throw new QueryMistake(position, `${found} where ${wanted} is wanted.`);
  }

  /** Whether the next word is of this form; it is passed over if so. */
  take(form: RegExp): boolean {
    this.#skip();
    return this.#match(form) !== undefined;
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) {
      throw new QueryMistake(this.#at + 1, `${shown(this.#rest)} follows a whole query; take it away.`);
    }
  }

  get #rest(): string {
    return this.#text.slice(this.#at).split(/\s/, 1)[0]!;
  }

  #match(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skip(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 24 ? `${text.slice(0, 24)}...` : text);
}
