/**
 * A host in virtual time: the member that ships (`HostMember`) on a simulated disk, its end of real MQTT connections and of the sessions on them, and what
 * hosts tell each other. It does in one place what `host-tools/leader/` does with sockets and timers. What hosts tell each other passes as it is: of their
 * sessions only who belongs is simulated.
 */
import { createHash } from "node:crypto";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { HostMember } from "../../../../host-tools/leader/raft/host-member.ts";
import type { HostMemberSizes } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { healthFromWire, helloFromWire, timeAnswerToWire } from "../../../../protocols/messages/codec.ts";
import { publicationTopic } from "../../../../protocols/messages/topics.ts";
import { messageFromWire, messageToWire, publicationToWire } from "../../../../protocols/raft/codec.ts";
import type { Timing } from "../../../../protocols/raft/node-options.ts";
import { hostLimits } from "../../../../protocols/raft/node-options.ts";
import type { Entry, MemberId, Message, Publication } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import type { SenderKey } from "../../../../protocols/security/group/sender-key.ts";
import { rosterKey } from "../../../../protocols/security/identity/roster.ts";
import { commandFromWire } from "../../../../protocols/state/codec.ts";
import type { Random } from "../random.ts";
import { SimulatedDisk } from "../simulated-disk.ts";
import type { BoardSessionEvents } from "./board-session.ts";
import { BoardSession } from "./board-session.ts";
import type { BrokerEvents } from "./broker-session.ts";
import { BrokerSession } from "./broker-session.ts";
import { DriftingClock } from "./drifting-clock.ts";
import { forgedPreVote, forgeryAnswered } from "./forged-request.ts";
import { HostTrust } from "./host-trust.ts";
import type { HostileBroker } from "./hostile-broker.ts";
import type { Provisioning } from "./provisioning.ts";
import type { TcpLink } from "./tcp-link.ts";

/** What a host says to another. Any of it may be lost, repeated, late or early. */
export type HostWord =
  /** For the host itself, or for a board at its broker. */
  | { readonly kind: "raft"; readonly payload: Uint8Array }
  | { readonly kind: "publication"; readonly payload: Uint8Array }
  /** Claims of a board, from the host where it is; grants to it. */
  | { readonly kind: "claim" | "grant"; readonly board: string; readonly payload: Uint8Array }
  /** Who it is and who is connected to its broker; twice a second and at every change, numbered. */
  | {
      readonly kind: "state";
      readonly number: number;
      readonly id: MemberId;
      readonly boards: readonly MemberId[];
      /** Under which it publishes. */
      readonly senderKey: SenderKey;
    };

export interface HostSurroundings {
  readonly nowMs: number;
  readonly swarm: string;
  readonly hostNames: readonly string[];
  readonly timing: Timing;
  readonly sizes: Partial<HostMemberSizes>;
  readonly provisioning: Provisioning;
  readonly hostile: HostileBroker;
  ciphersOf(member: string): Ciphers;
  /** How often that board has started. */
  bootsOf(board: string): number;
  after(delayMs: number, what: () => void): void;
  say(from: string, to: string, word: HostWord): void;
  /** Hosts tell boards what time it is: the world's. */
  readonly tellsTime: boolean;
  /** No host of the swarm has a log yet. */
  readonly mayFound: boolean;
  /** After each step. */
  onStep(host: SimulatedHost): void;
  onApplied(host: SimulatedHost, entries: readonly Entry[]): void;
  onRestored(host: SimulatedHost): void;
  onViolation(host: SimulatedHost, violation: string): void;
  onSenderKey(key: SenderKey): void;
  /** A board has answered to what a host forged in the name of another. */
  onBelieved(forgery: number): void;
  /** A board that is connected here tells of actions. */
  onAction?(host: SimulatedHost, board: string, payload: Uint8Array): void;
  /** A board, connected here or elsewhere, claims tasks. */
  onClaim?(host: SimulatedHost, board: string, payload: Uint8Array): void;
  /** The same of registers. */
  onRegister?(host: SimulatedHost, board: string, payload: Uint8Array): void;
  note(text: string): void;
}

