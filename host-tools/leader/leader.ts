/**
 * The leader's process: broker, Raft replica, telemetry and HTTP interface, put together.
 *
 * ```
 * boards --MQTT--> broker --> board registry --> replica (raft/): log on disk, votes, commits
 *                                   |                |
 *                                   v                v committed entries
 *                               telemetry      agreed state --> status --> api, page
 * ```
 */
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { AgreedState } from "./agreed-state.ts";
import { createApi } from "./api.ts";
import type { Status } from "./api-types.ts";
import { BoardRegistry } from "./board-registry.ts";
import { startBroker } from "./broker.ts";
import { Deployment } from "./deployment.ts";
import { LeaderOverview } from "./leader-overview.ts";
import { listen, portOf } from "./listen.ts";
import type { Log } from "./log.ts";
import { Replica } from "./raft/replica.ts";
import { StateDirectory } from "./state-directory.ts";
import { StatusFeed } from "./status-feed.ts";
import { type Retention, Telemetry } from "./telemetry.ts";
import { Violations } from "./violations.ts";

export interface LeaderOptions {
  readonly definition: SwarmDefinition;
  /** `.covey/<swarm>`; made if need be. */
  readonly stateDir: string;
  /** One of `definition.hosts`. */
  readonly hostName: string;
  /** 0 for any free one. */
  readonly mqttPort: number;
  /** 0 for any free one. */
  readonly httpPort: number;
  readonly log: Log;
  readonly retention?: Partial<Retention> | undefined;
  /** The disk refused the Raft log: the leader takes and sends nothing any more; stop it. */
  onFailure(error: Error): void;
}

export interface RunningLeader {
  readonly mqttPort: number;
  readonly httpPort: number;
  /** For example `http://127.0.0.1:7800`. */
  readonly url: string;
  status(): Status;
  /** Closes the boards' connections and the ports, then the files; all that was acknowledged is on disk. */
  stop(): Promise<void>;
}

/** The host is none of the definition's. */
export class UnknownHost extends Error {
  override readonly name = "UnknownHost";

  constructor(hostName: string, definition: SwarmDefinition) {
    super(
      `The swarm ${definition.name} has no host ${hostName}; choose ${definition.hosts.join(" or ")} with --host.`,
    );
  }
}

/** Boards and browsers reach the leader on this computer only; the network comes with its security (design, point 14). */
const loopback = "127.0.0.1";

/**
 * Starts a leader; resolves when both ports answer. It leads as soon as a majority of the voters is there.
 * @throws {UnknownHost | StateDirectoryInUse | PortUnavailable | LogUnusable | NewerDatabase}
 */
export async function startLeader(options: LeaderOptions): Promise<RunningLeader> {
  if (!options.definition.hosts.includes(options.hostName)) {
    throw new UnknownHost(options.hostName, options.definition);
  }
  const opened: Closer[] = [];
  try {
    return await assemble(options, opened);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

type Closer = () => void | Promise<void>;

/** Opens each part in turn and notes how to close it. */
async function assemble(options: LeaderOptions, opened: Closer[]): Promise<RunningLeader> {
  const { definition, log } = options;
  const violations = new Violations(log);
  const directory = new StateDirectory(options.stateDir);
  opened.push(() => directory.release());
  const hostDirectory = directory.hostDirectory(options.hostName);
  const telemetry = openTelemetry(options, hostDirectory, violations);
  opened.push(() => telemetry.close());

  const state = new AgreedState();
  const deployment = new Deployment(definition, state, log);
  const feed = new StatusFeed(() => overview.status());
  const replica = await Replica.open({
    directory: hostDirectory,
    hostName: options.hostName,
    hostNames: definition.hosts,
    voterNames: definition.voters,
    send: (message) => boards.send(message),
    onCommitted: (entries) => {
      state.apply(entries);
      deployment.committed(entries, replica);
      feed.changed();
    },
    onViolation: (sentence) => violations.add(sentence),
    onFailure: (error) => options.onFailure(error),
  });
  opened.push(() => replica.stop());
  if (replica.tornBytes > 0) log.warn("log-torn-write", { bytesCut: replica.tornBytes });

  const boards = new BoardRegistry({
    definition,
    log,
    violations,
    now: Date.now,
    onReading: (reading) => telemetry.add(reading),
    onMember: (id) => replica.addMember(id),
    onMemberLost: (id) => replica.removeMember(id),
    onMessage: (message) => replica.receive(message),
    onChange: () => feed.changed(),
  });
  const broker = await startBroker({
    swarm: definition.name,
    boards: new Set(Object.keys(definition.boards)),
    host: loopback,
    port: options.mqttPort,
    log,
    onMessage: (link, channel, payload) => boards.receive(link, channel, payload),
    onDisconnect: (link) => boards.disconnected(link),
  });
  opened.push(() => broker.stop());
  replica.start();

  const server = createServer({ requestTimeout: httpLimits.requestMs });
  server.maxConnections = httpLimits.connectionsMax;
  const parts = {
    definition,
    state,
    violations,
    boards,
    telemetry,
    replica,
    deployment,
    broker,
    server,
    feed,
  };
  const overview = new LeaderOverview(parts);
  server.on("request", getRequestListener(createApi(overview, log).fetch));
  await listen(server, { host: loopback, port: options.httpPort, purpose: "HTTP" });
  opened.push(() => closeServer(server));
  opened.push(() => feed.close()); // first of all: what it would tell needs the other parts open

  const httpPort = portOf(server);
  const url = `http://${loopback}:${httpPort}`;
  directory.announce({ swarm: definition.name, pid: process.pid, url });
  log.info("serving", { url, mqttPort: broker.port, member: replica.id });
  return {
    mqttPort: broker.port,
    httpPort,
    url,
    status: () => overview.status(),
    stop: () => closeAll(opened),
  };
}

const httpLimits = {
  connectionsMax: 128,
  /** For a whole request to arrive. */
  requestMs: 30_000,
} as const;

function openTelemetry(options: LeaderOptions, directory: string, violations: Violations): Telemetry {
  const { definition, log, retention } = options;
  const telemetry = new Telemetry({
    file: join(directory, "telemetry.sqlite"),
    unitOf: (board, metric) => definition.boards[board]?.units[metric] ?? "",
    ...(retention === undefined ? {} : { retention }),
    onError: (error) => log.error("readings-not-stored", { reason: error.message }),
  });
  if (telemetry.damaged !== undefined) {
    const { keptAs, reason } = telemetry.damaged;
    violations.add(
      `The readings' database was damaged (${reason}); it is kept as ${keptAs} and a new one was started.`,
    );
  }
  return telemetry;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Last opened, first closed. Called again, there is nothing left to close. */
async function closeAll(opened: Closer[]): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
}
