/** `GET /api/readings`: its parameters, and readings as CSV. */
import { stringify } from "csv-stringify/sync";
import { ApiFailure } from "../api/api-failure.ts";
import type { StoredReading } from "../api/types/readings.ts";
import { type ReadingQuery, telemetryLimits } from "./telemetry.ts";

export interface ReadingRequest {
  readonly query: ReadingQuery;
  /** The newest so many; undefined for all (CSV only). */
  readonly limit: number | undefined;
  readonly format: "json" | "csv";
}

/** JSON answers are one array, so they have a limit even when none is asked for. */
const jsonLimitDefault = 1_000;

/** @throws {ApiFailure} naming the parameter. */
export function parseReadingRequest(parameters: Readonly<Record<string, string>>): ReadingRequest {
  const format = parameters.format ?? "json";
  if (format !== "json" && format !== "csv") {
    throw new ApiFailure("bad-request", `format takes json or csv; ${format} is neither.`);
  }
  const limit = parseCount("limit", parameters.limit, telemetryLimits.newestReadingsMax);
  const query = {
    board: parameters.board || undefined,
    metric: parameters.metric || undefined,
    fromMs: parseTime("from", parameters.from),
    toMs: parseTime("to", parameters.to),
  };
  return { query, limit: limit ?? (format === "json" ? jsonLimitDefault : undefined), format };
}

/** A whole number from 1 to `max`, or undefined when absent. @throws {ApiFailure} */
export function parseCount(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined || text === "") return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= max) return count;
  throw new ApiFailure("bad-request", `${name} takes a whole number from 1 to ${max}; ${text} is not that.`);
}

/** CSV as it is streamed: a header line, then a page at a time. Times are ISO 8601 in UTC; a missing value is empty. */
export function* csvPages(pages: Iterable<readonly StoredReading[]>): Generator<string> {
  yield "time,board,metric,value,unit,quality\n";
  for (const page of pages) {
    yield stringify(
      page.map(({ atMs, board, metric, value, unit, quality }) => [
        new Date(atMs).toISOString(),
        board,
        metric,
        value,
        unit,
        quality,
      ]),
    );
  }
}

/** Unix milliseconds, or ISO 8601. */
function parseTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(ms) && ms >= 0 && ms <= dateMaxMs) return ms;
  throw new ApiFailure(
    "bad-request",
    `${name} takes Unix milliseconds or a time such as 2026-11-22T08:00:00Z; ${text} is neither.`,
  );
}

/** The last time that a Date can hold (ECMA-262, 21.4.1.1). */
const dateMaxMs = 8.64e15;