export interface HostOptions {
  readonly name: string;
  readonly surroundings: HostSurroundings;
  readonly random: Random;
  readonly clockRate: number;
  /** How long the next sync takes, ms. */
  readonly syncMs: () => number;
}

const stateEveryMs = 500;
/** A host that was silent for so long has no boards. */
const peerSilenceMs = 5_000;

interface Peer {
  readonly number: number;
  readonly heardMs: number;
  readonly id: MemberId;
  readonly boards: readonly MemberId[];
}

export class SimulatedHost implements BrokerEvents, BoardSessionEvents {
  readonly name: string;
  starts = 0;
  readonly #options: HostOptions;
  readonly #surroundings: HostSurroundings;
  #disk: SimulatedDisk;
  #clock: DriftingClock;
  #member: HostMember | undefined;
  #trust: HostTrust | undefined;
  /** All connections to its broker, and what it made of those that it let in. */
  readonly #accepted = new Map<BrokerSession, BoardSession | undefined>();
  /** Of boards that said hello, by board. */
  readonly #sessions = new Map<string, BoardSession>();
  readonly #peers = new Map<string, Peer>();
  /** Whom the member was told to be connected. */
  #told = new Set<MemberId>();
  readonly #applied = new Map<MemberId, number>();
  #stateNumber = 0;
  #wakeMs = Infinity;
  /** Thrown behind the step: the member itself would take it for a second one that comes of the first. */
  #failure: Error | undefined;

  constructor(options: HostOptions) {
    this.name = options.name;
    this.#options = options;
    this.#surroundings = options.surroundings;
    this.#disk = this.#newDisk();
    this.#clock = new DriftingClock(0, 0, 1);
  }

  /** undefined while it is down. */
  get member(): HostMember | undefined {
    return this.#member;
  }

  /** undefined while it is down. */
  get trust(): HostTrust | undefined {
    return this.#trust;
  }

  /** With boards that have proved who they are and said hello, by board. */
  get sessions(): ReadonlyMap<string, BoardSession> {
    return this.#sessions;
  }

  /** Boards and hosts, here and at other hosts. */
  get connectedMembers(): Iterable<MemberId> {
    return this.#told;
  }

  /** How far that member has applied, as far as it has said. */
  appliedOf(member: MemberId): number {
    return this.#applied.get(member) ?? 0;
  }

