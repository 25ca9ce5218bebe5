/**
 * A host in virtual time: the member that ships (`HostMember`) on a simulated disk, its broker's end of real MQTT connections, and what hosts tell each
 * other. It does in one place what `host-tools/leader/` does with sockets and timers.
 */
import { createHash } from "node:crypto";
import { decodeCbor, encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { HostMember } from "../../../../host-tools/leader/raft/host-member.ts";
import type { HostMemberSizes } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { helloFromWire } from "../../../../protocols/messages/codec.ts";
import { boardTopics, publicationTopic } from "../../../../protocols/messages/topics.ts";
import { messageFromWire, messageToWire, publicationToWire } from "../../../../protocols/raft/codec.ts";
import type { Timing } from "../../../../protocols/raft/node-options.ts";
import { hostLimits } from "../../../../protocols/raft/node-options.ts";
import type { Entry, MemberId, Message, Publication } from "../../../../protocols/raft/types.ts";
import type { Random } from "../random.ts";
import { SimulatedDisk } from "../simulated-disk.ts";
import type { BrokerEvents } from "./broker-session.ts";
import { BrokerSession } from "./broker-session.ts";
import { DriftingClock } from "./drifting-clock.ts";
import type { TcpLink } from "./tcp-link.ts";

/** What a host says to another. Any of it may be lost, repeated, late or early. */
export type HostWord =
  /** For the host itself, or for a board at its broker. */
  | { readonly kind: "raft"; readonly payload: Uint8Array }
  | { readonly kind: "publication"; readonly payload: Uint8Array }
  /** Who it is and who is connected to its broker; twice a second and at every change, numbered. */
  | {
      readonly kind: "state";
      readonly number: number;
      readonly id: MemberId;
      readonly boards: readonly MemberId[];
    };

export interface HostSurroundings {
  readonly nowMs: number;
  readonly swarm: string;
  readonly hostNames: readonly string[];
  readonly timing: Timing;
  readonly sizes: Partial<HostMemberSizes>;
  after(delayMs: number, what: () => void): void;
  say(from: string, to: string, word: HostWord): void;
  /** No host of the swarm has a log yet. */
  readonly mayFound: boolean;
  /** After each step. */
  onStep(host: SimulatedHost): void;
  onApplied(host: SimulatedHost, entries: readonly Entry[]): void;
  onRestored(host: SimulatedHost): void;
  onViolation(host: SimulatedHost, violation: string): void;
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

export class SimulatedHost implements BrokerEvents {
  readonly name: string;
  starts = 0;
  readonly #options: HostOptions;
  readonly #surroundings: HostSurroundings;
  #disk: SimulatedDisk;
  #clock: DriftingClock;
  #member: HostMember | undefined;
  /** All connections to its broker. */
  readonly #accepted = new Set<BrokerSession>();
  /** Of boards that said hello, by board. */
  readonly #sessions = new Map<string, BrokerSession>();
  readonly #peers = new Map<string, Peer>();
  /** Whom the member was told to be connected. */
  #told = new Set<MemberId>();
  #stateNumber = 0;
  #wakeMs = Infinity;

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

  get nowMs(): number {
    return this.#clock.at(this.#surroundings.nowMs);
  }

  start(): void {
    if (this.#member !== undefined) return;
    const { random, clockRate, surroundings } = this.#options;
    this.starts++;
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
          throw error;
        },
      },
    });
    this.#member = member;
    this.step(() => member.start(this.nowMs));
    this.#tellState(member);
  }

  /** The process dies; with `powerFails` its disk loses or tears what was not synced. */
  crash(powerFails: boolean, withNotice: boolean): void {
    if (this.#member === undefined) return;
    this.#member = undefined;
    this.#told = new Set();
    this.#peers.clear();
    for (const session of this.#accepted) session.die(withNotice);
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
    if (member === undefined) return;
    if (word.kind === "state") {
      this.#hearState(from, word);
    } else if (word.kind === "publication") {
      this.#publishHere(word.payload);
    } else {
      const message = messageFromWire(decodeCbor(word.payload), hostLimits);
      if (nameOf(message.to) === this.name) this.step(() => member.receive(message, this.nowMs));
      else this.#sendDown(message, word.payload);
    }
  }

  /** The broker's end of a new connection; undefined while nobody listens. */
  accept(link: TcpLink): BrokerSession | undefined {
    if (this.#member === undefined) return undefined;
    const session = new BrokerSession(this.#surroundings.swarm, link, this);
    this.#accepted.add(session);
    return session;
  }

  // For the sessions.

  onPublish(session: BrokerSession, channel: string, payload: Uint8Array): void {
    const member = this.#member;
    if (member === undefined) return;
    if (channel === "hello") this.#onHello(session, payload);
    else if (channel === "raft" && session.member !== undefined) {
      const message = messageFromWire(decodeCbor(payload));
      if (nameOf(message.to) === this.name) this.step(() => member.receive(message, this.nowMs));
      else this.#sayRaft(nameOf(message.to), payload);
    }
  }

  onGone(session: BrokerSession): void {
    this.#accepted.delete(session);
    if (this.#sessions.get(session.board) !== session) return;
    this.#sessions.delete(session.board);
    this.#onConnectionsChanged();
  }

  #onHello(session: BrokerSession, payload: Uint8Array): void {
    const { memberId } = helloFromWire(decodeCbor(payload));
    const before = this.#sessions.get(session.board);
    session.member = memberId;
    this.#sessions.set(session.board, session);
    // MQTT 3.1.1, 3.1.4: a second connection of the same client ends the first.
    if (before !== undefined && before !== session) before.hangUp();
    // A new connection, even of one that is known: what was on the way to it is lost.
    this.#told.delete(memberId);
    this.#onConnectionsChanged();
  }

  #onConnectionsChanged(): void {
    if (this.#member === undefined) return;
    this.#reconcile();
    this.#sayState();
  }

  #hearState(from: string, { number, id, boards }: HostWord & { kind: "state" }): void {
    const before = this.#peers.get(from);
    // Late; a host that was started again counts from where nobody was.
    if (before !== undefined && before.number >= number) return;
    this.#peers.set(from, { number, heardMs: this.#surroundings.nowMs, id, boards });
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
    for (const to of this.#surroundings.hostNames) {
      if (to === this.name) continue;
      this.#surroundings.say(this.name, to, { kind: "state", number, id: this.#member!.id, boards });
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
    session.publish(`${boardTopics(this.#surroundings.swarm, session.board).down}raft`, payload);
    return true;
  }

  #sayRaft(to: string, payload: Uint8Array): void {
    this.#surroundings.say(this.name, to, { kind: "raft", payload });
  }

  /** Encoded once. */
  #publish(publication: Publication): void {
    const payload = encodeCbor(publicationToWire(publication));
    this.#publishHere(payload);
    for (const [name, { boards }] of this.#peers) {
      if (boards.length > 0) this.#surroundings.say(this.name, name, { kind: "publication", payload });
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
    if (this.#member !== member) return;
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
