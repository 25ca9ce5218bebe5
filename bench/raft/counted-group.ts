/**
 * A leading host and its boards, joined by a lossless wire that counts what the leader says: the member that a host runs, the
 * follower that a board runs, the codecs of both, MQTT's framing. No clock runs while it counts, so no heartbeat is among it.
 */
import { createHash } from "node:crypto";
import { decodeCbor, encodeCbor } from "../../host-tools/codec/cbor.ts";
import { HostMember } from "../../host-tools/leader/raft/host-member.ts";
import {
  defaultTiming,
  type ProposeRequest,
  votersKey,
} from "../../host-tools/leader/raft/host-member-types.ts";
import { boardTopics, publicationTopic } from "../../protocols/messages/topics.ts";
import {
  messageFromWire,
  messageToWire,
  publicationFromWire,
  publicationToWire,
} from "../../protocols/raft/codec.ts";
import type { Message, Publication } from "../../protocols/raft/types.ts";
import { Member, productCores } from "../../test/protocols/raft/group/member.ts";
import { SimulatedDisk } from "../../test/simulation/raft/simulated-disk.ts";
import { publishBytes } from "../mqtt-bytes.ts";
import { Sealer } from "../sealed.ts";

/** What was said; `bytes` are as written to a socket, sealed, with MQTT's header and topic, `payloadBytes` without. */
export interface Said {
  messages: number;
  bytes: number;
  payloadBytes: number;
  /** Entries in them. */
  entries: number;
}

export interface Counts {
  /** To all boards that listen, each counted once. */
  readonly publications: Said;
  /** To one board, with entries. */
  readonly appends: Said;
  /** To one board, without: what the leader has committed, and the hash there. A heartbeat is the same. */
  readonly confirmations: Said;
  /** From boards. */
  readonly answers: Said;
  /** Publications times the boards that listen. */
  readonly publicationWrites: number;
}

const swarm = "greenhouse";
const hostName = "a";
const nameOf = (member: string) => member.split(".")[0]!;

export class CountedGroup {
  #counts = noCounts();
  #publicationWrites = 0;
  readonly #host: HostMember;
  readonly #boards = new Map<string, Member>();
  readonly #syncing: (() => void)[] = [];
  readonly #sealer = new Sealer(publicationTopic(swarm));
  readonly #wire: (() => void)[] = [];
  #nowMs = 0;

  /** `boards` boards, of which the first `votingBoards` vote with the host. All have joined, nothing is on the way. */
  constructor(boards: number, votingBoards: number) {
    const names = Array.from({ length: boards }, (_, number) => `board-${number + 1}`);
    const ids = names.map((name) => `${name}.5f3a90c2`);
    this.#host = HostMember.open({
      hostName,
      hostNames: [hostName],
      mayFound: true,
      disk: new SimulatedDisk({ schedule: (complete) => this.#syncing.push(complete) }),
      sha256: (bytes) => createHash("sha256").update(bytes).digest(),
      random: () => 0.5,
      timing: defaultTiming,
      nowMs: 0,
      events: {
        send: (message) => this.#send(message),
        publish: (publication) => this.#publish(publication),
        onApplied: () => {},
        onRestored: () => {},
        onViolation: (violation) => {
          throw new Error(violation);
        },
        onFailure: (error) => {
          throw error;
        },
      },
    });
    this.#host.start(0);
    this.#settle();
    for (const id of ids) this.#join(id);
    this.#settle();
    this.set([{ key: votersKey, value: names.slice(0, votingBoards).join(",") }]);
    for (let wanted = 1 + votingBoards, tries = 0; this.#host.status(0).voters.length < wanted; tries++) {
      if (tries > 4 * boards) throw new Error(`${boards} boards do not settle on ${wanted} voters.`);
      this.#nowMs += defaultTiming.heartbeatMs;
      this.#host.tick(this.#nowMs);
      this.#settle();
    }
    this.reset();
  }

