/**
 * A stopped host that lost its disk gathers what the other members still have: it opens its ports as if it ran, takes part in nothing, waits for boards
 * and hosts, and rebuilds its log from the most up-to-date of them (`raft/recover.ts`).
 */
import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LogRequest, MemberId, Message } from "../../protocols/raft/types.ts";
import type { MemberSecrets } from "../security/member-file.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { Reach, type ReachOptions } from "./access/reach.ts";
import type { Audit } from "./audit.ts";
import { BoardRegistry } from "./boards/board-registry.ts";
import { startBroker } from "./broker/broker.ts";
import { HostDirectory } from "./host-directory.ts";
import type { HostFrame } from "./hosts/host-frames.ts";
import { PeerRefused } from "./hosts/host-link.ts";
import { HostLinks, type PeerAddress } from "./hosts/host-links.ts";
import { MessageRoutes } from "./hosts/message-routes.ts";
import type { Log } from "./log.ts";
import { HostLog } from "./raft/host-log.ts";
import { DamagedLog } from "./raft/log-records.ts";
import { NodeDisk } from "./raft/node-disk.ts";
import { type RecoveryReport, recover } from "./raft/recover.ts";
import { sha256 } from "./raft/sha256.ts";
import { nameOf } from "./raft/voter-policy.ts";
import { BoardSessions } from "./trust/board-sessions.ts";
import { CloneWatch } from "./trust/clone-watch.ts";
import { GroupKeys } from "./trust/group-keys.ts";
import { Membership, OwnIdentityRevoked } from "./trust/membership.ts";
import { recallRoster } from "./trust/roster-file.ts";
import { Violations } from "./violations.ts";

export interface RecoveryOptions {
  readonly definition: SwarmDefinition;
  /** `.covey/<swarm>`. */
  readonly stateDir: string;
  /** One of `definition.hosts`. */
  readonly hostName: string;
  /** Its identity, and the root that everybody's is signed by. */
  readonly member: MemberSecrets;
  readonly mqttPort: number;
  readonly peerPort: number;
  /** From where boards and hosts may reach it; from this computer alone if not said. */
  readonly reach?: ReachOptions | undefined;
  readonly peers: ReadonlyMap<string, PeerAddress>;
  /** Of the root, about who belongs: as far as they are known beyond what the host's folder has. */
  readonly statements?: readonly Uint8Array[] | undefined;
  readonly log: Log;
}

/** The host has a log that can be read: it needs no recovery. */
export class NothingLost extends Error {
  override readonly name = "NothingLost";
  readonly directory: string;

  constructor(hostName: string, directory: string, lastIndex: number) {
    super(
      `Host ${hostName} has a sound Raft log of ${lastIndex} entries in ${directory}: start it with covey lead. ` +
        "Should it have to be recovered all the same, move that folder aside first.",
    );
    this.directory = directory;
  }
}

/** For one answer of a member; a board may be writing its flash. */
const answerMs = 3_000;

type Closer = () => void | Promise<void>;

export class Recovery {
  /** Where a damaged log is kept; undefined when there was none. */
  readonly keptAs: string | undefined;
  /** Where the boards connect. */
  mqttPort = 0;
  readonly #options: RecoveryOptions;
  readonly #directory: string;
  readonly #opened: Closer[] = [];
  readonly #boards: BoardRegistry;
  /** Other hosts that run, by name. */
  readonly #hosts = new Map<string, MemberId>();
  readonly #waiting = new Map<MemberId, (answer: Message) => void>();
  #routes: MessageRoutes | undefined;

  /**
   * Takes the host's folder and its ports. Members come from now on.
   * @throws {HostDirectoryInUse | NothingLost | NewerLog | PortUnavailable | OwnIdentityRevoked}
   */
  static async open(options: RecoveryOptions): Promise<Recovery> {
    const directory = new HostDirectory(options.stateDir, options.hostName);
    let recovery: Recovery | undefined;
    try {
      recovery = new Recovery(options, directory);
      await recovery.#listen();
      return recovery;
    } catch (error) {
      if (recovery === undefined) directory.release();
      else await recovery.close();
      throw error;
    }
  }

