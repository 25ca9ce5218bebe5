/**
 * One host speaks to a board in the leader's name. A board that has a session of its own with the leader must not believe it; one that has none has to
 * believe what is relayed.
 */
import type { Random } from "../random.ts";
import { UnsafeStep } from "../safety.ts";
import type { BoardSession } from "./board-session.ts";
import type { SimulatedHost } from "./simulated-host.ts";
import type { SimulatedSwarm } from "./simulated-swarm.ts";

/** What was said, and the session that the board had with the leader. */
interface Forgery {
  readonly forger: string;
  readonly board: string;
  readonly leader: SimulatedHost;
  readonly own: BoardSession;
}

export class Forgeries {
  readonly #forgeries: Forgery[] = [];

  get count(): number {
    return this.#forgeries.length;
  }

  /** Has one of `others` forge a word of the leader's for `board`, if that knows better. */
  make(
    leader: SimulatedHost,
    others: readonly SimulatedHost[],
    board: string,
    swarm: SimulatedSwarm,
    random: Random,
  ): void {
    const own = leader.sessions.get(board);
    if (own === undefined || own.boots !== swarm.bootsOf(board)) return;
    const forger = random.pick(others);
    this.#forgeries.push({ forger: forger.name, board, leader, own });
    forger.forge(board, leader.member!.id, this.#forgeries.length - 1);
  }

  /** The board has answered. Throws `UnsafeStep` unless its session with the leader ended meanwhile. */
  onBelieved(number: number, swarm: SimulatedSwarm): void {
    const { forger, board, leader, own } = this.#forgeries[number]!;
    if (leader.sessions.get(board) !== own || own.boots !== swarm.bootsOf(board)) return;
    throw new UnsafeStep(
      "who speaks",
      `${board} believes ${forger}, which speaks in the name of ${leader.name}`,
    );
  }
}
