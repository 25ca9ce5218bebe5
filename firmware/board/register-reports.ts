import type { Member } from "../../protocols/paxos/member.ts";
import type { RegisterAsk } from "../../protocols/paxos/report.ts";
import type { Outcome } from "../../protocols/paxos/types.ts";
import type { Random } from "../platform/ports.ts";
import type { Messenger } from "./messenger.ts";

export const registerReportPeriods = Object.freeze({
  /** Until what the leader has not recorded is told again, and what a closing group has accepted. */
  againMs: 3_000,
  /** Whoever did not propose a change leaves it to its proposer for so long, and up to twice as long: most are recorded by then. */
  leaveMs: 1_500,
});

/** What asks of the leader are remembered at most: those that go on, and those whose answer may have been lost. */
const asksMax = 8;

/** What the board tells the leader of registers: chosen states that are not recorded, what it had accepted when its group closed, and how asks came out. */
export class RegisterReports {
  readonly #member: Member;
  readonly #messenger: Messenger;
  readonly #board: string;
  readonly #random: Random;
  /** By their requests; how it came out in place of one that is over. */
  readonly #asked: (number | Outcome)[] = [];
  #answers: Outcome[] = [];
  /** How many states there were to tell. */
  #untold = 0;
  #chosenMs = Infinity;
  #closedMs = -Infinity;
  #wasJoined = false;

  constructor(member: Member, messenger: Messenger, board: string, random: Random) {
    this.#member = member;
    this.#messenger = messenger;
    this.#board = board;
    this.#random = random;
  }

  /** When there is something to tell; Infinity for never. */
  get dueMs(): number {
    if (this.#answers.length > 0) return -Infinity;
    return Math.min(this.#chosenMs, this.#member.closed() === undefined ? Infinity : this.#closedMs);
  }

  /** Whether this has not been asked before; one that is over is answered again. */
  isNew({ request }: RegisterAsk): boolean {
    const at = this.find(request);
    const asked = this.#asked[at];
    if (typeof asked === "object") this.#answers.push(asked);
    if (at >= 0) return false;
    if (this.#asked.length === asksMax) this.#asked.shift();
    this.#asked.push(request);
    return true;
  }

  onOutcome(outcome: Outcome): void {
    const at = this.find(outcome.request);
    if (at < 0) return;
    this.#asked[at] = outcome;
    this.#answers.push(outcome);
  }

  run(nowMs: number, isJoined: boolean): void {
    this.weigh(nowMs, isJoined);
    if (!isJoined) return;
    const { againMs } = registerReportPeriods;
    // One that is lost on the way is asked for again.
    while (this.#answers.length > 0) {
      const { request, kind, state } = this.#answers.shift()!;
      this.#messenger.sendRegister({ kind: "answer", request, outcome: kind, state });
    }
    if (nowMs >= this.#chosenMs) {
      const { untold, lost } = this.#member;
      this.#messenger.sendRegister({ kind: "chosen", chosen: untold, lost });
      this.#chosenMs = nowMs + againMs;
    }
    const closed = nowMs >= this.#closedMs ? this.#member.closed() : undefined;
    if (closed === undefined) return;
    this.#messenger.sendRegister(closed);
    this.#closedMs = nowMs + againMs;
  }

  /** The place of an ask; -1 for one that is not remembered. */
  private find(request: number): number {
    return this.#asked.findIndex((one) => (typeof one === "number" ? one : one.request) === request);
  }

  /** When what is chosen is to be told. */
  private weigh(nowMs: number, isJoined: boolean): void {
    const { untold } = this.#member;
    const hasMore = untold.length > this.#untold;
    this.#untold = untold.length;
    if (isJoined && !this.#wasJoined) {
      this.#chosenMs = nowMs;
      this.#closedMs = nowMs;
    }
    this.#wasJoined = isJoined;
    if (untold.length === 0) this.#chosenMs = Infinity;
    else if (hasMore) {
      const isOwn = untold[untold.length - 1]!.state.by === this.#board;
      const toldMs = isOwn ? nowMs : nowMs + this.leaveMs();
      this.#chosenMs = Math.min(this.#chosenMs, toldMs);
    } else if (this.#chosenMs === Infinity) this.#chosenMs = nowMs + this.leaveMs();
  }

  private leaveMs(): number {
    const seed = new Uint8Array(1);
    this.#random.fill(seed);
    return Math.ceil(registerReportPeriods.leaveMs * (1 + seed[0]! / 255));
  }
}
