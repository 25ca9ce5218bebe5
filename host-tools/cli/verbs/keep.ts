/** `covey keep`: what boards keep of each other's readings, and bringing it back. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { KeepRestored, KeepStatus } from "../../leader/api/types/keeping.ts";
import { Failed, WrongInput } from "../failure.ts";
import { keepLines, nothingKept, restoredText } from "../keep-lines.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface KeepOptions extends SwarmOptions {
  readonly board?: string;
  readonly metric?: string;
}

export const keep: Verb<KeepOptions> = {
  usage: "keep [action]",
  summary: "list what boards keep of each other's readings, or bring it back into the hosts",
  details:
    "Actions: list; restore (reads all that boards keep and puts it among the readings of every host that is connected; what is there already stays). Which readings are kept, and by whom, swarm.ts says: docs/keeping.md. Without a host's disk, covey export --from-boards reads the same.",
  examples: [
    "covey keep list",
    "covey keep restore",
    "covey keep restore --board north-1 --metric temperature",
  ],
  options: [
    new Option("--board <name>", "of restore: readings of this board only"),
    new Option("--metric <name>", "of restore: readings of this metric only"),
    ...swarmOptions(),
  ],
  async run(terminal, options, [action = "list"]) {
    const swarm = SwarmClient.find(options);
    if (action === "list") {
      const status = await swarm.get<KeepStatus>("/api/keep");
      for (const line of keepLines(status)) terminal.line(line);
      terminal.result(status);
      return 0;
    }
    if (action !== "restore") throw new WrongInput(`There is no action ${action}; use list or restore.`);
    return restore(terminal, swarm, options);
  },
};

const pollEveryMs = 300;

function nobodyAnswered({ boards }: KeepStatus): Failed {
  if (boards.length === 0) return new Failed(nothingKept, "not-found");
  return new Failed(
    "No board that keeps readings answered; covey keep list shows which are connected.",
    "timeout",
  );
}

async function restore(
  terminal: Terminal,
  swarm: SwarmClient,
  { board, metric }: KeepOptions,
): Promise<number> {
  const { number } = await swarm.post<KeepRestored>("/api/keep/restore", { board, metric });
  for (;;) {
    const { restored } = await swarm.get<KeepStatus>("/api/keep");
    if (restored?.number !== number) {
      throw new Failed("Another host leads by now and has not restored everything; ask again.", "not-leader");
    }
    if (restored.state === "failed") throw new Failed(`Not all was restored: ${restored.reason}.`);
    if (restored.state === "done") {
      terminal.endProgress();
      if (restored.boards.length === 0) {
        throw nobodyAnswered(await swarm.get<KeepStatus>("/api/keep"));
      }
      terminal.line(restoredText(restored));
      terminal.result(restored);
      return 0;
    }
    terminal.progress(`${restored.seriesDone} of ${restored.series} series, ${restored.blocks} blocks`);
    await sleep(pollEveryMs);
  }
}
