/**
 * A host as a process of its own: what `covey sim` starts.
 *
 * Prints one line of JSON on stdout when it serves, logs on stderr, ends on SIGTERM or SIGINT, and, with `--parent`, when its
 * stdin closes: a parent that dies by SIGKILL leaves no host behind.
 */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { readMemberFile } from "../security/member-file.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import type { ReachOptions } from "./access/reach.ts";
import { readWebhookSecret } from "./alerts/webhook-secret.ts";
import { type RunningHost, startHost } from "./host.ts";
import { memberPath } from "./host-directory.ts";
import { parsePeers } from "./hosts/peer-addresses.ts";
import { createLog, type LogLevel, logLevels } from "./log.ts";
import { announcedOn } from "./mdns.ts";

/** The line on stdout. */
export interface ReadyLine {
  readonly ready: true;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly peerPort: number;
  readonly pid: number;
}

interface Options {
  readonly definition: string;
  readonly member: string | undefined;
  readonly state: string;
  readonly name: string;
  readonly peers: string;
  readonly peerPort: number;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly listen: string | undefined;
  readonly publicName: readonly string[] | undefined;
  readonly requireLogin: boolean | undefined;
  readonly mqttPlain: boolean | undefined;
  readonly mdnsInterface: readonly string[] | undefined;
  readonly keepDays: number | undefined;
  readonly keepReadings: number | undefined;
  readonly logLevel: LogLevel;
  readonly parent: boolean | undefined;
}

const command = new Command("host")
  .description("Runs one host of a swarm.")
  .requiredOption("--definition <file>", "the compiled swarm, as JSON")
  .requiredOption("--state <folder>", "where this swarm's state is kept")
  .requiredOption("--name <name>", "which of the swarm's hosts this is")
  .option("--member <file>", "the host's identity; if not said, member.json in its folder")
  .option("--peers <hosts>", "where other hosts listen for this one: b=127.0.0.1:7901,c=...", "")
  .option("--peer-port <port>", "for the other hosts; 0 takes any free one", parsePort, 7900)
  .option("--mqtt-port <port>", "for the boards; 0 takes any free one", parsePort, 7883)
  .option("--http-port <port>", "for the page and the other verbs; 0 takes any free one", parsePort, 7800)
  .option("--listen <address>", "listen there, with TLS and a login, not on this computer alone")
  .option("--public-name <names...>", "further names of this host")
  .option("--require-login", "ask who is there on this computer too")
  .option("--mdns-interface <names...>", "tell boards there by mDNS where this host is")
  .option("--mqtt-plain", "no TLS towards the boards")
  .option("--keep-days <days>", "how long readings are kept", parsePositive)
  .option("--keep-readings <count>", "how many readings of each metric are kept", parsePositive)
  .addOption(
    new Option("--log-level <level>", "least important line to log").choices(logLevels).default("info"),
  )
  .option("--parent", "end when stdin closes");

await main(command.parse().opts());

async function main(options: Options): Promise<void> {
  // A parent that died reads no more; stopping cleanly matters more than telling it so.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const log = createLog(options.logLevel, (line) => process.stderr.write(line));
  let host: RunningHost | undefined;
  let isStopping = false;
  const stop = async (exitCode: number) => {
    if (isStopping) return;
    isStopping = true;
    await host?.stop();
    process.exit(exitCode);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(0));
  if (options.parent) process.stdin.resume().on("close", () => stop(0));
  try {
    host = await startHost({
      definition: readDefinition(options.definition),
      member: readMemberFile(options.member ?? memberPath(options.state, options.name)),
      stateDir: options.state,
      hostName: options.name,
      peers: peersOf(options),
      peerPort: options.peerPort,
      mqttPort: options.mqttPort,
      httpPort: options.httpPort,
      reach: reachOf(options),
      mdns: announcedOn(options.listen, options.mdnsInterface),
      webhookSecret: readWebhookSecret(options.state, process.env),
      retention: retentionOf(options),
      log,
      onFailure: (error) => {
        log.error("host-failed", { reason: error.message });
        stop(1);
      },
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  if (isStopping) await host.stop().then(() => process.exit(0));
  const ready: ReadyLine = {
    ready: true,
    mqttPort: host.mqttPort,
    httpPort: host.httpPort,
    peerPort: host.peerPort,
    pid: process.pid,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

function readDefinition(file: string): SwarmDefinition {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as SwarmDefinition;
  } catch (error) {
    throw new Error(`The swarm's definition ${file} could not be read: ${(error as Error).message}.`);
  }
}

function peersOf({ peers }: Options): ReturnType<typeof parsePeers> & {} {
  const parsed = parsePeers(peers);
  if (parsed === undefined) throw new Error(`--peers takes b=127.0.0.1:7901,c=...; ${peers} is not that.`);
  return parsed;
}

function reachOf({ listen, publicName, requireLogin, mqttPlain }: Options): ReachOptions {
  return { listen, publicNames: publicName, requireLogin, mqttPlain };
}

function retentionOf({ keepDays, keepReadings }: Options) {
  return {
    ...(keepDays === undefined ? {} : { ageMaxMs: keepDays * 24 * 3_600_000 }),
    ...(keepReadings === undefined ? {} : { readingsPerSeriesMax: keepReadings }),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}

function parsePositive(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}
