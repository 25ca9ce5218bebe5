/**
 * The leader's care for the turn to be away: hears the boards that vote, looks twice a second, and proposes who has it. A change is proposed only in place of the very
 * value that was looked at, so of two leaders that decide at once, the one whose entry is first in the log has decided.
 */
import { type Turn, turnIn, turnKey, turnToBytes } from "../../../protocols/turns/turn.ts";
import { maySpare, TurnDesk } from "../../../protocols/turns/turn-desk.ts";
import type { TurnMessage } from "../../../protocols/turns/turn-message.ts";
import type { Log } from "../log.ts";
import type { HostMemberStatus, ProposeRequest } from "../raft/host-member-types.ts";
import { defaultTiming } from "../raft/host-member-types.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { AgreedState } from "../state/agreed-state.ts";

export interface TurnsOptions {
  readonly state: Pick<AgreedState, "get">;
  readonly replica: {
    readonly isLeader: boolean;
    readonly term: number;
    status(): Pick<HostMemberStatus, "id" | "configuration" | "members">;
  };
  /** Puts if what is there is still `expected`; rejects with what the replica rejects with. */
  put(request: Pick<ProposeRequest, "key" | "value" | "expected">): Promise<unknown>;
  readonly log: Pick<Log, "info" | "debug">;
  /** Milliseconds that never go back. */
  nowMs(): number;
}

const lookEveryMs = 500;

export class Turns {
  readonly #options: TurnsOptions;
  #desk: TurnDesk | undefined;
  #term = 0;
  #isInFlight = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is agreed on; undefined for what this host cannot read. */
  get turn(): Turn | undefined {
    return turnIn(this.#options.state.get(turnKey)?.value);
  }

  /** A board says so: over its own session with this host, or, when not `isHere`, by way of another one, whose word of it may be late: then that it is away counts, and nothing else. */
  heard(board: string, message: TurnMessage, isHere: boolean): void {
    const { turn } = this;
    const desk = this.#lead();
    if (desk === undefined || turn === undefined || !(isHere || message.says === "away")) return;
    // Nobody's vote hangs on a board that has none.
    if (turn.holder?.board !== board && !this.#isVoter(board)) return;
    desk.hear(board, message, turn, this.#options.nowMs());
    this.look();
  }

  /** Proposes what is due. */
  look(): void {
    const desk = this.#lead();
    const present = this.#options.state.get(turnKey)?.value;
    const { turn } = this;
    if (desk === undefined || turn === undefined || this.#isInFlight) return;
    const next = desk.next(turn, (board) => this.#maySpare(board), this.#options.nowMs());
    if (next === undefined) return;
    const { put, log } = this.#options;
    const { holder } = next;
    this.#isInFlight = true;
    put({ key: turnKey, value: turnToBytes(next), expected: { value: present } })
      .then(() => log.info("turn", { board: holder?.board ?? "nobody", purpose: holder?.purpose }))
      // Tried again with the next look.
      .catch((error: Error) => log.debug("turn-not-agreed", { reason: error.message }))
      .finally(() => {
        this.#isInFlight = false;
      });
  }

  /** The one of this term; undefined while another host leads. */
  #lead(): TurnDesk | undefined {
    const { replica, nowMs } = this.#options;
    if (!replica.isLeader) this.#desk = undefined;
    else if (this.#desk === undefined || this.#term !== replica.term) {
      this.#desk = new TurnDesk(nowMs());
      this.#term = replica.term;
    }
    return this.#desk;
  }

  #isVoter(board: string): boolean {
    const { voters, outgoing } = this.#options.replica.status().configuration;
    return [...voters, ...outgoing].some((id) => nameOf(id) === board);
  }

  #maySpare(board: string): boolean {
    const { id: self, configuration, members } = this.#options.replica.status();
    const answering = new Set([self]);
    for (const { id, silentMs } of members) {
      if (silentMs !== undefined && silentMs <= defaultTiming.electionMaxMs) answering.add(id);
    }
    return maySpare(
      configuration,
      (id) => nameOf(id) === board,
      (id) => answering.has(id),
    );
  }
}
