/** What this host and the others tell each other about themselves and their boards, and what follows from it. */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { Broker } from "../broker/broker-types.ts";
import type { ImageExchange } from "../images/image-exchange.ts";
import type { Log } from "../log.ts";
import type { Replica } from "../raft/replica.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { GroupKeys } from "../trust/group-keys.ts";
import type { Violations } from "../violations.ts";
import { foundingOf } from "./founding.ts";
import type { HostFrame, HostRole, HostState, KeepingFrame } from "./host-frames.ts";
import { PeerRefused } from "./host-link.ts";
import type { HostLinks } from "./host-links.ts";

export interface PeersOptions {
  readonly hostName: string;
  /** All hosts in the order of `swarm.ts`. */
  readonly hostNames: readonly string[];
  readonly replica: Replica;
  readonly boards: BoardRegistry;
  readonly broker: Broker;
  readonly groupKeys: GroupKeys;
  readonly images: Pick<ImageExchange, "up" | "down" | "take">;
  readonly tasks: Pick<Tasks, "granted" | "claimOfHost" | "takeAggregate" | "ready" | "lingering">;
  readonly log: Log;
  readonly violations: Violations;
  /** A Raft message of another host, or of a board that is connected there. */
  takeMessage(host: string, wire: CborValue): void;
  /** What another host has to say of readings that boards keep. */
  takeKeeping(host: string, frame: KeepingFrame): void;
  /** Something that the status shows has changed. */
  onChange(): void;
}

/** A tenth of the silence that ends a link. */
const tellEveryMs = 500;

export class Peers {
  readonly #options: PeersOptions;
  readonly #states = new Map<string, HostState>();
  /** Whether each host had a log when it last connected. */
  readonly #hasLog = new Map<string, boolean>();
  /** Those that the replica was told of. */
  readonly #added = new Map<string, MemberId>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** What each other host last said of itself, by name; also of those that are gone. */
  get states(): ReadonlyMap<string, HostState> {
    return this.#states;
  }

  /** Tells the others how this host stands, from now on. */
  start(links: HostLinks): void {
    this.#foundIfDue();
    this.#timer = setInterval(() => {
      links.broadcast(this.#ownState());
      this.#checkBoards();
    }, tellEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  up(host: string, hasLog: boolean, links: HostLinks): void {
    this.#hasLog.set(host, hasLog);
    links.send(host, this.#ownState());
    links.send(host, this.#options.groupKeys.frame);
    this.#options.boards.tellAll((frame) => links.send(host, frame));
    this.#options.images.up(host);
    this.#foundIfDue();
    this.#options.onChange();
  }

  down(host: string): void {
    this.#setMember(host, undefined);
    this.#options.boards.hostLost(host);
    this.#options.images.down(host);
    this.#options.onChange();
  }

  /** @throws {ShapeError | MalformedMessage | PeerRefused | ProtocolRefused} and the connection is to be closed. */
  take(host: string, frame: HostFrame): void {
    const { boards, broker, groupKeys, images, takeMessage, takeKeeping } = this.#options;
    switch (frame.kind) {
      case "raft":
        takeMessage(host, frame.message);
        break;
      case "state":
        this.#takeState(host, frame);
        break;
      case "publication":
        broker.publish(frame.payload);
        break;
      case "sender-key":
        groupKeys.take(host, frame.key);
        break;
      case "query":
        boards.sendHere(frame.board, "query", frame.payload);
        break;
      case "board":
      case "gone":
      case "telemetry":
        boards.receiveFromHost(host, frame);
        break;
      case "grant":
        if (frame.holder === this.#options.hostName) this.#options.tasks.granted(frame.payload);
        else boards.sendHere(frame.holder, "lease", frame.payload);
        break;
      case "aggregate":
        this.#options.tasks.takeAggregate(host, frame);
        break;
      case "claim":
        this.#options.tasks.claimOfHost(host, frame.payload);
        break;
      case "keep":
        boards.sendHere(frame.board, "keep", frame.payload);
        break;
      case "keep-ask":
      case "keep-index":
      case "keep-accept":
      case "past":
        takeKeeping(host, frame);
        break;
      case "order":
        boards.sendHere(frame.board, "register", frame.payload);
        break;
      case "images":
      case "image-want":
      case "image-piece":
        images.take(host, frame);
        break;
      default:
        throw new PeerRefused(`a second ${frame.kind}`);
    }
  }

  #takeState(host: string, state: HostState): void {
    const { memberId } = state;
    if (memberId !== undefined && nameOf(memberId) !== host) {
      throw new PeerRefused(`${memberId} is no member id of ${host}`);
    }
    const known = this.#states.get(host);
    this.#states.set(host, state);
    this.#setMember(host, memberId);
    const isNew =
      known?.role !== state.role ||
      known.term !== state.term ||
      known.commitIndex !== state.commitIndex ||
      known.appliedIndex !== state.appliedIndex;
    if (isNew) this.#options.onChange();
  }

  #setMember(host: string, memberId: MemberId | undefined): void {
    const { replica } = this.#options;
    const former = this.#added.get(host);
    if (former === memberId) return;
    if (former !== undefined) replica.removeMember(former);
    if (memberId === undefined) {
      this.#added.delete(host);
    } else {
      this.#added.set(host, memberId);
      replica.addMember(memberId);
    }
  }

  /** Another host's word may be what this one waited for. */
  #foundIfDue(): void {
    const { hostName, hostNames, replica, log } = this.#options;
    if (!replica.isBlank) return;
    const founding = foundingOf({ hostName, hostNames, hasLog: this.#hasLog });
    if (founding === "wait") {
      const hosts = hostNames.filter((name) => name !== hostName && !this.#hasLog.has(name)).join(",");
      log.info("waiting-for-hosts", { hosts });
    }
    if (founding !== "found" || this.#isGroupRemembered()) return;
    if (replica.found()) log.info("group-founded", { member: replica.id });
  }

  /** Boards keep what was agreed when all hosts have lost their disks; founding anew would set all of it aside. */
  #isGroupRemembered(): boolean {
    const { boards, violations } = this.#options;
    const { furthest } = boards;
    if (furthest === undefined || furthest.term === 0) return false;
    violations.add(
      `No host has a log, but ${furthest.name} was led in term ${furthest.term} and has applied ${furthest.appliedIndex} entries: no group is founded. ` +
        "Stop the hosts and run covey recover on one of them, which rebuilds the log from the boards.",
    );
    return true;
  }

  /** A board that is ahead of the leader belongs to an older group than the one that this host founded. */
  #checkBoards(): void {
    const { replica, boards, violations } = this.#options;
    const { furthest } = boards;
    if (!replica.isLeader || furthest === undefined) return;
    const { lastIndex } = replica.status();
    if (furthest.appliedIndex <= lastIndex) return;
    violations.add(
      `${furthest.name} has applied ${furthest.appliedIndex} entries, and the leader's log has ${lastIndex}: what was agreed before is on the boards alone. ` +
        "Stop the hosts, move their folders aside, and run covey recover on one of them.",
    );
  }

  #ownState(): HostState {
    const { replica, tasks } = this.#options;
    const { role, term, commitIndex, appliedIndex, leaderId } = replica.status();
    const figures = { term, commitIndex, appliedIndex, leaderId, memberId: replica.id };
    const { ready, lingering } = tasks;
    return { kind: "state", role: shownRole(role), ...figures, ready, lingering };
  }
}

/** A host that asks whether it would be elected, or catches up for it, is on its way to be a candidate. */
export function shownRole(role: ReturnType<Replica["status"]>["role"]): HostRole {
  return role === "leader" || role === "follower" ? role : "candidate";
}
