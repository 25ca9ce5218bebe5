/** `covey status`: the leader and its boards, once or live. */
import { Option } from "commander";
import type { Status } from "../../leader/api/types/status.ts";
import { untilInterrupted } from "../interruption.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";

interface StatusOptions extends SwarmOptions {
  readonly watch?: boolean;
}

export const status: Verb<StatusOptions> = {
  usage: "status",
  summary: "show the leader and every board",
  details:
    "Role, link, term, applied entry (of those committed, where a board is behind), heap, last readings and outputs.",
  examples: ["covey status", "covey status --watch", "covey status --json"],
  options: [new Option("--watch", "show it again each second, until Ctrl-C"), ...swarmOptions()],
  async run(terminal, options) {
    const swarm = SwarmClient.find(options);
    const { statusLines } = await import("../status-lines.ts");
    if (options.watch !== true || !terminal.interactive) {
      const now = await swarm.get<Status>("/api/status");
      for (const line of statusLines(now, swarm.url, terminal)) terminal.line(line);
      terminal.result(now);
      return 0;
    }
    await watch(untilInterrupted(), async () => {
      const now = await swarm.get<Status>("/api/status");
      terminal.repaint(statusLines(now, swarm.url, terminal));
    });
    // The shell goes on below the picture.
    terminal.line();
    return 0;
  },
};

const everyMs = 1000;

async function watch(signal: AbortSignal, show: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await show();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
