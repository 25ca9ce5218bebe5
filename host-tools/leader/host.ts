/**
 * A host's process: broker, its member of the Raft group, links to the other hosts, telemetry and HTTP interface, put together.
 *
 * ```
 * boards --MQTT--> broker --> sessions --> board registry --> routes --> replica (raft/): log on disk, votes, commits
 *                               ^                |              ^            |
 *                               |                v              | links      v committed entries
 *                           membership       telemetry     other hosts   agreed state --> status --> api, page
 *                               ^---------------------- the root's statement -----+
 * ```
 */
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { MemberSecrets } from "../security/member-file.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { Access } from "./access/access.ts";
import { AuditRing } from "./access/audit-ring.ts";
import { Reach, type ReachOptions } from "./access/reach.ts";
import { createWebServer, stopWebServer } from "./access/web-server.ts";
import { Actions } from "./actions/actions.ts";
import { Alerts, type AlertsOptions } from "./alerts/alerts.ts";
import { createApi } from "./api/api.ts";
import { createSetHandler } from "./api/set-handler.ts";
import { StatusFeed } from "./api/status-feed.ts";
import type { Status } from "./api/types/status.ts";
import { BoardRegistry } from "./boards/board-registry.ts";
import { startBroker } from "./broker/broker.ts";
import { Checkpoints } from "./checkpoints/checkpoints.ts";
import { Restoring } from "./checkpoints/restoring.ts";
import { HostDirectory } from "./host-directory.ts";
import { HostOverview } from "./host-overview.ts";
import { HostLinks, type PeerAddress } from "./hosts/host-links.ts";
import { MessageRoutes } from "./hosts/message-routes.ts";
import { Peers } from "./hosts/peers.ts";
import { Firmware } from "./images/firmware.ts";
import { createUploadHandler } from "./images/upload-handler.ts";
import { KeepingRoom } from "./keeping/keeping-room.ts";
import { listen, portOf } from "./listen.ts";
import type { Log } from "./log.ts";
import { announce } from "./mdns.ts";
import { Queries } from "./queries/queries.ts";
import { Replica } from "./raft/replica.ts";
import { AgreedRegisters } from "./registers/agreed-registers.ts";
import { Registers } from "./registers/registers.ts";
import { AgreedState } from "./state/agreed-state.ts";
import { carryOutAll } from "./state/commands.ts";
import { Deployment } from "./state/deployment.ts";
import { Tasks } from "./tasks/tasks.ts";
import { type Retention, Telemetry } from "./telemetry/telemetry.ts";
import { BoardSessions } from "./trust/board-sessions.ts";
import { CloneWatch, clonedSentence } from "./trust/clone-watch.ts";
import { GroupKeys } from "./trust/group-keys.ts";
import { Membership, OwnIdentityRevoked, rosterKey } from "./trust/membership.ts";
import { recallRoster } from "./trust/roster-file.ts";
import { rostersInLog } from "./trust/rosters-in-log.ts";
import { Turns } from "./turns/turns.ts";
import { Violations } from "./violations.ts";

export interface HostOptions {
  readonly definition: SwarmDefinition;
  /** `.covey/<swarm>`; made if need be. */
  readonly stateDir: string;
  /** One of `definition.hosts`. */
  readonly hostName: string;
  /** Its identity, and the root that everybody's is signed by. */
  readonly member: MemberSecrets;
  /** For the boards; 0 for any free one. */
  readonly mqttPort: number;
  /** 0 for any free one. */
  readonly httpPort: number;
  /** For the other hosts; 0 for any free one. */
  readonly peerPort: number;
  /** From where it may be reached; from this computer alone if not said. */
  readonly reach?: ReachOptions | undefined;
  /** Network interfaces on which it tells boards by mDNS where it is; empty for all, undefined for none: `announcedOn`. */
  readonly mdns?: readonly string[] | undefined;
  /** Where other hosts listen for this one. */
  readonly peers: ReadonlyMap<string, PeerAddress>;
  readonly log: Log;
  /** Signs what webhooks are told; they are told without a signature where there is none. */
  readonly webhookSecret?: Uint8Array | undefined;
  readonly retention?: Partial<Retention> | undefined;
  /** The disk refused the Raft log, or the root revoked this host (`OwnIdentityRevoked`): stop it, it is of no more use. */
  onFailure(error: Error): void;
}

export interface RunningHost {
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly peerPort: number;
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
      `The swarm ${definition.name} has no host ${hostName}; choose ${definition.hosts.join(" or ")} with --name.`,
    );
  }
}