  private constructor(options: RecoveryOptions, directory: HostDirectory) {
    this.#options = options;
    this.#directory = join(directory.path, "raft");
    this.keptAs = checkLost(options.hostName, this.#directory);
    this.#opened.push(() => directory.release());
    const { definition, hostName, log } = options;
    this.#boards = new BoardRegistry({
      definition,
      hostName,
      log,
      violations: new Violations(log),
      clones: new CloneWatch(() => {}),
      now: Date.now,
      onReading: () => {},
      onMember: () => {},
      onMemberLost: () => {},
      onMessage: (message) => this.#routes?.takeFromBoard(message),
      // No board gets new firmware of a host that has nothing agreed yet.
      onWant: () => {},
      onClaim: () => {},
      onTurn: () => {},
      taskMetric: () => undefined,
      tellHosts: () => {},
      onAnswer: () => {},
      onChange: () => {},
    });
  }

  /** Who can be asked at the moment. */
  get members(): MemberId[] {
    return [...this.#hosts.values(), ...this.#boards.members];
  }

  /** Names of the other hosts that cannot. */
  get missingHosts(): string[] {
    const { definition, hostName } = this.#options;
    return definition.hosts.filter((name) => name !== hostName && !this.#hosts.has(name));
  }

  /** Names of the boards that cannot. */
  get missingBoards(): string[] {
    const here = new Set(this.#boards.members.map(nameOf));
    return Object.keys(this.#options.definition.boards).filter((name) => !here.has(name));
  }

  /** Rebuilds the log; after it, `close` and start the host as always. @throws {RecoveryRefused} */
  async run(isForced: boolean): Promise<RecoveryReport> {
    const { hostName, definition } = this.#options;
    // Into a folder of its own: what is half done is never taken for a log.
    const unfinished = `${this.#directory}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    const disk = new NodeDisk(unfinished);
    try {
      const report = await recover({
        hostName,
        hostNames: definition.hosts,
        disk,
        sha256,
        random: Math.random,
        members: this.members,
        ask: (request) => this.#ask(request),
        isForced,
      });
      rmSync(this.#directory, { recursive: true, force: true });
      renameSync(unfinished, this.#directory);
      return report;
    } finally {
      disk.close();
      rmSync(unfinished, { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    for (let close = this.#opened.pop(); close !== undefined; close = this.#opened.pop()) await close();
  }

  async #listen(): Promise<void> {
    const { definition, hostName, mqttPort, peerPort, peers, log } = this.#options;
    const boards = this.#boards;
    const membership = new Membership(this.#options.member, { swarm: definition.name, host: hostName });
    // Whoever was revoked is not to offer its log.
    recallRoster(membership, dirname(this.#directory), log, this.#options.statements ?? []);
    if (membership.isRevoked) throw new OwnIdentityRevoked(hostName, membership.roster.epoch);
    const reach = new Reach(hostName, this.#options.reach ?? {}, membership.own.tls);
    const { name: swarm } = definition;
    const audit: Audit = { refused: (who, what) => log.warn("refused", { who, what }) };
    const groupKeys = new GroupKeys(membership, { tellBoards: () => {}, tellHosts: () => {} });
    const sessions = new BoardSessions({
      ...{ membership, swarm, boards: new Set(Object.keys(definition.boards)), log, audit },
      // Nothing is published meanwhile.
      groupPayloads: () => [],
      onMessage: (link, channel, payload) => boards.receive(link, channel, payload),
      onDisconnect: (link) => boards.disconnected(link),
    });
    const broker = await startBroker({
      swarm,
      host: reach.address,
      tls: reach.mqttTls,
      port: mqttPort,
      log,
      clients: sessions,
    });
    this.#opened.push(() => broker.stop());
    this.mqttPort = broker.port;
    const links = new HostLinks({
      ...{ member: membership.own, roster: membership.roster, audit },
      hostNames: definition.hosts,
      peers,
      listenAddress: reach.address,
      port: peerPort,
      log,
      // That it has none must not make another host found a group anew.
      hello: () => ({ hasLog: true, url: "" }),
      onUp: () => {},
      onDown: (host) => {
        this.#hosts.delete(host);
        boards.hostLost(host);
      },
      onFrame: (host, frame) => this.#take(host, frame),
    });
    this.#routes = new MessageRoutes({
      ...{ hostName, hostNames: definition.hosts, boards, broker, groupKeys, links },
      receive: (message) => this.#waiting.get(message.from)?.(message),
    });
    await links.start();
    this.#opened.push(() => links.stop());
  }

  #take(host: string, frame: HostFrame): void {
    if (frame.kind === "raft") {
      this.#routes!.takeFromHost(host, frame.message);
    } else if (frame.kind === "state") {
      if (frame.memberId !== undefined) this.#hosts.set(host, frame.memberId);
    } else if (frame.kind === "board" || frame.kind === "gone") {
      this.#boards.receiveFromHost(host, frame);
    } else if (frame.kind === "hello" || frame.kind === "refused") {
      throw new PeerRefused(`a second ${frame.kind}`);
    }
  }

  #ask(request: LogRequest): Promise<Message | undefined> {
    return new Promise((resolve) => {
      const end = (answer: Message | undefined) => {
        clearTimeout(timer);
        this.#waiting.delete(request.to);
        resolve(answer);
      };
      const timer = setTimeout(() => end(undefined), answerMs);
      this.#waiting.set(request.to, (answer) => {
        // Whoever leads, or wants to, may speak meanwhile.
        if (answer.to === request.from && isAnswer(answer)) end(answer);
      });
      this.#routes!.send(request);
    });
  }
}

function isAnswer({ type }: Message): boolean {
  return type === "log-response" || type === "snapshot-chunk";
}

/** Moves a damaged log aside and says where it is. @throws {NothingLost | NewerLog} */
function checkLost(hostName: string, directory: string): string | undefined {
  if (!existsSync(directory)) return undefined;
  const disk = new NodeDisk(directory);
  try {
    const log = HostLog.open({ disk, sha256, isHost: () => true });
    // One that never took part has nothing to lose.
    if (log === undefined || (log.lastIndex === 0 && log.hardState.term === 0)) return undefined;
    throw new NothingLost(hostName, directory, log.lastIndex);
  } catch (error) {
    if (!(error instanceof DamagedLog)) throw error;
    const keptAs = `${directory}.damaged-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
    renameSync(directory, keptAs);
    return keptAs;
  } finally {
    disk.close();
  }
}
