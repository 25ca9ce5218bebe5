/**
 * Who was revoked, and what may still reach them: nothing that the group agrees on once everybody who runs knows of it. No host that knows has a session with
 * them, and none of them is elected.
 */

import { UnsafeStep } from "../safety.ts";
import type { SimulatedBoard } from "./simulated-board.ts";
import type { SimulatedHost } from "./simulated-host.ts";
import type { SimulatedSwarm } from "./simulated-swarm.ts";

interface Outcast {
  /** Of the statement that revoked it. */
  readonly epoch: number;
  /** Of the entry that says so; Infinity until it is committed. */
  index: number;
  /** How far the log was committed when somebody who runs did not know yet. */
  committed: number;
  /** The last term that it may lead. */
  term: number;
}

export class Outcasts {
  readonly #outcasts = new Map<string, Outcast>();

  get names(): readonly string[] {
    return [...this.#outcasts.keys()];
  }

  has(name: string): boolean {
    return this.#outcasts.has(name);
  }

  /** The statement of `epoch` will revoke it, once that is committed. */
  add(name: string, epoch: number): void {
    this.#outcasts.set(name, { epoch, index: Infinity, committed: Infinity, term: Infinity });
  }

  /** It has a new identity. */
  forgive(name: string): void {
    this.#outcasts.delete(name);
  }

  /** The statement of `epoch` is committed. */
  onStatement(epoch: number, index: number): void {
    for (const outcast of this.#outcasts.values()) {
      if (outcast.epoch <= epoch) outcast.index = Math.min(outcast.index, index);
    }
  }

  /** After each step of a host. */
  onHostStep(host: SimulatedHost, { hosts, boards }: SimulatedSwarm, committed: number): void {
    for (const [name, outcast] of this.#outcasts) {
      const running = hosts.filter(({ trust }) => trust !== undefined);
      const isKnown =
        running.every((each) => this.has(each.name) || each.trust!.epoch >= outcast.epoch) &&
        boards.every((each) => this.has(each.name) || appliedBy(each) >= outcast.index);
      if (!isKnown) {
        outcast.committed = committed;
        outcast.term = Math.max(...running.map(({ member }) => member!.status(0).term));
      }
      this.#checkSessions(name, outcast, host);
      if (isKnown && host.name === name) this.#checkHost(host, outcast);
    }
  }

  /** After each turn of a board. */
  onBoardTurn({ name, board }: SimulatedBoard): void {
    const outcast = this.#outcasts.get(name);
    if (outcast !== undefined && board !== undefined && board.commitIndex > outcast.committed) {
      throw new UnsafeStep(
        "revocation",
        `${name} knows of ${board.commitIndex}, and was known to be revoked at ${outcast.committed}`,
      );
    }
  }

  #checkSessions(name: string, { epoch }: Outcast, { name: host, trust, sessions }: SimulatedHost): void {
    if (trust !== undefined && trust.epoch >= epoch && sessions.has(name) && host !== name) {
      throw new UnsafeStep("revocation", `${host} has a session with ${name}, which it knows to be revoked`);
    }
  }

  #checkHost({ name, member }: SimulatedHost, { term, committed }: Outcast): void {
    const { role, term: own } = member!.status(0);
    if (role === "leader" && own > term)
      throw new UnsafeStep("revocation", `${name} was revoked, and leads term ${own}`);
    if (member!.commitIndex > committed) {
      throw new UnsafeStep(
        "revocation",
        `${name} knows of ${member!.commitIndex}, and was known to be revoked at ${committed}`,
      );
    }
  }
}

/** Infinity for one that is off. */
function appliedBy({ board }: SimulatedBoard): number {
  return board?.store.appliedIndex ?? Infinity;
}
