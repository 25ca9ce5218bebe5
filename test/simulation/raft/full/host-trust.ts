/** Whom a host in virtual time believes, and the key under which it publishes: in RAM, made anew with each of its processes. */
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { publicationTopic } from "../../../../protocols/messages/topics.ts";
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import { GroupSender } from "../../../../protocols/security/group/group-records.ts";
import {
  makeSenderKey,
  type SenderKey,
  senderKeyToWire,
} from "../../../../protocols/security/group/sender-key.ts";
import { type Known, Roster } from "../../../../protocols/security/identity/roster.ts";
import type { EndOptions } from "../../../../protocols/security/session/end.ts";
import type { SecureSession } from "../../../../protocols/security/session/secure-session.ts";
import type { StateValue } from "../../../../protocols/state/command.ts";

const rememberedMax = 64;

export class HostTrust {
  readonly own: MemberSecrets;
  /** The last session of each board, for a refresh when it comes back. */
  readonly kept = new Map<string, SecureSession>();
  readonly #ciphers: Ciphers;
  readonly #swarm: string;
  readonly #roster: Roster;
  #offered: StateValue | undefined;
  #sender: GroupSender;
  /** Of the other hosts. */
  readonly #senderKeys = new Map<string, SenderKey>();

  constructor(swarm: string, own: MemberSecrets, ciphers: Ciphers) {
    this.own = own;
    this.#swarm = swarm;
    this.#ciphers = ciphers;
    this.#roster = new Roster(ciphers, own.root, swarm, rememberedMax);
    this.#sender = this.#newSender();
  }

  get epoch(): number {
    return this.#roster.epoch;
  }

  /** Its own. */
  get senderKey(): SenderKey {
    return this.#sender.key;
  }

  /** For this host's end of a session with the board of this name. */
  endFor(board: string): EndOptions {
    const admits = ({ identity }: Known) => identity.role === "board" && identity.name === board;
    return { ciphers: this.#ciphers, own: this.own, roster: this.#roster, admits };
  }

  /** Who has this signed identity; undefined for nobody who belongs. */
  admit(signed: Uint8Array): Known | undefined {
    return this.#roster.admit(signed);
  }

  belongs(known: Known): boolean {
    return this.#roster.belongs(known);
  }

  /** Takes what the agreed state, or a log that may become it, has under `rosterKey`; whether it is a later statement. */
  takeRoster(offered: StateValue | undefined): boolean {
    if (offered === this.#offered) return false;
    this.#offered = offered;
    if (!(offered instanceof Uint8Array) || !this.#roster.take(Uint8Array.from(offered))) return false;
    this.#sender = this.#newSender();
    for (const [host, { epoch }] of this.#senderKeys) if (epoch < this.epoch) this.#senderKeys.delete(host);
    return true;
  }

  /** Another host's key; whether boards are to be told. One of a later epoch waits until it is known who was revoked, as in `GroupKeys`. */
  takeSenderKey(key: SenderKey): boolean {
    const before = this.#senderKeys.get(key.host);
    if (key.epoch < this.epoch || (before !== undefined && Buffer.compare(before.id, key.id) === 0))
      return false;
    this.#senderKeys.set(key.host, key);
    return key.epoch === this.epoch;
  }

  /** For a member: all keys under which it may hear something. */
  keysToWire(): Uint8Array[] {
    const others = [...this.#senderKeys.values()].filter(({ epoch }) => epoch === this.epoch);
    return [this.senderKey, ...others].map((key) => encodeCbor(senderKeyToWire(key)));
  }

  sealPublication(payload: Uint8Array): Uint8Array {
    return this.#sender.seal(payload);
  }

  #newSender(): GroupSender {
    const key = makeSenderKey(this.#ciphers, this.own.identity.name, this.#roster.epoch);
    return new GroupSender(this.#ciphers, key, publicationTopic(this.#swarm));
  }
}
