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
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { stopWebServer } from "./access/web-server.ts";
import type { Status } from "./api/types/status.ts";
import { openAgreement } from "./assembly/agreement.ts";
import { openBoardSide } from "./assembly/board-side.ts";
import { Closing } from "./assembly/closing.ts";
import { openGround } from "./assembly/ground.ts";
import type { HostOptions } from "./assembly/host-options.ts";
import type { HostParts } from "./assembly/host-parts.ts";
import { openHostSide } from "./assembly/host-side.ts";
import { openPublicSide } from "./assembly/public-side.ts";
import { listen, portOf } from "./listen.ts";
import { announce } from "./mdns.ts";
import { OwnIdentityRevoked } from "./trust/membership.ts";

export type { HostOptions };

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
  const closing = new Closing();
  try {
    const host = await assemble(options, closing);
    followRoster(host);
    await start(host, closing);
    return running(host, closing);
  } catch (error) {
    await closing.closeAll();
    throw error;
  }
}

/** Opens each part in turn and notes how to close it. */
async function assemble(options: HostOptions, closing: Closing): Promise<HostParts> {
  const host = {} as HostParts;
  const ground = Object.assign(host, openGround(options, closing));
  const agreeing = Object.assign(ground, await openAgreement(ground, host, closing));
  const withBoards = Object.assign(agreeing, await openBoardSide(agreeing, host, closing));
  const withHosts = Object.assign(withBoards, openHostSide(withBoards, host, closing));
  return Object.assign(withHosts, openPublicSide(withHosts));
}

/** What happens whenever the root has said anew who belongs. */
function followRoster({ options, hostName, membership, log, ...host }: HostParts): void {
  membership.onEpoch(() => {
    const { epoch } = membership.roster;
    log.info("roster", { epoch });
    if (membership.isRevoked) options.onFailure(new OwnIdentityRevoked(hostName, epoch));
    // Whoever was revoked is gone before the others get a new key.
    host.sessions.dropRevoked();
    host.links.rosterChanged();
    host.clones.forget();
    host.groupKeys.renew();
    host.feed.changed();
  });
}

/** The host answers, and takes part. */
async function start(host: HostParts, closing: Closing): Promise<void> {
  const { options, definition, reach, server, replica, links, peers, registers, tasks, turns } = host;
  await listen(server, { host: reach.address, port: options.httpPort, purpose: "HTTP" });
  reach.port = portOf(server);
  closing.add(() => stopWebServer(server));
  closing.add(() => host.audit.stop());
  replica.start();
  await links.start();
  closing.add(() => links.stop());
  peers.start(links);
  closing.add(() => peers.stop());
  registers.start();
  closing.add(() => registers.stop());
  tasks.start();
  closing.add(() => tasks.stop());
  turns.start();
  closing.add(() => turns.stop());
  host.keeping.start();
  closing.add(() => host.feed.close()); // first of all: what it would tell needs the other parts open
  if (options.mdns !== undefined) {
    const place = { swarm: definition.name, host: options.hostName, interfaces: options.mdns };
    closing.add(await announce({ ...place, port: host.broker.port, log: host.log }));
  }
}

function running(host: HostParts, closing: Closing): RunningHost {
  const { definition, hostName, folder, broker, links, replica, overview, log } = host;
  const { url, port: httpPort } = host.reach;
  folder.announce({ swarm: definition.name, host: hostName, pid: process.pid, url });
  log.info("serving", { url, mqttPort: broker.port, peerPort: links.port, member: replica.id });
  return {
    mqttPort: broker.port,
    httpPort,
    peerPort: links.port,
    url,
    status: () => overview.status(replica.isLeader),
    stop: () => closing.closeAll(),
  };
}
