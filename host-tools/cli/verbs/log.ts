/** `covey log`: the replicated log, newest entries last. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { LogEntry } from "../../leader/api/types/log.ts";
import { WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { wholeNumber } from "../option-values.ts";
import { query, SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface LogOptions extends SwarmOptions {
  readonly from?: number;
  readonly limit: number;
  readonly follow?: boolean;
}

/** The most that the leader gives at once. */
const limitMax = 1000;

export const log: Verb<LogOptions> = {
  usage: "log",
  summary: "list the entries of the replicated log",
  examples: ["covey log --limit 5", "covey log --from 1 --json", "covey log --follow"],
  options: [
    new Option("--from <index>", "the first entry to show; the newest are shown otherwise").argParser(
      wholeNumber(1),
    ),
    new Option("--limit <n>", "how many").argParser(wholeNumber(1, limitMax)).default(20),
    new Option("--follow", "go on with entries as they come, until Ctrl-C").conflicts("json"),
    ...swarmOptions(),
  ],
  async run(terminal, options) {
    const swarm = SwarmClient.find(options);
    if (options.follow && terminal.json) {
      throw new WrongInput("--follow never ends and --json prints one value; use one of them.");
    }
    const { from, limit } = options;
    let entries = await swarm.get<LogEntry[]>(`/api/log${query({ from, limit })}`);
    if (options.follow !== true) {
      for (const entry of entries) terminal.line(entryLine(entry, terminal));
      if (entries.length === 0 && !terminal.json) terminal.note(`The log has no entry ${from} yet.`);
      terminal.result(entries);
      return 0;
    }
    const signal = untilInterrupted();
    let next = from ?? 1;
    while (!signal.aborted) {
      // An entry that is not committed may still be replaced: it is shown when it is.
      for (const entry of entries.filter(({ committed }) => committed)) {
        terminal.line(entryLine(entry, terminal));
        next = entry.index + 1;
      }
      await sleep(pollEveryMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted)
        entries = await swarm.get<LogEntry[]>(`/api/log${query({ from: next, limit: limitMax })}`);
    }
    return 0;
  },
};

const pollEveryMs = 300;

function entryLine({ index, term, kind, text, committed }: LogEntry, terminal: Terminal): string {
  const place = `${String(index).padStart(6)}  term ${String(term).padEnd(3)}`;
  const line = `${terminal.style("dim", place)}  ${kind.padEnd(10)}  ${text}`.trimEnd();
  return committed ? line : `${line} ${terminal.style("yellow", "(not committed)")}`;
}
