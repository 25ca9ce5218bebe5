/** `covey lead`: a host of the swarm in this process, for real boards. */
import { resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { readWebhookSecret, WebhookSecretUnusable } from "../../leader/alerts/webhook-secret.ts";
import type { RunningHost, HostOptions as StartOptions } from "../../leader/host.ts";
import type { PeerAddress } from "../../leader/hosts/host-links.ts";
import { firstPorts, parsePeers, peersOf } from "../../leader/hosts/peer-addresses.ts";
import { createLog, type LogLevel, logLevels } from "../../leader/log.ts";
import { announcedOn, NoSuchInterface } from "../../leader/mdns.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { Failed, WrongInput } from "../failure.ts";
import { hostIdentity } from "../host-identity.ts";
import { untilInterrupted } from "../interruption.ts";
import { port } from "../option-values.ts";
import { type HostReachOptions, listenOptions, loginOptions, reachOf } from "../reach-options.ts";
import type { Verb } from "../verb.ts";
import { noteAdvice } from "../voter-advice-note.ts";

/** Which host this is and where it answers: for `lead` and `recover`. */
export interface HostPlaceOptions extends HostReachOptions {
  readonly name?: string;
  readonly member?: string;
  readonly peers?: ReadonlyMap<string, PeerAddress>;
  readonly httpPort?: number;
  readonly mqttPort?: number;
  readonly peerPort?: number;
  readonly state: string;
  readonly logLevel: LogLevel;
}

/** For `lead` and `recover`. */
export function hostPlaceOptions(): Option[] {
  return [
    new Option("--name <host>", "which of the swarm's hosts this computer is; the first if not said"),
    new Option(
      "--member <file>",
      "this host's identity, as covey keys issue wrote it; host-NAME/member.json in the swarm's state if not said",
    ),
    new Option(
      "--peers <hosts>",
      "where the other hosts listen: b=127.0.0.1:7901,c=...; at their usual ports on this computer if not said",
    ).argParser(peerList),
    new Option("--peer-port <port>", portText("for the other hosts", firstPorts.peer)).argParser(port),
    new Option("--http-port <port>", portText("for the page and the other verbs", firstPorts.http)).argParser(
      port,
    ),
    new Option("--mqtt-port <port>", portText("for the boards", firstPorts.mqtt)).argParser(port),
    ...listenOptions(),
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
    new Option("--log-level <level>", "the least important line to log").choices(logLevels).default("info"),
  ];
}

function portText(what: string, first: number): string {
  return `${what}; 0 takes any free one; ${first} for the first host, ${first + 1} for the second...`;
}

export const lead: Verb<HostPlaceOptions> = {
  usage: "lead [file]",
  summary: "run a host of the swarm for real boards, until Ctrl-C",
  details:
    "Broker for the boards, replicated log, readings and the page, on this computer, or with --listen for others too, who have to prove who they are; what happens is logged on stderr. One of the hosts leads; the others take over when it dies. State is kept, so the next start goes on from there.",
  examples: [
    "covey lead",
    "covey lead --name b --peers a=127.0.0.1:7900",
    "covey lead greenhouse/swarm.ts --http-port 8080 --log-level warn",
    "covey lead --listen 192.0.2.7",
  ],
  options: [...hostPlaceOptions(), ...loginOptions()],
  async run(terminal, options, [file]) {
    const { loadSwarm } = await import("../../swarm-file/load.ts");
    const definition = await loadSwarm(file);
    noteAdvice(terminal, definition);
    const end = Promise.withResolvers<Error | undefined>();
    untilInterrupted().addEventListener("abort", () => end.resolve(undefined));
    const place = placeOf(definition, options);
    const member = await hostIdentity(options.member, definition, place);
    const host = await start({
      ...place,
      definition,
      member,
      webhookSecret: webhookSecretOf(place.stateDir),
      log: createLog(options.logLevel, (line) => terminal.note(line.trimEnd())),
      onFailure: end.resolve,
    });
    const { url, mqttPort, httpPort, peerPort } = host;
    const { hostName } = place;
    const others = definition.hosts.length > 1 ? `, other hosts on ${peerPort}` : "";
    terminal.line(
      `${definition.name}: ${hostName} serves ${url} and boards on port ${mqttPort}${others}; Ctrl-C stops it.`,
    );
    const { name: swarm } = definition;
    terminal.result({ swarm, host: hostName, url, httpPort, mqttPort, peerPort, pid: process.pid });
    const failure = await end.promise;
    await host.stop();
    if (failure !== undefined) throw new Failed(`The host had to stop: ${failure.message}`);
    return 0;
  },
};

export type HostPlace = Pick<
  StartOptions,
  "hostName" | "mdns" | "peers" | "stateDir" | "httpPort" | "mqttPort" | "peerPort" | "reach"
>;

/** What the options say, and what goes without saying. @throws {WrongInput} */
export function placeOf(definition: SwarmDefinition, options: HostPlaceOptions): HostPlace {
  const { hosts, name: swarm } = definition;
  const hostName = options.name ?? hosts[0]!;
  const place = hosts.indexOf(hostName);
  if (place < 0) {
    throw new WrongInput(
      `The swarm ${swarm} has no host ${hostName}; choose ${hosts.join(" or ")} with --name.`,
    );
  }
  const given = options.peers ?? new Map<string, PeerAddress>();
  const stranger = [...given.keys()].find((name) => !hosts.includes(name));
  if (stranger !== undefined) {
    throw new WrongInput(`--peers names ${stranger}, but the hosts of ${swarm} are ${hosts.join(", ")}.`);
  }
  return {
    hostName,
    peers: peersOf(hostName, hosts, given),
    stateDir: resolve(options.state, swarm),
    reach: reachOf(options),
    mdns: mdnsOf(options),
    httpPort: options.httpPort ?? firstPorts.http + place,
    mqttPort: options.mqttPort ?? firstPorts.mqtt + place,
    peerPort: options.peerPort ?? (hosts.length === 1 ? 0 : firstPorts.peer + place),
  };
}

/** @throws {WrongInput} */
function mdnsOf({ listen, mdnsInterface }: HostPlaceOptions): readonly string[] | undefined {
  try {
    return announcedOn(listen, mdnsInterface);
  } catch (error) {
    if (error instanceof NoSuchInterface) throw new WrongInput(error.message);
    throw error;
  }
}

/** Refusals that are no fault of Covey's; each says itself what to do. */
const refusals = [
  ...["NoCertificate", "PortUnavailable", "HostDirectoryInUse", "NewerDatabase"],
  ...["DamagedLog", "NewerLog", "ForeignLog", "OwnIdentityRevoked"],
];

function webhookSecretOf(stateDir: string): Uint8Array | undefined {
  try {
    return readWebhookSecret(stateDir, process.env);
  } catch (error) {
    throw error instanceof WebhookSecretUnusable ? new WrongInput(error.message) : error;
  }
}

async function start(options: StartOptions): Promise<RunningHost> {
  const { startHost } = await import("../../leader/host.ts");
  try {
    return await startHost(options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (refusals.includes(error.name)) throw new Failed(error.message, "cannot-start");
    throw error;
  }
}

function peerList(text: string): ReadonlyMap<string, PeerAddress> {
  const peers = parsePeers(text);
  if (peers !== undefined) return peers;
  throw new InvalidArgumentError("Write the other hosts as b=127.0.0.1:7901,c=127.0.0.1:7902.");
}