  get counts(): Counts {
    return { ...this.#counts, publicationWrites: this.#publicationWrites };
  }

  reset(): void {
    this.#counts = noCounts();
    this.#publicationWrites = 0;
  }

  /** Proposes all of them at once, and delivers until every board has applied them and said so. */
  set(requests: readonly ProposeRequest[]): void {
    let committed = 0;
    for (const request of requests) {
      this.#host.propose(request, this.#nowMs, (outcome) => {
        if (!(outcome instanceof Error)) committed++;
        else throw outcome;
      });
    }
    this.#settle();
    if (committed !== requests.length)
      throw new Error(`${committed} of ${requests.length} commands were committed.`);
    for (const { id, appliedIndex } of this.#boards.values()) {
      if (appliedIndex !== this.#host.appliedIndex)
        throw new Error(`${id} has applied ${appliedIndex} of ${this.#host.appliedIndex} entries.`);
    }
  }

  #join(id: string): void {
    const member = new Member({
      id,
      isHost: false,
      cores: productCores,
      timing: defaultTiming,
      random: () => 0.5,
      checkQuorum: true,
      events: {
        onSend: (message) => this.#answer(message),
        onApplied: () => {},
        onViolation: (_, violation) => {
          throw new Error(`${id}: ${violation}`);
        },
      },
    });
    member.start(0);
    this.#boards.set(id, member);
    this.#host.addMember(id);
  }

  /** First the disk, then the wire, first in first out, until neither has anything left. */
  #settle(): void {
    for (;;) {
      const step = this.#syncing.shift() ?? this.#wire.shift();
      if (step === undefined) return;
      step();
    }
  }

  #send(message: Message): void {
    const payload = encodeCbor(messageToWire(message));
    const entries = message.type === "append-request" ? message.entries.length : 0;
    const said = entries > 0 ? this.#counts.appends : this.#counts.confirmations;
    const topic = `${boardTopics(swarm, nameOf(message.to)).down}raft`;
    count(said, topic, payload, this.#sealer.record(topic, payload), entries);
    const received = messageFromWire(decodeCbor(payload));
    this.#wire.push(() => this.#onBoard(message.to, (member) => member.receive(received, this.#nowMs)));
  }

  #publish(publication: Publication): void {
    const payload = encodeCbor(publicationToWire(publication));
    const sealed = this.#sealer.publication(payload);
    count(this.#counts.publications, publicationTopic(swarm), payload, sealed, publication.entries.length);
    const received = publicationFromWire(decodeCbor(payload));
    for (const { id, listens } of this.#host.status(this.#nowMs).members) {
      if (!listens) continue;
      this.#publicationWrites++;
      this.#wire.push(() => this.#onBoard(id, (member) => member.hear(received)));
    }
  }

  #onBoard(id: string, act: (member: Member) => void): void {
    const member = this.#boards.get(id)!;
    act(member);
    while (member.hasUnsynced) member.sync();
  }

  #answer(message: Message): void {
    const payload = encodeCbor(messageToWire(message));
    const topic = `${boardTopics(swarm, nameOf(message.from)).up}raft`;
    count(this.#counts.answers, topic, payload, this.#sealer.record(topic, payload), 0);
    const received = messageFromWire(decodeCbor(payload));
    this.#wire.push(() => this.#host.receive(received, this.#nowMs));
  }
}

function count(said: Said, topic: string, payload: Uint8Array, sealed: Uint8Array, entries: number): void {
  said.messages++;
  said.bytes += publishBytes(topic, sealed);
  said.payloadBytes += payload.length;
  said.entries += entries;
}

function noCounts(): Omit<Counts, "publicationWrites"> {
  const none = (): Said => ({ messages: 0, bytes: 0, payloadBytes: 0, entries: 0 });
  return { publications: none(), appends: none(), confirmations: none(), answers: none() };
}