/**
 * Starts a host; resolves when its ports answer. It leads when the voters elect it; with no log and no group, the first host of the
 * swarm founds one as soon as the others have said that they have none either.
 * @throws {UnknownHost | ForeignIdentity | OwnIdentityRevoked | NoCertificate | HostDirectoryInUse | PortUnavailable | DamagedLog | NewerLog | ForeignLog | NewerDatabase}
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
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
async function assemble(options: HostOptions, opened: Closer[]): Promise<RunningHost> {
  const { definition, hostName, log } = options;
  const { name: swarm } = definition;
  const violations = new Violations(log);
  const membership = new Membership(options.member, { swarm, host: hostName });
  const reach = new Reach(hostName, options.reach ?? {}, membership.own.tls);
  const directory = new HostDirectory(options.stateDir, hostName);
  opened.push(() => directory.release());
  const telemetry = openTelemetry(options, directory.path, violations);
  opened.push(() => telemetry.close());

  const state = new AgreedState();
  const audit = new AuditRing({
    get: (key) => state.get(key),
    put: (key, text, present) => overview.putAudit(key, text, present),
    log,
    now: Date.now,
  });
  const firmware = await Firmware.open({
    ...{ definition, hostName, directory: directory.path, state, violations, audit, log },
    ...{ root: membership.own.root, ciphers: membership.ciphers },
    put: (key, value, present) => overview.putAlone(key, value, present),
    before: (by) => checkpoints.beforeUpdate(by),
    send: (host, frame) => links.send(host, frame),
    broadcast: (frame) => links.broadcast(frame),
    onChange: () => feed.changed(),
  });
  opened.push(() => firmware.stop());
  const actions = new Actions({
    ...{ definition, state, audit, log, now: Date.now },
    isLeader: () => replica.isLeader,
    put: (key, value, present) => overview.putAlone(key, value, present),
    onChange: () => feed.changed(),
  });
  opened.push(() => actions.stop());
  const deployment = new Deployment(definition, state, log, () =>
    checkpoints.beforehand("deploy", "swarm.ts"),
  );
  const checkpoints = new Checkpoints({
    ...{ swarm, hostName, directory: directory.path, state, log, now: Date.now },
    isLeader: () => replica.isLeader,
    put: (key, value, present) => overview.putAlone(key, value, present),
    peers: () => overview.peerHosts(),
  });
  opened.push(() => checkpoints.stop());
  const restoring = new Restoring({
    ...{ definition, state, checkpoints, now: Date.now },
    putAll: (puts) => carryOutAll({ replica, deployment }, puts),
  });
  const feed = new StatusFeed(() => overview.status(replica.isLeader));
  const replica = Replica.open({
    directory: join(directory.path, "raft"),
    hostName,
    hostNames: definition.hosts,
    // Of several hosts the first asks the others first.
    mayFound: definition.hosts.length === 1,
    send: (message) => routes.send(message),
    publish: (publication) => routes.publish(publication),
    onApplied: (entries) => {
      state.apply(entries);
      takeRoster();
      firmware.stateChanged();
      actions.stateChanged();
      checkpoints.settle();
      deployment.committed(entries, replica);
      alerts?.applied();
      feed.changed();
    },
    onRestored: (restored) => {
      state.restore(restored, replica.status().appliedIndex);
      takeRoster();
      firmware.stateChanged();
      alerts?.applied();
      actions.stateChanged();
      checkpoints.restored();
      feed.changed();
    },
    onViolation: (sentence) => violations.add(sentence),
    onFailure: (error) => options.onFailure(error),
  });
  opened.push(() => replica.stop());
  if (replica.tornBytes > 0) log.warn("log-torn-write", { bytesCut: replica.tornBytes });
  // Before anybody can connect.
  recallRoster(membership, directory.path, log, rostersInLog(replica));
  if (membership.isRevoked) throw new OwnIdentityRevoked(hostName, membership.roster.epoch);

  const clones = new CloneWatch((board) => {
    violations.add(clonedSentence(board));
    audit.refused(board, "one identity for two devices");
    feed.changed();
  });
  const boards = new BoardRegistry({
    definition,
    hostName,
    log,
    violations,
    clones,
    now: Date.now,
    onReading: (reading) => {
      telemetry.add(reading);
      alerts?.reading(reading);
    },
    onMember: (id) => replica.addMember(id),
    onMemberLost: (id) => replica.removeMember(id),
    onMessage: (message) => routes.takeFromBoard(message),
    onWant: (link, want) => firmware.chunks.want(link, want),
    onRegisters: (board, report) => registers.reported(board, report),
    onClaim: (board, claim) => tasks.claim(board, claim),
    onTurn: (board, message, isHere) => turns.heard(board, message, isHere),
    taskMetric: (board, told) => tasks.metric(board, told),
    onActions: (board, reports) => actions.reported(board, reports),
    onBlock: (board, block) => keeping.takeBlock(board, block),
    onKeep: (board, payload) => keeping.takeAnswer(board, payload),
    tellHosts: (frame) => links.broadcast(frame),
    onChange: () => feed.changed(),
    onAnswer: (board, answer) => queries.take(board, answer),
  });
  const agreedRegisters = new AgreedRegisters(state);
  const alerts = openAlerts(options, {
    get: (key) => {
      const copy = agreedRegisters.copy(key);
      return copy === undefined ? state.get(key) : { value: copy.said.value, index: copy.index };
    },
    put: (key, text, present) => overview.putAlert(key, text, present),
    leads: () => replica.isLeader,
    confirm: () => overview.confirm(alertConfirmMs),
    heardOf: (board) => boards.heardOf(board),
    onChange: () => feed.changed(),
  });
  opened.push(() => alerts?.stop());
  const queries = new Queries({
    definition,
    hostsOf: (board) => boards.hostsOfBoard(board),
    ask: (host, board, payload) => {
      if (host === hostName) return boards.sendHere(board, "query", payload);
      if (!links.isUp(host)) return false;
      links.send(host, { kind: "query", board, payload });
      return true;
    },
  });
  opened.push(() => queries.stop());
  const groupKeys = new GroupKeys(membership, {
    tellBoards: (payload) => sessions.tellGroup(payload),
    tellHosts: (frame) => links.broadcast(frame),
  });
  const sessions = new BoardSessions({
    ...{ membership, swarm, boards: new Set(Object.keys(definition.boards)), log, audit },
    groupPayloads: () => groupKeys.payloads,
    onMessage: (link, channel, payload) => boards.receive(link, channel, payload),
    onDisconnect: (link) => {
      firmware.disconnected(link);
      boards.disconnected(link);
    },
  });
  const broker = await startBroker({
    ...{ swarm, host: reach.address, tls: reach.mqttTls, port: options.mqttPort, log },
    clients: sessions,
  });
  opened.push(() => broker.stop());

  const server = createWebServer(reach, log);
  const tasks: Tasks = new Tasks({
    ...{ definition, hostName, state, replica, boards, log },
    peers: () => peers.states,
    sendToHost: (host, frame) => links.isUp(host) && links.send(host, frame),
    isUp: (host) => links.isUp(host),
    broadcast: (frame) => links.broadcast(frame),
    query: (text, isWanted) => queries.run(text, isWanted),
    store: (reading) => telemetry.add(reading),
  });
  const peers: Peers = new Peers({
    ...{ hostName, hostNames: definition.hosts, replica, boards, broker, groupKeys, log, violations },
    ...{ images: firmware.exchange, tasks },
    takeMessage: (host, wire) => routes.takeFromHost(host, wire),
    takeKeeping: (host, frame) => keeping.takeFrame(host, frame),
    onChange: () => feed.changed(),
  });
  const links: HostLinks = new HostLinks({
    ...{ member: membership.own, roster: membership.roster, audit },
    ...{ hostNames: definition.hosts, peers: options.peers },
    listenAddress: reach.address,
    port: options.peerPort,
    log,
    hello: () => ({ hasLog: !replica.isBlank, url: reach.url }),
    onUp: ({ host, hasLog }) => peers.up(host, hasLog, links),
    onDown: (host) => peers.down(host),
    onFrame: (host, frame) => peers.take(host, frame),
  });
  const turns = new Turns({
    ...{ state, replica, log, nowMs: () => performance.now() },
    put: (request) => replica.propose({ ...request, id: replica.newCommandId() }),
  });
  const keeping = new KeepingRoom({
    ...{ definition, hostName, directory: directory.path, state, replica, boards, links },
    ...{ telemetry, unitOf: unitOf(definition), violations, log },
  });
  opened.push(() => keeping.stop());
  const registers = new Registers({
    ...{ definition, hostName, agreed: agreedRegisters, replica, boards, links, log, audit },
    put: (puts) => carryOutAll({ replica, deployment }, puts),
  });
  const routes = new MessageRoutes({
    ...{ hostName, hostNames: definition.hosts, boards, broker, groupKeys, links },
    receive: (message) => replica.receive(message),
  });
  const parts = {
    ...{ definition, hostName, state, violations, boards, telemetry, alerts, queries },
    ...{ tasks, keeping, registers },
    ...{
      replica,
      deployment,
      firmware,
      actions,
      checkpoints,
      restoring,
      broker,
      sessions,
      links,
      feed,
      peers: peers.states,
    },
    ...{ membership, reach, own: membership.own.identity },
  };
  const overview = new HostOverview(parts);
  const access = new Access({
    ...{ swarm: definition.name, hostName, reach, audit },
    ...{ people: membership.roster, ciphers: membership.ciphers },
    vouched: (header, request) => links.vouched(header, request),
    now: () => performance.now(),
  });
  const door = { reach, access, audit };
  const answerAll = getRequestListener(createApi(overview, door, log).fetch);
  const answerSet = createSetHandler(overview, door, log);
  const takeImage = createUploadHandler(firmware, door, log);
  server.on("request", (request, response) => {
    if (!answerSet(request, response) && !takeImage(request, response)) answerAll(request, response);
  });
  membership.onEpoch(() => {
    const { epoch } = membership.roster;
    log.info("roster", { epoch });
    if (membership.isRevoked) options.onFailure(new OwnIdentityRevoked(hostName, epoch));
    // Whoever was revoked is gone before the others get a new key.
    sessions.dropRevoked();
    links.rosterChanged();
    clones.forget();
    groupKeys.renew();
    feed.changed();
  });
  let isRestating = false;
  const takeRoster = () => {
    const agreed = state.get(rosterKey)?.value;
    if (membership.take(agreed) === "refused") log.error("roster-refused");
    // Of what the root said nothing gets lost with a log, and nothing is taken back by whoever broke into another leader.
    if (isRestating || !replica.isLeader || !membership.isBehind(agreed)) return;
    isRestating = true;
    overview
      .takeRoster(membership.statement!)
      .catch((error: Error) => log.debug("roster-waits", { reason: error.message }))
      .finally(() => {
        isRestating = false;
      });
  };
  await listen(server, { host: reach.address, port: options.httpPort, purpose: "HTTP" });
  reach.port = portOf(server);
  opened.push(() => stopWebServer(server));
  opened.push(() => audit.stop());
  replica.start();
  await links.start();
  opened.push(() => links.stop());
  peers.start(links);
  opened.push(() => peers.stop());
  registers.start();
  opened.push(() => registers.stop());
  tasks.start();
  opened.push(() => tasks.stop());
  turns.start();
  opened.push(() => turns.stop());
  keeping.start();
  opened.push(() => feed.close()); // first of all: what it would tell needs the other parts open

  if (options.mdns !== undefined) {
    const place = { swarm: definition.name, host: hostName, port: broker.port, interfaces: options.mdns };
    opened.push(await announce({ ...place, log }));
  }
  const { url } = reach;
  directory.announce({ swarm: definition.name, host: hostName, pid: process.pid, url });
  log.info("serving", { url, mqttPort: broker.port, peerPort: links.port, member: replica.id });
  return {
    mqttPort: broker.port,
    httpPort: reach.port,
    peerPort: links.port,
    url,
    status: () => overview.status(replica.isLeader),
    stop: () => closeAll(opened),
  };
}

/** For a majority to confirm that this host may tell a webhook. */
const alertConfirmMs = 3_000;

