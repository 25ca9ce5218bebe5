/** `covey alerts`: what fires and what did, saying that one has seen it, and whether webhooks work. */
import { Option } from "commander";
import type { AlertStatus, AlertsAnswer, AlertTested } from "../../leader/api/types/alerts.ts";
import { alertLines } from "../alert-lines.ts";
import { Failed, WrongInput } from "../failure.ts";
import { printable } from "../live-view/table.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface AlertsOptions extends SwarmOptions {
  readonly board?: string;
}

export const alerts: Verb<AlertsOptions> = {
  usage: "alerts [action] [name]",
  summary: "list what fires, say that you have seen it, test the webhooks",
  details:
    "Actions: list (if none is said), ack NAME (on the board that --board names, or on all), test (tells each webhook a notice that is no alert).",
  examples: ["covey alerts", "covey alerts ack too-hot --board north-1", "covey alerts test"],
  options: [new Option("--board <name>", "with ack: only on this board"), ...swarmOptions()],
  async run(terminal, options, [action = "list", name]) {
    if (action !== "list" && action !== "ack" && action !== "test") {
      throw new WrongInput(`There is no action ${action}; use list, ack or test.`);
    }
    const swarm = SwarmClient.find(options);
    if (action === "ack") return acknowledge(terminal, swarm, name, options.board);
    if (action === "test") return test(terminal, swarm);
    const now = await swarm.get<AlertsAnswer>("/api/alerts");
    for (const line of alertLines(now, terminal)) terminal.line(line);
    terminal.result(now);
    return 0;
  },
};

async function acknowledge(
  terminal: Terminal,
  swarm: SwarmClient,
  alert: string | undefined,
  board: string | undefined,
): Promise<number> {
  if (alert === undefined) throw new WrongInput("Say which alert you have seen: covey alerts ack too-hot.");
  const acknowledged = await swarm.post<AlertStatus[]>("/api/alerts/acknowledge", { alert, board });
  for (const one of acknowledged) {
    terminal.line(printable(`${one.alert} on ${one.board} was seen by ${one.acknowledgedBy}.`));
  }
  terminal.result(acknowledged);
  return 0;
}

async function test(terminal: Terminal, swarm: SwarmClient): Promise<number> {
  terminal.progress("Telling the webhooks");
  const tested = await swarm.post<AlertTested[]>("/api/alerts/test", {});
  terminal.endProgress();
  if (tested.length === 0) {
    throw new Failed("This swarm has no webhooks; swarm.ts names them: webhooks: [...].", "not-found");
  }
  for (const { place, problem } of tested) {
    terminal.line(
      printable(problem === undefined ? `${place} took it.` : `${place} did not take it: ${problem}.`),
    );
  }
  terminal.result(tested);
  return tested.every(({ problem }) => problem === undefined) ? 0 : 1;
}
