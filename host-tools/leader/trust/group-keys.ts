/**
 * The keys that publications are sealed under, of this host and of the others: each host makes its own and hands it to all who belong, boards and hosts,
 * within their sessions. When somebody is revoked every host makes a new one, which that one does not get.
 *
 * Hosts hear of a revocation one after the other. So a key of a later epoch than this host's waits: until this host knows who was revoked, it might
 * hand it to that one. And a key of an earlier epoch, which somebody has who was revoked since, is let pass by: the host that it comes from makes
 * another one as soon as it has heard.
 */
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { publicationTopic } from "../../../protocols/messages/topics.ts";
import { GroupSender } from "../../../protocols/security/group/group-records.ts";
import {
  makeSenderKey,
  type SenderKey,
  senderKeyFromWire,
  senderKeyToWire,
} from "../../../protocols/security/group/sender-key.ts";
import { ProtocolRefused } from "../broker/broker-refusals.ts";
import type { HostFrame } from "../hosts/host-frames.ts";
import type { Membership } from "./membership.ts";

export interface GroupKeyEvents {
  /** For channel `group` of each board whose session is up. */
  tellBoards(payload: Uint8Array): void;
  tellHosts(frame: HostFrame): void;
}

export class GroupKeys {
  readonly #membership: Membership;
  readonly #hostName: string;
  readonly #topic: string;
  readonly #events: GroupKeyEvents;
  /** Of the other hosts, by name. */
  readonly #others = new Map<string, SenderKey>();
  #sender: GroupSender;

  constructor(membership: Membership, events: GroupKeyEvents) {
    const { swarm, name } = membership.own.identity;
    this.#membership = membership;
    this.#hostName = name;
    this.#topic = publicationTopic(swarm);
    this.#events = events;
    this.#sender = this.#newSender();
  }

  /** A publication of this host. */
  seal(payload: Uint8Array): Uint8Array {
    if (this.#sender.isWorn) this.#replace();
    return this.#sender.seal(payload);
  }

  /** What a board is told whose session has come up: the key of each host. */
  get payloads(): Uint8Array[] {
    return [this.#sender.key, ...this.#othersOfEpoch].map(payloadOf);
  }

  /** What a host is told that has connected. */
  get frame(): HostFrame & { kind: "sender-key" } {
    return { kind: "sender-key", key: senderKeyToWire(this.#sender.key) };
  }

  /** Another host's key. @throws {ShapeError | ProtocolRefused} */
  take(host: string, wire: CborValue): void {
    const key = senderKeyFromWire(wire);
    if (key.host !== host || host === this.#hostName) {
      throw new ProtocolRefused(`a sender key of ${key.host} on the connection of ${host}`);
    }
    const { epoch } = this.#membership.roster;
    if (key.epoch < epoch) return;
    this.#others.set(host, key);
    if (key.epoch === epoch) this.#events.tellBoards(payloadOf(key));
  }

  /** The epoch has risen, and whoever was revoked is cut off already. */
  renew(): void {
    const { epoch } = this.#membership.roster;
    // Whoever comes from now on need not hear of a key that a revoked member knows.
    for (const [host, key] of this.#others) if (key.epoch < epoch) this.#others.delete(host);
    this.#replace();
    for (const key of this.#othersOfEpoch) this.#events.tellBoards(payloadOf(key));
  }

  /** Those that every board may have that is connected here. */
  get #othersOfEpoch(): SenderKey[] {
    const { epoch } = this.#membership.roster;
    return [...this.#others.values()].filter((key) => key.epoch === epoch);
  }

  #replace(): void {
    this.#sender = this.#newSender();
    this.#events.tellBoards(payloadOf(this.#sender.key));
    this.#events.tellHosts(this.frame);
  }

  #newSender(): GroupSender {
    const { ciphers, roster } = this.#membership;
    return new GroupSender(ciphers, makeSenderKey(ciphers, this.#hostName, roster.epoch), this.#topic);
  }
}

function payloadOf(key: SenderKey): Uint8Array {
  return encodeCbor(senderKeyToWire(key));
}