  /** To a board, wherever it is connected. */
  tellLease(board: string, payload: Uint8Array): void {
    const session = this.#sessions.get(board);
    if (session !== undefined) session.send("lease", payload);
    const at = [...this.#peers].find(([, { boards }]) => boards.some((id) => nameOf(id) === board))?.[0];
    if (session === undefined && at !== undefined) this.#say(at, { kind: "grant", board, payload });
  }

  get nowMs(): number {
    return this.#clock.at(this.#surroundings.nowMs);
  }

  start(): void {
    if (this.#member !== undefined) return;
    const { random, clockRate, surroundings } = this.#options;
    const { swarm, provisioning } = surroundings;
    this.starts++;
    this.#trust = new HostTrust(swarm, provisioning.of(this.name), surroundings.ciphersOf(this.name));
    surroundings.onSenderKey(this.#trust.senderKey);
    this.#clock = new DriftingClock(surroundings.nowMs, random.between(0, 100_000), clockRate);
    const member: HostMember = HostMember.open({
      hostName: this.name,
      hostNames: surroundings.hostNames,
      mayFound: surroundings.hostNames[0] === this.name && surroundings.mayFound,
      disk: this.#disk,
      sha256: (bytes) => createHash("sha256").update(bytes).digest(),
      random: random.next,
      timing: surroundings.timing,
      nowMs: this.nowMs,
      sizes: surroundings.sizes,
      events: {
        send: (message) => this.#send(message),
        publish: (publication) => this.#publish(publication),
        onApplied: (entries) => surroundings.onApplied(this, entries),
        onRestored: () => surroundings.onRestored(this),
        onViolation: (violation) => surroundings.onViolation(this, violation),
        onFailure: (error) => {
          this.#failure = error;
        },
      },
    });
    this.#member = member;
    this.#recallRoster(member);
    this.step(() => member.start(this.nowMs));
    this.#tellState(member);
  }

  /** The process dies; with `powerFails` its disk loses or tears what was not synced. */
  crash(powerFails: boolean, withNotice: boolean): void {
    if (this.#member === undefined) return;
    this.#member = undefined;
    this.#trust = undefined;
    this.#told = new Set();
    this.#applied.clear();
    this.#peers.clear();
    for (const session of this.#accepted.keys()) session.die(withNotice);
    this.#accepted.clear();
    this.#sessions.clear();
    this.#disk = powerFails ? this.#disk.powerCut(this.#options.random.next) : this.#disk.processCrash();
  }

  /** Only while it is down: it will come back as someone new. */
  loseDisk(): void {
    this.#disk = this.#newDisk();
  }

  /** Lets the member do something, then looks at what came of it. */
  step(what: (member: HostMember) => void): void {
    const member = this.#member;
    if (member === undefined) return;
    what(member);
    this.#afterStep(member);
  }

  hear(from: string, word: HostWord): void {
    const member = this.#member;
    if (member === undefined || !this.#belongs(from)) return;
    if (word.kind === "state") {
      this.#hearState(from, word);
    } else if (word.kind === "publication") {
      this.#publishHere(word.payload);
    } else if (word.kind === "claim") {
      this.#surroundings.onClaim?.(this, word.board, word.payload);
    } else if (word.kind === "grant") {
      this.#sessions.get(word.board)?.send("lease", word.payload);
    } else {
      const message = messageFromWire(decodeCbor(word.payload), hostLimits);
      this.#noteApplied(message);
      if (nameOf(message.to) === this.name) this.step(() => member.receive(message, this.nowMs));
      else this.#sendDown(message, word.payload);
    }
  }

  /** The broker's end of a new connection; undefined while nobody listens. */
  accept(link: TcpLink): BrokerSession | undefined {
    if (this.#member === undefined) return undefined;
    const { swarm, hostile } = this.#surroundings;
    const session = new BrokerSession(swarm, link, hostile, this);
    this.#accepted.set(session, undefined);
    return session;
  }

  /** Somebody broke into it: it speaks to one of its boards in the name of another host, which it is to find out by. */
  forge(board: string, as: MemberId, number: number): void {
    const session = this.#sessions.get(board);
    if (session?.member === undefined) return;
    session.send("raft", encodeCbor(messageToWire(forgedPreVote(as, session.member, number))));
  }

  // For the connections.

  onConnect(connection: BrokerSession, password: Uint8Array): boolean {
    const trust = this.#trust;
    const known = trust?.admit(password);
    if (trust === undefined || known?.identity.role !== "board") return false;
    if (known.identity.name !== connection.board) return false;
    // MQTT 3.1.1, 3.1.4: a second connection of the same client ends the first.
    for (const other of this.#accepted.keys()) {
      if (other !== connection && other.board === connection.board) other.hangUp();
    }
    this.#accepted.set(
      connection,
      new BoardSession(this.#surroundings.swarm, connection, known, trust, this),
    );
    return true;
  }

  onPublish(connection: BrokerSession, channel: string, payload: Uint8Array): void {
    this.#accepted.get(connection)?.receive(channel, payload);
  }

  onGone(connection: BrokerSession): void {
    const session = this.#accepted.get(connection);
    this.#accepted.delete(connection);
    if (session === undefined || this.#sessions.get(session.board) !== session) return;
    this.#sessions.delete(session.board);
    this.#onConnectionsChanged();
  }

  // For the sessions.

  onUp(session: BoardSession): void {
    this.#handKeys(session);
  }

  onMessage(session: BoardSession, channel: string, payload: Uint8Array): void {
    const member = this.#member;
    if (member === undefined) return;
    if (channel === "hello") this.#onHello(session, payload);
    else if (channel === "health") this.#tellTime(session, payload);
    else if (channel === "action") this.#surroundings.onAction?.(this, session.board, payload);
    else if (channel === "register") this.#surroundings.onRegister?.(this, session.board, payload);
    // The hello was lost, or held up: nobody would know of the board.
    else if (session.member === undefined) session.hangUp();
    else if (channel === "lease") this.#onClaim(session.board, payload);
    else if (channel === "raft") {
      const message = messageFromWire(decodeCbor(payload));
      if (message.from !== session.member) return;
      this.#noteApplied(message);
      const forgery = forgeryAnswered(message);
      if (forgery !== undefined) this.#surroundings.onBelieved(forgery);
      else if (nameOf(message.to) === this.name) this.step(() => member.receive(message, this.nowMs));
      else this.#sayRaft(nameOf(message.to), payload);
    }
  }

  #onHello(session: BoardSession, payload: Uint8Array): void {
    const { memberId, appliedIndex } = helloFromWire(decodeCbor(payload));
    if (nameOf(memberId) !== session.board) {
      session.hangUp();
      return;
    }
    session.member = memberId;
    this.#applied.set(memberId, Math.max(appliedIndex, this.appliedOf(memberId)));
    session.boots = this.#surroundings.bootsOf(session.board);
    this.#sessions.set(session.board, session);
    // A new connection, even of one that is known: what was on the way to it is lost.
    this.#told.delete(memberId);
    this.#onConnectionsChanged();
  }

  #tellTime(session: BoardSession, payload: Uint8Array): void {
    if (!this.#surroundings.tellsTime) return;
    const { sentMs } = healthFromWire(decodeCbor(payload));
    const answer = timeAnswerToWire({ askedMs: sentMs, toldMs: this.#surroundings.nowMs });
    session.send("time", encodeCbor(answer));
  }

  /** As its own registry and the other hosts have it. */
  #onClaim(board: string, payload: Uint8Array): void {
    this.#surroundings.onClaim?.(this, board, payload);
    for (const to of this.#surroundings.hostNames) {
      if (to !== this.name) this.#say(to, { kind: "claim", board, payload });
    }
  }

  #noteApplied(message: Message): void {
    if (message.type === "append-response") this.#applied.set(message.from, message.appliedIndex);
  }

  #handKeys(session: BoardSession): void {
    for (const key of this.#trust!.keysToWire()) session.send("group", key);
  }

  #handKeysToAll(): void {
    for (const session of this.#accepted.values()) if (session?.peer !== undefined) this.#handKeys(session);
  }

  /** The agreed state says who belongs: whoever does not any more is sent away, and all others get a new key. */
  #followRoster(member: HostMember): void {
    const trust = this.#trust!;
    if (!trust.takeRoster(member.state.get(rosterKey))) return;
    this.#surroundings.onSenderKey(trust.senderKey);
    for (const session of this.#accepted.values()) {
      if (session !== undefined && !trust.belongs(session.connected)) session.hangUp();
    }
    for (const name of this.#peers.keys()) if (!this.#belongs(name)) this.#peers.delete(name);
    this.#handKeysToAll();
    this.#onConnectionsChanged();
  }

  /** A statement that its log holds counts before it is known to be committed: the root has signed it. */
  #recallRoster({ log }: HostMember): void {
    for (let index = log.firstIndex; index <= log.lastIndex; index++) {
      const { kind, data } = log.entry(index);
      if (kind !== EntryKind.put) continue;
      const { key, value } = commandFromWire(decodeCbor(data));
      if (key === rosterKey && this.#trust!.takeRoster(value)) {
        this.#surroundings.onSenderKey(this.#trust!.senderKey);
      }
    }
  }

  /** Whether the root still vouches for this host. */
  #belongs(host: string): boolean {
    return this.#trust?.admit(this.#surroundings.provisioning.of(host).signed) !== undefined;
  }

  #onConnectionsChanged(): void {
    if (this.#member === undefined) return;
    this.#reconcile();
    this.#sayState();
  }

  #hearState(from: string, { number, id, boards, senderKey }: HostWord & { kind: "state" }): void {
    const before = this.#peers.get(from);
    // Late; a host that was started again counts from where nobody was.
    if (before !== undefined && before.number >= number) return;
    this.#peers.set(from, { number, heardMs: this.#surroundings.nowMs, id, boards });
    if (this.#trust!.takeSenderKey(senderKey)) this.#handKeysToAll();
    this.#reconcile();
  }

  /** Tells the member who is connected: to its own broker, as a host, or to another host's broker. */
  #reconcile(): void {
    const present = new Set<MemberId>();
    for (const { member } of this.#sessions.values()) if (member !== undefined) present.add(member);
    for (const [name, peer] of this.#peers) {
      if (this.#surroundings.nowMs - peer.heardMs > peerSilenceMs) this.#peers.delete(name);
      else for (const id of [peer.id, ...peer.boards]) present.add(id);
    }
    for (const id of this.#told) {
      if (present.has(id)) continue;
      this.#told.delete(id);
      this.step((member) => member.removeMember(id));
    }
    for (const id of present) {
      if (this.#told.has(id)) continue;
      this.#told.add(id);
      this.step((member) => member.addMember(id));
    }
  }

  /** For as long as this process lives. */
  #tellState(member: HostMember): void {
    if (this.#member !== member) return;
    this.#reconcile();
    this.#sayState();
    this.#surroundings.after(stateEveryMs, () => this.#tellState(member));
  }

  #sayState(): void {
    const boards = [...this.#sessions.values()].flatMap(({ member }) =>
      member === undefined ? [] : [member],
    );
    // The start counts more than what was said before it.
    const number = this.starts * 1_000_000 + this.#stateNumber++;
    const { senderKey } = this.#trust!;
    for (const to of this.#surroundings.hostNames) {
      if (to !== this.name) this.#say(to, { kind: "state", number, id: this.#member!.id, boards, senderKey });
    }
  }

  #send(message: Message): void {
    const payload = encodeCbor(messageToWire(message));
    if (this.#surroundings.hostNames.includes(nameOf(message.to))) this.#sayRaft(nameOf(message.to), payload);
    else if (!this.#sendDown(message, payload)) {
      const relay = [...this.#peers].find(([, { boards }]) => boards.includes(message.to))?.[0];
      if (relay !== undefined) this.#sayRaft(relay, payload);
    }
  }

  /** To a board at this broker; whether there is one. */
  #sendDown(message: Message, payload: Uint8Array): boolean {
    const session = this.#sessions.get(nameOf(message.to));
    if (session?.member !== message.to) return false;
    session.send("raft", payload);
    return true;
  }

  #sayRaft(to: string, payload: Uint8Array): void {
    this.#say(to, { kind: "raft", payload });
  }

  #say(to: string, word: HostWord): void {
    if (this.#belongs(to)) this.#surroundings.say(this.name, to, word);
  }

  /** Encoded and sealed once. */
  #publish(publication: Publication): void {
    const payload = this.#trust!.sealPublication(encodeCbor(publicationToWire(publication)));
    this.#publishHere(payload);
    for (const [name, { boards }] of this.#peers) {
      if (boards.length > 0) this.#say(name, { kind: "publication", payload });
    }
  }

  #publishHere(payload: Uint8Array): void {
    const topic = publicationTopic(this.#surroundings.swarm);
    for (const session of this.#sessions.values()) session.publish(topic, payload);
  }

  #newDisk(): SimulatedDisk {
    const { surroundings, syncMs } = this.#options;
    return new SimulatedDisk({
      // What a sync leads to is a step like any other.
      schedule: (complete) => {
        surroundings.after(syncMs(), () => {
          const member = this.#member;
          complete();
          if (member !== undefined) this.#afterStep(member);
        });
      },
    });
  }

  #afterStep(member: HostMember): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#member !== member) return;
    this.#followRoster(member);
    this.#surroundings.onStep(this);
    this.#wake(member);
  }

  #wake(member: HostMember): void {
    const atMs = Math.max(this.#surroundings.nowMs, this.#clock.whenAt(member.deadlineMs));
    if (atMs === this.#wakeMs) return;
    this.#wakeMs = atMs;
    this.#surroundings.after(atMs - this.#surroundings.nowMs, () => {
      if (this.#member !== member || this.#wakeMs !== atMs) return;
      this.#wakeMs = Infinity;
      this.step(() => member.tick(this.nowMs));
    });
  }
}