function openAlerts(
  { definition, webhookSecret, log }: HostOptions,
  parts: Pick<AlertsOptions, "get" | "put" | "leads" | "confirm" | "heardOf" | "onChange">,
): Alerts | undefined {
  if (definition.alerts === undefined) return undefined;
  return new Alerts({
    ...{ definition, secret: webhookSecret, log, ...parts },
    now: Date.now,
    monotonic: () => performance.now(),
  });
}

function openTelemetry(options: HostOptions, directory: string, violations: Violations): Telemetry {
  const { definition, log, retention } = options;
  const telemetry = new Telemetry({
    file: join(directory, "telemetry.sqlite"),
    unitOf: unitOf(definition),
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

function unitOf(definition: SwarmDefinition): (board: string, metric: string) => string {
  return (board, metric) =>
    ownValue(ownValue(definition.boards, board)?.units ?? {}, metric) ?? unitOfTask(definition, metric);
}

/** Metrics of tasks are no board's own. */
function unitOfTask({ tasks = {} }: SwarmDefinition, metric: string): string {
  for (const { units } of Object.values(tasks)) if (Object.hasOwn(units, metric)) return units[metric]!;
  return "";
}

/** Names that boards make up are no names of what every object has. */
function ownValue<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** Last opened, first closed. Called again, there is nothing left to close. */
async function closeAll(opened: Closer[]): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
}
