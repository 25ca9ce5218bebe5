/** A board and a host of one swarm, with everything that their sessions need, and a wire between them that the test holds in its hands. */
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { type Known, Roster } from "../../../protocols/security/identity/roster.ts";
import type { EndOptions, OwnIdentity, Step } from "../../../protocols/security/session/end.ts";
import { SessionInitiator } from "../../../protocols/security/session/initiator.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import type { SecureSession } from "../../../protocols/security/session/secure-session.ts";
import { TestRoot } from "../../members.ts";

export const swarm = "greenhouse";

export class Pair {
  readonly root = new TestRoot(swarm);
  readonly board: End;
  readonly host: End;
  initiator: SessionInitiator;
  responder: SessionResponder;

  constructor(ciphers: Ciphers = nodeCiphers) {
    this.board = new End(this.root, this.root.issue("board", "north-1"), ciphers, "main");
    this.host = new End(this.root, this.root.issue("host", "main"), ciphers, "north-1");
    this.initiator = new SessionInitiator(this.board.options);
    this.responder = new SessionResponder(this.host.options);
  }

  /** A new connection, as it is after one broke: both remember what they had. */
  reconnect(kept = this.initiator.session): void {
    this.initiator = new SessionInitiator(this.board.options, kept);
    this.responder = new SessionResponder(this.host.options, this.responder.session);
  }

  /** Carries frames to and fro until nobody says anything more; gives every step, and tells `see` each frame. */
  carry(first: Uint8Array | undefined, see: (frame: Uint8Array, toHost: boolean) => void = () => {}): Step[] {
    const steps: Step[] = [];
    let frame = first;
    for (let toHost = true; frame !== undefined && steps.length < 20; toHost = !toHost) {
      see(frame, toHost);
      const step: Step = (toHost ? this.responder : this.initiator).take(frame);
      steps.push(step);
      frame = step.send;
    }
    return steps;
  }

  /** A session that is up, by a handshake. */
  up(): this {
    this.carry(this.initiator.start());
    if (!this.initiator.isUp || !this.responder.isUp) throw new Error("The handshake failed.");
    return this;
  }

  /** Whether payloads pass, each way. */
  talks(): boolean {
    const up = this.initiator.seal("t/up", "report", hello);
    const down = this.responder.seal("t/down", "raft", hello);
    if (up === undefined || down === undefined) return false;
    const there = this.responder.open("t/up", "report", up);
    const back = this.initiator.open("t/down", "raft", down);
    return there !== undefined && "payload" in there && back !== undefined && "payload" in back;
  }

  /** Both learn of a statement of the root. */
  publish(statement: Uint8Array): void {
    this.board.roster.take(statement);
    this.host.roster.take(statement);
  }
}

/** One side of it. */
export class End {
  readonly roster: Roster;
  readonly options: EndOptions;

  /** @param peer whom it admits, by name. */
  constructor(root: TestRoot, own: OwnIdentity, ciphers: Ciphers, peer: string) {
    this.roster = new Roster(ciphers, root.keys.publicKey, swarm, 8);
    const admits = ({ identity }: Known) => identity.name === peer;
    this.options = { ciphers, own, roster: this.roster, admits };
  }
}

export const hello = new TextEncoder().encode("hello");

export function payloadOf(opened: ReturnType<SecureSession["open"]> | undefined): Uint8Array | undefined {
  return opened !== undefined && "payload" in opened ? opened.payload : undefined;
}
