/** `covey lead`: a leader host in this process, for real boards. */
import { resolve } from "node:path";
import { Option } from "commander";
import type { RunningLeader, LeaderOptions as StartOptions } from "../../leader/leader.ts";
import { createLog, type LogLevel, logLevels } from "../../leader/log.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { port } from "../option-values.ts";
import type { Verb } from "../verb.ts";

interface LeadOptions {
  readonly host?: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly state: string;
  readonly logLevel: LogLevel;
}

export const lead: Verb<LeadOptions> = {
  usage: "lead [file]",
  summary: "run a leader host for real boards, until Ctrl-C",
  details:
    "Broker for the boards, replicated log, readings and the page, on this computer; what happens is logged on stderr. State is kept, so the next start goes on from there.",
  examples: ["covey lead", "covey lead greenhouse/swarm.ts --http-port 8080 --log-level warn"],
  options: [
    new Option("--host <name>", "which of the swarm's hosts this computer is; the first if not said"),
    new Option("--http-port <port>", "for the page and the other verbs; 0 takes any free one")
      .argParser(port)
      .default(7800),
    new Option("--mqtt-port <port>", "for the boards; 0 takes any free one").argParser(port).default(7883),
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
    new Option("--log-level <level>", "the least important line to log").choices(logLevels).default("info"),
  ],
  async run(terminal, options, [file]) {
    const { loadSwarm } = await import("../../swarm-file/load.ts");
    const definition = await loadSwarm(file);
    const hostName = options.host ?? definition.hosts[0]!;
    const end = Promise.withResolvers<Error | undefined>();
    untilInterrupted().addEventListener("abort", () => end.resolve(undefined));
    const leader = await start({
      definition,
      hostName,
      stateDir: resolve(options.state, definition.name),
      httpPort: options.httpPort,
      mqttPort: options.mqttPort,
      log: createLog(options.logLevel, (line) => terminal.note(line.trimEnd())),
      onFailure: end.resolve,
    });
    const { url, mqttPort, httpPort } = leader;
    terminal.line(
      `${definition.name}: ${hostName} serves ${url} and boards on port ${mqttPort}; Ctrl-C stops it.`,
    );
    terminal.result({ swarm: definition.name, host: hostName, url, httpPort, mqttPort, pid: process.pid });
    const failure = await end.promise;
    await leader.stop();
    if (failure !== undefined) throw new Failed(`The leader had to stop: ${failure.message}`);
    return 0;
  },
};

/** Refusals that are no fault of Covey's; each says itself what to do. */
const refusals = ["PortUnavailable", "StateDirectoryInUse", "LogUnusable", "NewerDatabase"];

async function start(options: StartOptions): Promise<RunningLeader> {
  const { startLeader } = await import("../../leader/leader.ts");
  try {
    return await startLeader(options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === "UnknownHost") throw new WrongInput(error.message);
    if (refusals.includes(error.name)) throw new Failed(error.message, "cannot-start");
    throw error;
  }
}
