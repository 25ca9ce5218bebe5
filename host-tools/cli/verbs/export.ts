/** `covey export`: stored readings as CSV or JSON, streamed, so that their number does not matter. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Option } from "commander";
import { Failed, WrongInput } from "../failure.ts";
import { query, SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";

interface ExportOptions extends SwarmOptions {
  readonly board?: string;
  readonly metric?: string;
  readonly from?: string;
  readonly to?: string;
  readonly format?: "csv" | "json";
  readonly out?: string;
  readonly fromBoards?: boolean;
}

export const exportReadings: Verb<ExportOptions> = {
  usage: "export",
  summary: "write stored readings as CSV or JSON",
  details:
    "Columns: time (ISO 8601, UTC), board, metric, value (empty where the sensor gave nothing), unit, quality (0 good, 1 nothing, 2 out of range, 3 stuck, 4 late). --json is --format json, and with --out FILE says what was written.",
  examples: [
    "covey export --board north-1 --out north-1.csv",
    "covey export --metric temperature --from 2026-11-22T08:00:00Z --format json",
    "covey export --from-boards --out kept.csv",
  ],
  options: [
    new Option("--board <name>", "of this board only"),
    new Option("--metric <name>", "of this metric only"),
    new Option("--from <time>", "from this time on: ISO 8601 or Unix milliseconds"),
    new Option("--to <time>", "up to this time"),
    new Option(
      "--from-boards",
      "what boards keep (docs/keeping.md), one series after the other, whatever hosts have",
    ),
    new Option("--format <name>", "csv if not said").choices(["csv", "json"]),
    new Option("-o, --out <file>", "a file instead of stdout; replaced only when all has been written"),
    ...swarmOptions(),
  ],
  async run(terminal, options) {
    const { board, metric, out } = options;
    const format = options.format ?? (terminal.json && out === undefined ? "json" : "csv");
    if (terminal.json && out === undefined && format === "csv") {
      throw new WrongInput(
        "--json prints JSON; leave out --format csv, or write the CSV to a file with --out.",
      );
    }
    const swarm = SwarmClient.find(options);
    const from = timeParameter("from", options.from);
    const to = timeParameter("to", options.to);
    const path = options.fromBoards === true ? "/api/keep/readings" : "/api/readings";
    const csv = swarm.stream(`${path}${query({ format: "csv", board, metric, from, to })}`);
    const counted = new Counted();
    const { jsonArray } = await import("../readings-json.ts");
    const text = counted.lines(format === "csv" ? csv : jsonArray(csv));
    const readings = () => counted.lineCount - (format === "csv" ? 1 : 2);
    if (out === undefined) {
      const isWhole = await writeOut(text);
      if (isWhole && readings() === 0 && !terminal.json) terminal.note(nothingFound(options));
      return 0;
    }
    await writeWhole(resolve(out), text);
    if (readings() === 0 && !terminal.json) terminal.note(nothingFound(options));
    terminal.line(`${readings()} readings in ${out}`);
    terminal.result({ file: resolve(out), format, readings: readings() });
    return 0;
  },
};

/** A name that is mistyped must not look like a board that measured nothing. */
function nothingFound({ board, metric, from, to }: ExportOptions): string {
  const asked = Object.entries({ board, metric, from, to }).filter(([, value]) => value !== undefined);
  if (asked.length === 0) return "There are no readings yet.";
  const options = asked.map(([name, value]) => `--${name} ${value}`).join(" ");
  return `No reading matches ${options}; covey status shows what boards measure.`;
}

/** Passes text on and counts its lines: a CSV has a heading, a JSON array a line for each bracket. */
class Counted {
  lineCount = 0;

  async *lines(text: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const part of text) {
      for (let at = part.indexOf("\n"); at >= 0; at = part.indexOf("\n", at + 1)) this.lineCount += 1;
      yield part;
    }
  }
}

function timeParameter(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{11,}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new WrongInput(
    `--${name} takes a time such as 2026-11-22T08:00:00Z or Unix milliseconds, not "${text}".`,
  );
}

/** Whether all was written: a reader that has seen enough (`covey export | head`) closes the pipe, and that is no failure. */
async function writeOut(text: AsyncIterable<string>): Promise<boolean> {
  try {
    await pipeline(Readable.from(text), process.stdout, { end: false });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    return false;
  }
}

async function writeWhole(file: string, text: AsyncIterable<string>): Promise<void> {
  const unfinished = `${file}.part`;
  try {
    await pipeline(Readable.from(text), createWriteStream(unfinished));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof Failed) throw error;
    const why = code === "ENOENT" ? `there is no folder ${dirname(file)}` : message;
    throw new Failed(`${file} could not be written: ${why}.`);
  }
}
