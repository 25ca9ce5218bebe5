/** `covey keep`: what boards keep of each other's readings, bringing it back, and accepting what is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { KeepAccepted, KeepRestored, KeepStatus } from "../../leader/api/types/keeping.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { keepLines, nothingKept, restoredText } from "../keep-lines.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface KeepOptions extends SwarmOptions {
  readonly board?: string;
  readonly metric?: string;
  readonly yes?: boolean;
}

export const keep: Verb<KeepOptions> = {
  usage: "keep [action] [host]",
  summary: "list what boards keep of each other's readings, or bring it back into the hosts",
  details:
    "Actions: list; restore (reads all that boards keep and puts it among the readings of every host that is connected; what is there already stays); accept-loss HOST (blocks that the host counts as lost, or on too few boards, are counted no more). Which readings are kept, and by whom, swarm.ts says: docs/keeping.md. Without a host's disk, covey export --from-boards reads the same.",
  examples: [
    "covey keep list",
    "covey keep restore",
    "covey keep restore --board north-1 --metric temperature",
    "covey keep accept-loss attic",
  ],
  options: [
    new Option("--board <name>", "of restore: readings of this board only"),
    new Option("--metric <name>", "of restore: readings of this metric only"),
    new Option("-y, --yes", "accept a loss without asking"),
    ...swarmOptions(),
  ],
  async run(terminal, options, args) {
    const [action = "list", host] = args as readonly (string | undefined)[];
    const swarm = SwarmClient.find(options);
    if (action === "list") {
      const status = await swarm.get<KeepStatus>("/api/keep");
      for (const line of keepLines(status)) terminal.line(line);
      terminal.result(status);
      return 0;
    }
    if (action === "accept-loss") return acceptLoss(terminal, swarm, host, options);
    if (action !== "restore") {
      throw new WrongInput(`There is no action ${action}; use list, restore or accept-loss.`);
    }
    return restore(terminal, swarm, options);
  },
};

const pollEveryMs = 300;
/** Hosts that are asked, one after the other, where leadership moves. */
const leadersMax = 5;

async function acceptLoss(
  terminal: Terminal,
  swarm: SwarmClient,
  host: string | undefined,
  { yes }: KeepOptions,
): Promise<number> {
  if (host === undefined) throw new WrongInput("Say which host counts them: covey keep accept-loss attic.");
  const { hosts } = await swarm.get<KeepStatus>("/api/keep");
  const counted = hosts.find((each) => each.host === host);
  if (yes !== true && counted !== undefined) {
    terminal.note(
      `${host} counts ${counted.lost} blocks that no board has, and ${counted.short} that are on fewer than they ought to be. None of them comes back by this; it only stops counting them.`,
    );
    if (!terminal.interactive) {
      throw new WrongInput(
        "covey keep accept-loss asks before it goes ahead; without a terminal, say --yes.",
      );
    }
    const isSure = await confirmed("Accept that?", new AbortController().signal);
    if (!isSure) throw new Failed("Nothing was changed; say y, or give --yes.", "not-confirmed");
  }
  const accepted = await swarm.post<KeepAccepted>("/api/keep/accept-loss", { host, acceptLoss: true });
  terminal.line(
    `${accepted.lost} lost blocks of ${host} and ${accepted.short} on too few boards are counted no more.`,
  );
  terminal.result(accepted);
  return 0;
}

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
  const ask = () => swarm.post<KeepRestored>("/api/keep/restore", { board, metric });
  let { number } = await ask();
  let leaders = 1;
  for (;;) {
    const { restored } = await swarm.get<KeepStatus>("/api/keep");
    if (restored?.number !== number) {
      if (leaders++ === leadersMax) {
        throw new Failed(
          "The leader changed several times, and not everything is restored; ask again.",
          "not-leader",
        );
      }
      // Another host leads by now. What is there already stays.
      ({ number } = await ask());
      continue;
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
