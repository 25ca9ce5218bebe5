/** What the hosts of a test know of who belongs, and their ends of the sessions with its boards. */
import type { MemberSecrets } from "../../../host-tools/security/member-file.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { GroupSender } from "../../../protocols/security/group/group-records.ts";
import { makeSenderKey, senderKeyToWire } from "../../../protocols/security/group/sender-key.ts";
import { Roster } from "../../../protocols/security/identity/roster.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import type { SecureSession } from "../../../protocols/security/session/secure-session.ts";
import { Random } from "../../simulation/raft/random.ts";
import { seededCiphers } from "../../simulation/seeded-ciphers.ts";
import { hostNameAt, memberOf, root, swarm } from "./members.ts";

/** What passes on `edhoc`, either way. */
export interface Frame {
  readonly port: number;
  readonly fromBoard: boolean;
  readonly bytes: Uint8Array;
}

/** All chance comes from one seed, so that a test goes the same way each time, and a figure repeats. */
export class HostTrust {
  readonly #ciphers = seededCiphers(new Random(1).next);
  readonly roster = new Roster(this.#ciphers, root.keys.publicKey, swarm, 16);
  readonly frames: Frame[] = [];
  /** Who answers at a port, if not the host that ought to. */
  readonly impostors = new Map<number, MemberSecrets>();
  /** Whose root vouches for whom at these impostors. */
  impostorRoster: Roster | undefined;
  /** Handshakes and refreshes that came to their end. */
  handshakes = 0;
  refreshes = 0;
  /** Sessions as they were up last, by port; empty it, and the hosts have forgotten all. */
  readonly kept = new Map<number, SecureSession>();
  /** What the boards' chips compute with. */
  boardCiphers: Ciphers = seededCiphers(new Random(2).next);
  #sender: GroupSender | undefined;

  memberAt(port: number): MemberSecrets {
    return this.impostors.get(port) ?? memberOf("host", hostNameAt(port));
  }

  responder(port: number): SessionResponder {
    const roster = this.impostors.has(port) ? (this.impostorRoster ?? this.roster) : this.roster;
    const admits = ({ identity }: { identity: { role: string } }) => identity.role === "board";
    const options = { ciphers: this.#ciphers, own: this.memberAt(port), roster, admits };
    return new SessionResponder(options, this.kept.get(port));
  }

  /** Of the host with this name, under a key of its own for each name and epoch. */
  sender(host: string): GroupSender {
    const { key } = this.#sender ?? {};
    if (key?.host !== host || key.epoch !== this.roster.epoch) {
      const made = makeSenderKey(this.#ciphers, host, this.roster.epoch);
      this.#sender = new GroupSender(this.#ciphers, made, `covey/${swarm}/all/raft`);
    }
    return this.#sender!;
  }

  /** The payload that hands a board that key. */
  keyOf(host: string): Uint8Array {
    return encodeCbor(senderKeyToWire(this.sender(host).key));
  }
}
